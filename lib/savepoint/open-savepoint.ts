/** A savepoint's metadata, or the reason why there is none. */
import { SluiceError } from '../base/errors.ts';
import type { SavepointFolder } from '../ports/savepoint-folder.ts';
import { decodeMetadata, metadataFile } from './metadata-codec.ts';
import type { SavepointMetadata } from './savepoint-metadata.ts';

/** @throws SluiceError `SLUICE-SAVEPOINT-MISSING`, `SLUICE-SAVEPOINT-UNREADABLE`, `SLUICE-SAVEPOINT-CORRUPT` or `SLUICE-FORMAT-NEWER` */
export async function openSavepoint(folder: SavepointFolder): Promise<SavepointMetadata> {
  const bytes = await folder.read(metadataFile);
  if (bytes !== undefined) return decodeMetadata(bytes, folder.location);
  throw new SluiceError('SLUICE-SAVEPOINT-MISSING', `there is no savepoint at ${folder.location}: ${metadataFile} is missing`, {
    hint: 'Check the path. A savepoint that was begun and never finished does not have the file: use another one.',
    facts: { location: folder.location },
  });
}
