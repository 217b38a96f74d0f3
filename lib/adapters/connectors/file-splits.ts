/**
 * Which files of a folder make up which split.
 *
 * FS1. Sorted by code units, the same on every machine. With a limit they are one split, in that order: "the first N" has no meaning otherwise.
 * FS2. At most so many splits: more files are dealt out in turn, so that splits stay near to each other where names rise with time. All splits of a shard are
 *      read in turn, and each keeps something in memory.
 * FS3. The files of a split are fixed when the job starts: their names are its own.
 */
import { SluiceError } from '../../base/errors.ts';
import { limits } from '../../base/limits.ts';
import type { ConnectorSpec } from '../../model/job-plan.ts';
import type { InputPlace } from './input-files.ts';
import { countOption } from './option.ts';
import { isPlainFileName } from './part-names.ts';

/** A split that is one file has its name, one that is several has their names with this between, which no name can hold. */
const nameSeparator = '/';
const fileItself = 'all';

/** `endings`: of the files that are meant where the URI does not say. */
export async function fileSplits(place: InputPlace, source: ConnectorSpec, endings: RegExp, splitsByDefault: number): Promise<string[]> {
  const { files, path, ending } = place;
  const isMeant = (name: string): boolean =>
    ending === undefined ? endings.test(name) : name.toLowerCase().endsWith(ending.toLowerCase());
  const listed = await files.list(path);
  if (listed === undefined) return [fileItself];
  const names = listed
    .filter((name) => isPlainFileName(name) && !name.startsWith('.') && isMeant(name))
    .sort((left, right) => (left < right ? -1 : 1));
  const characters = names.reduce((sum, name) => sum + name.length + 1, 0);
  if (characters > limits.splitNamesCharactersMax) throw tooManyFiles(path, names.length, characters);
  const isLimited = countOption(source, 'limit', Infinity) !== Infinity;
  const count = Math.min(names.length, isLimited ? 1 : countOption(source, 'splits', splitsByDefault));
  return Array.from({ length: count }, (_, split) => names.filter((_name, i) => i % count === split).join(nameSeparator));
}

/** The files of a split, in order. */
export function filesOfSplit({ files, path }: InputPlace, source: ConnectorSpec, split: string): string[] {
  if (split === fileItself) return [path];
  return split.split(nameSeparator).map((name) => {
    if (isPlainFileName(name)) return files.join(path, name);
    throw new SluiceError('SLUICE-INPUT-MISSING', `${JSON.stringify(name)} is no name of a file in ${path}`, {
      hint: 'Restore from a savepoint of this job, or start it from nothing.',
      facts: { connector: source.connector, split },
    });
  });
}

function tooManyFiles(path: string, files: number, characters: number): SluiceError {
  return new SluiceError('SLUICE-INPUT-TOO-LARGE', `${path} has ${files} files, whose names take ${characters} characters`, {
    hint: `Merge them into fewer files, or read them folder by folder: the names of one source may take ${limits.splitNamesCharactersMax} characters.`,
    facts: { path, files, characters },
  });
}
