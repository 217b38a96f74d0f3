/** Files that sources read: where they are, and what is wrong where they cannot be read. */
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { errorCode, errorMessage, SluiceError } from '../../base/errors.ts';
import type { ConnectorSpec } from '../../model/job-plan.ts';
import { isPermanentError } from '../fs/permanent-error.ts';
import { textOption } from './option.ts';

/** A path, relative to the working folder of the process, or a `file:` URI. */
export function pathOption(spec: ConnectorSpec, name: string): string {
  const uri = textOption(spec, name);
  if (!/^file:/i.test(uri)) return resolve(uri);
  try {
    return fileURLToPath(uri);
  } catch (error) {
    throw new SluiceError('SLUICE-CONNECTOR-OPTION', `${uri} names no file on this machine: ${errorMessage(error)}`, {
      hint: `Give the connector ${spec.connector} a path or a file: URI as its option ${name}.`,
      facts: { connector: spec.connector, option: name, value: uri },
      cause: error,
    });
  }
}

/** What an error of the file system means to somebody who wants to read `file`. */
export function inputError(file: string, error: unknown): SluiceError {
  if (error instanceof SluiceError) return error;
  const code = errorCode(error);
  if (code === 'ENOENT' || code === 'ENOTDIR') {
    return new SluiceError('SLUICE-INPUT-MISSING', `there is no file ${file}`, {
      hint: `Look at the path; a relative one begins at ${process.cwd()}.`,
      facts: { file },
      cause: error,
    });
  }
  return new SluiceError('SLUICE-INPUT-UNREADABLE', `${file} cannot be read: ${errorMessage(error)}`, {
    hint: 'Look at permissions and the disk, and whether it is a file; then run the job again, or give another path.',
    facts: { file, code },
    cause: error,
    retryable: !isPermanentError(error),
  });
}

/** The file exists and is not what it should be. `place` says where: column, row, byte. */
export function inputCorrupt(file: string, what: string, place: Readonly<Record<string, unknown>> = {}, cause?: unknown): SluiceError {
  return new SluiceError('SLUICE-INPUT-CORRUPT', `${file}: ${what}`, {
    hint: 'Fetch or write the file again: it is damaged, incomplete, of another format, or was changed while the job ran.',
    facts: { file, ...place },
    cause,
  });
}
