/**
 * Bytes as files of their own: large objects, which the log then only names, with length and checksum.
 *
 * OF1. A file has its name when it is whole and synced, and the name is on disk before `create` answers: so before the log names it.
 * OF2. What is read fits the length and the checksum in the log, or is refused by the file's path.
 */
import { open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { errorCode, SluiceError } from '../../base/errors.ts';
import { dataDirFailed } from './data-dir-failed.ts';
import { makeDirectory, syncDirectory } from './sync-directory.ts';

export interface ObjectFile {
  /** Name in the folder: never that of another file, so that a name in the log means one content. */
  readonly file: string;
  readonly size: number;
  readonly crc32: number;
}

const namePattern = /^(\d{8,})\.object$/;
const unfinished = '.part';

export class ObjectFiles {
  readonly #directory: string;
  #lastNumber = 0;

  private constructor(directory: string) {
    this.#directory = directory;
  }

  static async open(directory: string): Promise<ObjectFiles> {
    await makeDirectory(directory);
    return new ObjectFiles(directory);
  }

  async create(bytes: Uint8Array): Promise<ObjectFile> {
    const file = `${String(++this.#lastNumber).padStart(8, '0')}.object`;
    const path = join(this.#directory, file);
    try {
      await writeSynced(path + unfinished, bytes);
      await rename(path + unfinished, path);
      await syncDirectory(this.#directory);
    } catch (error) {
      await rm(path + unfinished, { force: true });
      throw dataDirFailed(`the object file ${path}`, error, { path });
    }
    return { file, size: bytes.length, crc32: crc32(bytes) };
  }

  /** @throws SluiceError `SLUICE-OBJECT-DAMAGED` */
  async read({ file, size, crc32: expected }: ObjectFile): Promise<Uint8Array> {
    const path = join(this.#directory, file);
    const bytes = await readFile(path).catch((error: unknown) => {
      throw errorCode(error) === 'ENOENT' ? damaged(path, missing) : error;
    });
    const problem = lengthProblem(bytes.length, size);
    if (problem !== undefined) throw damaged(path, problem);
    if (crc32(bytes) !== expected) throw damaged(path, 'its checksum does not fit');
    return bytes;
  }

  async remove(files: readonly ObjectFile[]): Promise<void> {
    for (const { file } of files) await rm(join(this.#directory, file), { force: true });
  }

  /**
   * At the start: which of those that the log names are gone, or not there in their length. Contents are checked when they are read, so that a start does
   * not read them all.
   */
  async lost<T extends ObjectFile>(named: Iterable<T>): Promise<readonly (T & { readonly path: string; readonly problem: string })[]> {
    const lost = [];
    for (const object of named) {
      const path = join(this.#directory, object.file);
      const found = await stat(path).catch((error: unknown) => {
        if (errorCode(error) === 'ENOENT') return undefined;
        throw error;
      });
      const problem = found === undefined ? missing : lengthProblem(found.size, object.size);
      if (problem !== undefined) lost.push({ ...object, path, problem });
    }
    return lost;
  }

  /** At the start, once the log is synced: what it does not name was not finished, or was removed. New numbers begin above all. */
  async removeAllBut(named: Iterable<ObjectFile>): Promise<void> {
    const kept = new Set(Array.from(named, ({ file }) => file));
    const present = await readdir(this.#directory);
    // A file that is lost keeps its name for ever: whoever removes its object must not remove another's.
    for (const name of [...kept, ...present]) this.#lastNumber = Math.max(this.#lastNumber, Number(namePattern.exec(name)?.[1] ?? 0));
    for (const name of present) {
      if (!kept.has(name)) await rm(join(this.#directory, name), { force: true });
    }
  }

  async areThereAny(): Promise<boolean> {
    return (await readdir(this.#directory)).some((name) => namePattern.test(name));
  }
}

async function writeSynced(path: string, bytes: Uint8Array): Promise<void> {
  const file = await open(path, 'w');
  try {
    await file.writeFile(bytes);
    await file.datasync();
  } finally {
    await file.close();
  }
}

const missing = 'it is missing';

function lengthProblem(found: number, expected: number): string | undefined {
  return found === expected ? undefined : `it has ${found} bytes instead of ${expected}`;
}

function damaged(path: string, problem: string): SluiceError {
  return new SluiceError('SLUICE-OBJECT-DAMAGED', `the object file ${path} is damaged: ${problem}`, {
    hint: 'Put the file back from a copy, or start from a savepoint in an empty data directory.',
    facts: { path, problem },
  });
}
