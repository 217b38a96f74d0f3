/** The single steps on a file system that a part goes through. They are an interface so that a test can end the process between any two. */
import { link, open, readdir, readFile, rm, stat } from 'node:fs/promises';
import { errorCode } from '../../base/errors.ts';
import { makeDirectory, syncDirectory } from '../fs/sync-directory.ts';

export interface FileSteps {
  /** With the folders around it; all survive a power loss. */
  makeFolder(path: string): Promise<void>;
  /** Creates a file and syncs it; returns its bytes. Its name is durable after `syncFolder` only, as after all that follows. */
  write(path: string, pieces: Iterable<Uint8Array>): Promise<number>;
  /** A second name for a file, only where nothing has that name. */
  link(from: string, to: string): Promise<'linked' | 'exists' | 'missing'>;
  /** Nothing where nothing is. */
  remove(path: string): Promise<void>;
  syncFolder(path: string): Promise<void>;
  /** Names of files; none where the folder is missing. */
  list(folder: string): Promise<readonly string[]>;
  read(path: string): Promise<Uint8Array | undefined>;
  /** Size in bytes, and what tells whether two names are one file. */
  look(path: string): Promise<{ readonly bytes: number; readonly id: string } | undefined>;
}

export const fileSteps: FileSteps = {
  makeFolder: makeDirectory,

  async write(path, pieces) {
    const file = await open(path, 'wx');
    try {
      let bytes = 0;
      for (const piece of pieces) {
        await file.writeFile(piece);
        bytes += piece.length;
      }
      await file.sync();
      return bytes;
    } finally {
      await file.close();
    }
  },

  async link(from, to) {
    try {
      await link(from, to);
      return 'linked';
    } catch (error) {
      if (errorCode(error) === 'EEXIST') return 'exists';
      if (errorCode(error) === 'ENOENT') return 'missing';
      throw error;
    }
  },

  remove: (path) => rm(path, { force: true }),
  syncFolder: syncDirectory,
  list: async (folder) => (await ifPresent(readdir(folder))) ?? [],
  read: (path) => ifPresent(readFile(path)),

  async look(path) {
    const facts = await ifPresent(stat(path, { bigint: true }));
    return facts === undefined ? undefined : { bytes: Number(facts.size), id: `${facts.dev} ${facts.ino}` };
  },
};

async function ifPresent<T>(wanted: Promise<T>): Promise<T | undefined> {
  try {
    return await wanted;
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}
