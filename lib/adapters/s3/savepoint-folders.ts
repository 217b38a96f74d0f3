/**
 * Savepoint folders in buckets of S3: `s3://bucket/path`.
 *
 * SF1. A file appears whole (put-if-absent.ts).
 * SF2. A path cannot leave its folder.
 * SF3. What can never work fails as such: whoever writes or reads would try it again and again.
 * SF4. S3 has no folders: what is prepared is an empty object `path/`, as the console of S3 makes it. It proves that one may write there, is no file of the
 *      savepoint, and goes with the last one.
 */
import { errorMessage, SluiceError } from '../../base/errors.ts';
import { errorName } from '../../base/error-name.ts';
import type { SavepointFolder, SavepointFolders } from '../../ports/savepoint-folder.ts';
import { listObjects, type ListedObject } from './list-objects.ts';
import { putIfAbsent } from './put-if-absent.ts';
import { readObject } from './read-object.ts';
import { removeObjects } from './remove-objects.ts';
import type { S3Access } from './s3-access.ts';
import { isMissing, isPermanentRefusal } from './s3-error.ts';

const metadataName = '_metadata.json';

interface Place {
  readonly bucket: string;
  /** Ends in `/`; the folder's files begin so. Empty for the bucket itself. */
  readonly prefix: string;
  readonly location: string;
}

export function createS3SavepointFolders(access: S3Access): SavepointFolders {
  return {
    at: (location) => folderAt(access, placeOf(location, [])),
    inside: (directory, name) => folderAt(access, placeOf(directory, [name])),
  };
}

function placeOf(location: string, below: readonly string[]): Place {
  const [, bucket, path] = /^s3:\/\/([^/]+)\/?(.*)$/is.exec(location) ?? [];
  if (bucket === undefined || path === undefined)
    throw unusable(location, 'here savepoints are written to S3, to a place like s3://bucket/path');
  const parts = [...path.split('/').filter((part) => part !== ''), ...below];
  if (parts.at(-1) === metadataName) parts.pop();
  if (parts.some(isRelative)) throw unusable(location, 'its path has a part that S3 does not take');
  const prefix = parts.map((part) => `${part}/`).join('');
  return { bucket, prefix, location: `s3://${[bucket, ...parts].join('/')}` };
}

function isRelative(part: string): boolean {
  return part === '.' || part === '..';
}

function folderAt(access: S3Access, place: Place): SavepointFolder {
  const { bucket, prefix, location } = place;
  const create = (name: string, bytes: Uint8Array) => writing(place, () => putIfAbsent(access, { bucket, name, bytes }));
  return {
    location,
    prepare: async () => {
      if (prefix !== '') await create(prefix, new Uint8Array(0));
    },
    createIfAbsent: async (path, bytes) => create(nameIn(place, path), bytes),
    read: async (path) => {
      const name = nameIn(place, path);
      return reading(`s3://${bucket}/${name}`, () => readObject(access, bucket, name));
    },
    list: async () => {
      const found = await listFiles(access, place);
      return found.map(({ name, bytes }) => ({ path: name.slice(prefix.length), bytes }));
    },
    remove: async (paths) => {
      await removeObjects(access, bucket, paths.map((path) => nameIn(place, path))); // prettier-ignore
      if (prefix !== '' && (await listFiles(access, place)).length === 0) await removeObjects(access, bucket, [prefix]);
    },
  };
}

/** SF2. */
function nameIn({ prefix, location }: Place, path: string): string {
  if (!path.split('/').some((part) => part === '' || isRelative(part))) return prefix + path;
  throw new SluiceError('SLUICE-SAVEPOINT-CORRUPT', `${path} leads out of the savepoint at ${location}`, {
    hint: 'Use another savepoint: this one was changed by hand.',
    facts: { location, path },
  });
}

async function listFiles(access: S3Access, { bucket, prefix, location }: Place): Promise<readonly ListedObject[]> {
  const found = await reading(location, () => listObjects(access, bucket, prefix));
  // Names that end so are folders, made by hand or SF4.
  return (found ?? []).filter(({ name }) => !name.endsWith('/'));
}

async function reading<T>(what: string, read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (isMissing(error) || errorName(error) === 'NoSuchBucket') return undefined;
    throw new SluiceError('SLUICE-SAVEPOINT-UNREADABLE', `${what} cannot be read: ${errorMessage(error)}`, {
      hint: 'Look at the region of the bucket, at its policy, and at what the function that reads may do: s3:GetObject and s3:ListBucket.',
      facts: { location: what, error: errorName(error) },
      cause: error,
      retryable: !isPermanentRefusal(error),
    });
  }
}

async function writing<T>({ location }: Place, write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (error) {
    if (isPermanentRefusal(error)) throw unusable(location, errorMessage(error), error);
    throw new SluiceError('SLUICE-SAVEPOINT-FAILED', `the savepoint ${location} could not be written: ${errorMessage(error)}`, {
      hint: 'Look at the health of S3 in that region; it is tried again.',
      facts: { location, error: errorName(error) },
      cause: error,
      retryable: true,
    });
  }
}

function unusable(location: string, why: string, cause?: unknown): SluiceError {
  return new SluiceError('SLUICE-FOLDER-UNUSABLE', `the directory for savepoints ${location} cannot be used: ${why}`, {
    hint: 'Name a place in a bucket that the coordinator may write to, as s3://bucket/path.',
    facts: { location, error: errorName(cause) },
    cause,
  });
}
