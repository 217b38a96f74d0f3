import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SluiceError } from '../base/errors.ts';
import type { CliIo } from './cli-io.ts';
import { possibleFolder } from './usable-folder.ts';

/** A folder or file of this machine as an absolute path: from a path, or from a `file:` URI as savepoints' locations are. */
export function folderOf(io: CliIo, location: string): string {
  if (/^file:\/\//i.test(location)) return fileURLToPath(location);
  return resolve(io.folder, location.replace(/^file:/i, ''));
}

/**
 * Where savepoints are to go, for a server that may run in another folder; a URI means the same everywhere.
 *
 * @throws SluiceError `SLUICE-USAGE` or `SLUICE-FOLDER-UNUSABLE`
 */
export function savepointDirectory(io: CliIo, location: string): string {
  if (location.trim() === '')
    throw new SluiceError('SLUICE-USAGE', 'the directory for savepoints is empty', { hint: 'Name one, or leave it out.' });
  return /^[a-z][a-z0-9+.-]+:/i.test(location) ? location : possibleFolder(io, 'directory for savepoints', location).folder;
}
