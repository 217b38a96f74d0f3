/**
 * Savepoint folders on a file system.
 *
 * SF1. A file appears whole: it is written beside its place under a name that begins with a dot, synced, and linked, which fails where the name is taken.
 * SF2. A path cannot leave its folder.
 * SF3. What can never work fails as such: whoever writes or reads would try it again and again.
 */
import { randomBytes } from 'node:crypto';
import { link, open, readdir, readFile, rm, rmdir, stat } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { errorCode, errorMessage, SluiceError } from '../../base/errors.ts';
import type { SavepointFile, SavepointFolder, SavepointFolders } from '../../ports/savepoint-folder.ts';
import { isPermanentError } from './permanent-error.ts';
import { makeDirectory, syncDirectory } from './sync-directory.ts';

const metadataName = '_metadata.json';

export function createFsSavepointFolders(): SavepointFolders {
  return {
    at: (location) => folderAt(withoutMetadata(pathOf(location))),
    inside: (directory, name) => folderAt(join(pathOf(directory), name)),
  };
}

function pathOf(location: string): string {
  // Of one letter it is a drive.
  const scheme = /^([a-z][a-z0-9+.-]+):/i.exec(location)?.[1]?.toLowerCase();
  if (scheme === undefined) return resolve(location);
  if (scheme !== 'file') throw unusable(location, 'here savepoints are written to folders of this machine');
  try {
    return fileURLToPath(location);
  } catch (error) {
    throw unusable(location, errorMessage(error), error);
  }
}

function withoutMetadata(path: string): string {
  return basename(path) === metadataName ? dirname(path) : path;
}

function folderAt(folder: string): SavepointFolder {
  const place = (path: string): string => {
    const full = resolve(folder, path);
    if (full.startsWith(folder + sep)) return full;
    throw new SluiceError('SLUICE-SAVEPOINT-CORRUPT', `${path} leads out of the savepoint at ${folder}`, {
      hint: 'Use another savepoint: this one was changed by hand.',
      facts: { location: folder, path },
    });
  };
  return {
    location: folder,
    prepare: () => writing(folder, () => makeDirectory(folder)),
    createIfAbsent: (path, bytes) => writing(folder, () => createFile(place(path), bytes)),
    read: (path) => reading(place(path), () => readFile(place(path))),
    list: () => listFiles(folder, folder),
    remove: async (paths) => {
      for (const path of paths) await rm(place(path), { force: true });
      for (const path of [...paths.map((name) => dirname(place(name))), folder]) await rmdir(path).catch(() => undefined);
    },
  };
}

async function createFile(path: string, bytes: Uint8Array): Promise<'created' | 'exists'> {
  await makeDirectory(dirname(path));
  const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(4).toString('hex')}.tmp`);
  const file = await open(temporary, 'wx');
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
  try {
    await link(temporary, path);
    await syncDirectory(dirname(path));
    return 'created';
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return 'exists';
    throw error;
  } finally {
    await rm(temporary, { force: true });
  }
}

async function listFiles(root: string, folder: string): Promise<readonly SavepointFile[]> {
  const entries = (await reading(folder, () => readdir(folder, { withFileTypes: true }))) ?? [];
  const files = await Promise.all(
    entries.map(async (entry): Promise<readonly SavepointFile[]> => {
      const full = join(folder, entry.name);
      if (entry.isDirectory()) return listFiles(root, full);
      if (entry.name.startsWith('.')) return [];
      const facts = await reading(full, () => stat(full));
      return facts === undefined ? [] : [{ path: relative(root, full).split(sep).join('/'), bytes: facts.size }];
    }),
  );
  return files.flat().sort((a, b) => (a.path < b.path ? -1 : 1));
}

async function reading<T>(path: string, read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'EISDIR'].includes(errorCode(error) ?? '')) return undefined;
    throw new SluiceError('SLUICE-SAVEPOINT-UNREADABLE', `${path} cannot be read: ${errorMessage(error)}`, {
      hint: 'Look at the permissions of the folder and of all above it, and at the disk.',
      facts: { path, code: errorCode(error) },
      cause: error,
      retryable: !isPermanentError(error),
    });
  }
}

async function writing<T>(folder: string, write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (error) {
    if (error instanceof SluiceError) throw error;
    if (isPermanentError(error)) throw unusable(folder, errorMessage(error), error);
    throw new SluiceError('SLUICE-SAVEPOINT-FAILED', `the savepoint ${folder} could not be written: ${errorMessage(error)}`, {
      hint: 'Look at the disk: is there room left, does it answer?',
      facts: { folder, code: errorCode(error) },
      cause: error,
      retryable: true,
    });
  }
}

function unusable(folder: string, why: string, cause?: unknown): SluiceError {
  return new SluiceError('SLUICE-FOLDER-UNUSABLE', `the directory for savepoints ${folder} cannot be used: ${why}`, {
    hint: 'Name another folder, or make this one a folder that the run may write to.',
    facts: { folder, code: errorCode(cause) },
    cause,
  });
}
