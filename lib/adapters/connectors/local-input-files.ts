/** Input files of a file system. */
import { type FileHandle, open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCode } from '../../base/errors.ts';
import type { InputFile, InputFiles } from './input-files.ts';
import { inputCorrupt, inputError } from './input-file.ts';

export const localInputFiles: InputFiles = {
  gapBytesMax: 8_192,

  async open(path) {
    try {
      const file = await open(path, 'r');
      try {
        const facts = await file.stat();
        if (facts.isDirectory()) throw Object.assign(new Error('it is a folder'), { code: 'EISDIR' });
        return openFile(path, file, facts.size, `${facts.ino} ${facts.size} ${facts.mtimeMs}`);
      } catch (error) {
        await file.close();
        throw error;
      }
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

function openFile(path: string, file: FileHandle, bytes: number, stamp: string): InputFile {
  const read = async (target: Uint8Array, offset: number, at: number): Promise<number> => {
    try {
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

    close: () => file.close(),
  };
}
