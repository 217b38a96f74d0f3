/**
 * Savepoint folders on a file system.
 *
 * SF1. A file appears whole: it is written beside its place under a name that begins with a dot, synced, and linked, which fails where the name is taken.
 * SF2. A path cannot leave its folder.
 */
import { randomBytes } from 'node:crypto';
import { link, open, readdir, readFile, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { errorCode, SluiceError } from '../../base/errors.ts';
import type { SavepointFile, SavepointFolder, SavepointFolders } from '../../ports/savepoint-folder.ts';
import { makeDirectory, syncDirectory } from './sync-directory.ts';

const metadataName = '_metadata.json';

export function createFsSavepointFolders(): SavepointFolders {
  return {
    at: (location) => folderAt(withoutMetadata(pathOf(location))),
    inside: (directory, name) => folderAt(join(pathOf(directory), name)),
  };
}

function pathOf(location: string): string {
  return location.startsWith('file:') ? fileURLToPath(location) : resolve(location);
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
    createIfAbsent: (path, bytes) => createFile(place(path), bytes),
    read: (path) => ifPresent(readFile(place(path))),
    list: () => listFiles(folder, folder),
    remove: async (paths) => {
      for (const path of paths) await rm(place(path), { force: true });
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
  const entries = (await ifPresent(readdir(folder, { withFileTypes: true }))) ?? [];
  const files = await Promise.all(
    entries.map(async (entry): Promise<readonly SavepointFile[]> => {
      const full = join(folder, entry.name);
      if (entry.isDirectory()) return listFiles(root, full);
      if (entry.name.startsWith('.')) return [];
      const facts = await ifPresent(stat(full));
      return facts === undefined ? [] : [{ path: relative(root, full).split(sep).join('/'), bytes: facts.size }];
    }),
  );
  return files.flat().sort((a, b) => (a.path < b.path ? -1 : 1));
}

async function ifPresent<T>(wanted: Promise<T>): Promise<T | undefined> {
  try {
    return await wanted;
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'EISDIR'].includes(errorCode(error) ?? '')) return undefined;
    throw error;
  }
}
