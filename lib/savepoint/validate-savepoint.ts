/**
 * Reads all of a savepoint and says everything that is wrong with it, at once.
 *
 * VS1. Every byte counts: sizes and checksums of all files, the metadata's own, and every line's shape and key group.
 */
import { errorCode, errorMessage } from '../base/errors.ts';
import type { SavepointFolder } from '../ports/savepoint-folder.ts';
import { decodeInFlight } from './in-flight-file.ts';
import { corruptFile, decodeKeyedRows } from './keyed-file.ts';
import { metadataFile, sha256Of } from './metadata-codec.ts';
import { openSavepoint } from './open-savepoint.ts';
import type { KeyedFile, SavepointMetadata } from './savepoint-metadata.ts';

export interface SavepointReason {
  /** `SLUICE-SAVEPOINT-MISSING`, `SLUICE-SAVEPOINT-CORRUPT`, `SLUICE-FORMAT-NEWER`, or a reason of the restore check. */
  readonly code: string;
  readonly message: string;
}

export interface Validation {
  readonly reasons: readonly SavepointReason[];
  /** null where not even the metadata can be read. */
  readonly metadata: SavepointMetadata | null;
  readonly files: number;
  readonly bytes: number;
}

export async function validateSavepoint(folder: SavepointFolder): Promise<Validation> {
  let metadata: SavepointMetadata;
  try {
    metadata = await openSavepoint(folder);
  } catch (error) {
    return { reasons: [reasonOf(error)], metadata: null, files: 0, bytes: 0 };
  }
  const reasons: SavepointReason[] = [];
  let read = 0;
  const inFlight = metadata.inFlight ?? [];
  for (const file of [...metadata.files, ...metadata.parts, ...inFlight]) {
    try {
      const bytes = await readChecked(folder, file);
      read += bytes.length;
      if ('channels' in file) decodeInFlight(file, bytes);
      else if ('codec' in file) decodeKeyedRows(file, bytes, maxParallelismOf(metadata, file));
    } catch (error) {
      reasons.push(reasonOf(error));
    }
  }
  return { reasons, metadata, files: metadata.files.length + metadata.parts.length + inFlight.length + 1, bytes: read };
}

/** @throws SluiceError `SLUICE-SAVEPOINT-CORRUPT` where the file is missing, of another size, or of other content */
export async function readChecked(
  folder: SavepointFolder,
  file: { readonly path: string; readonly bytes: number; readonly sha256: string },
): Promise<Uint8Array> {
  const bytes = await folder.read(file.path);
  if (bytes === undefined) throw corruptFile(file.path, 'it is missing');
  if (bytes.length !== file.bytes) throw corruptFile(file.path, `it has ${bytes.length} bytes, not ${file.bytes}`);
  if (sha256Of(bytes) !== file.sha256) throw corruptFile(file.path, 'its checksum does not fit');
  return bytes;
}

/** @throws SluiceError `SLUICE-SAVEPOINT-CORRUPT` */
export function maxParallelismOf({ operators }: SavepointMetadata, file: KeyedFile): number {
  const operator = operators.find(({ uid }) => uid === file.operator);
  if (operator === undefined) throw corruptFile(metadataFile, `it has no operator ${file.operator}`);
  return operator.maxParallelism;
}

/** What may be read the next time is no reason: it says nothing about the savepoint. */
function reasonOf(error: unknown): SavepointReason {
  if ((error as { readonly retryable?: unknown }).retryable === true) throw error;
  return { code: errorCode(error) ?? 'SLUICE-SAVEPOINT-CORRUPT', message: errorMessage(error) };
}
