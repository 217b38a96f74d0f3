/** A savepoint's metadata, or the reason why there is none. */
import { SluiceError } from '../base/errors.ts';
import type { SavepointFolder } from '../ports/savepoint-folder.ts';
import { decodeMetadata, metadataFile } from './metadata-codec.ts';
import type { SavepointMetadata } from './savepoint-metadata.ts';

/** @throws SluiceError `SLUICE-SAVEPOINT-MISSING`, `SLUICE-SAVEPOINT-CORRUPT` or `SLUICE-FORMAT-NEWER` */
export async function openSavepoint(folder: SavepointFolder): Promise<SavepointMetadata> {
  const bytes = await folder.read(metadataFile);
  if (bytes !== undefined) return decodeMetadata(bytes, folder.location);
  const begun = (await folder.list()).length > 0;
  throw new SluiceError('SLUICE-SAVEPOINT-MISSING', `there is no savepoint at ${folder.location}: ${metadataFile} is missing`, {
    hint: begun ? 'Its export was never finished, or a file was lost. Use another savepoint.' : 'Check the path.',
    facts: { location: folder.location },
  });
}
