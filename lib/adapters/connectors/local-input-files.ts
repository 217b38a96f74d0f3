/** Input files of a file system. */
import { type FileHandle, open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCode } from '../../base/errors.ts';
import type { InputFile, InputFiles } from './input-files.ts';
import { inputCorrupt, inputError } from './input-file.ts';

export const localInputFiles: InputFiles = {
  // A read costs less than the copy that takes its part out of a larger one.
  gapBytesMax: -1,

  async open(path) {
    try {
      const facts = await stat(path);
      if (facts.isDirectory()) throw Object.assign(new Error('it is a folder'), { code: 'EISDIR' });
      return openFile(path, facts.size, `${facts.ino} ${facts.size} ${facts.mtimeMs}`);
    } catch (error) {
      throw inputError(path, error);
    }
  },

  async list(path) {
    try {
      const entries = await readdir(path, { withFileTypes: true });
      return entries.filter((entry) => entry.isFile() || entry.isSymbolicLink()).map(({ name }) => name);
    } catch (error) {
      if (errorCode(error) === 'ENOTDIR') return undefined;
      throw inputError(path, error);
    }
  },

  join,
};

/** Opened when something of it is read: what is decoded already needs none of it. */
function openFile(path: string, bytes: number, stamp: string): InputFile {
  let opening: Promise<FileHandle> | undefined;
  const read = async (target: Uint8Array, offset: number, at: number): Promise<number> => {
    try {
      opening ??= open(path, 'r');
      const file = await opening;
      return (await file.read(target, offset, target.length - offset, at)).bytesRead;
    } catch (error) {
      throw inputError(path, error);
    }
  };
  return {
    path,
    bytes,
    stamp,
    version: undefined,
    read: (target, at) => read(target, 0, at),

    async slice(from, to) {
      const target = new Uint8Array(to - from);
      for (let filled = 0; filled < target.length;) {
        const count = await read(target, filled, from + filled);
        if (count === 0) throw inputCorrupt(path, `ends at byte ${from + filled}, and had ${bytes} before`, { byte: from + filled });
        filled += count;
      }
      return target;
    },

    close: async () => {
      const file = await opening?.catch(() => undefined);
      await file?.close();
    },
  };
}
