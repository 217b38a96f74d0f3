/**
 * Source `ndjson`: a file with one JSON value per line, or a folder of them (`*.ndjson`, `*.jsonl`; what begins with a dot is still being written).
 *
 * N1. Every file is a split of its own. With a limit a folder is one split, its files in the order of their names: "the first N" has no meaning otherwise.
 * N2. The files of a split are fixed when the job starts. They may not change while it runs: a position names a byte.
 * N3. Never more than a chunk and one record are in memory beside what is handed out.
 */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCode, SluiceError } from '../../base/errors.ts';
import type { ConnectorSpec } from '../../model/job-plan.ts';
import type { SplitReader } from '../../ports/connectors.ts';
import { inputError, pathOption } from './input-file.ts';
import { LineBatch } from './line-batch.ts';
import { countOption } from './option.ts';
import { isPlainFileName } from './part-names.ts';
import { countsPosition } from './position.ts';
import { readLines } from './read-lines.ts';

interface Position {
  /** Which of the split's files. */
  readonly file: number;
  /** Where the next line begins, and its number. */
  readonly byte: number;
  readonly line: number;
  readonly records: number;
}

/** A split that is one file has its name, one that is several has their names with this between, which no name can hold. */
const nameSeparator = '/';
const start: Position = { file: 0, byte: 0, line: 1, records: 0 };
const fileItself = 'all';

export const ndjsonSource: SplitReader = {
  isPlain: true,

  async splits(source) {
    const names = await listFolder(pathOption(source, 'uri'));
    if (names === undefined) return [fileItself];
    const isLimited = countOption(source, 'limit', Infinity) !== Infinity;
    return isLimited && names.length > 1 ? [names.join(nameSeparator)] : names;
  },

  async read(source, split, position, { recordsMax }) {
    const paths = pathsOf(source, split);
    let { file, byte, line, records } = countsPosition<Position>(source, split, position, start);
    const batch = new LineBatch({ source, split, recordsMax, recordsBefore: records });
    while (file < paths.length && !batch.isFull) {
      const { atEnd, ...next } = await readLines(paths[file]!, { byte, line }, batch);
      ({ byte, line } = atEnd ? { byte: 0, line: 1 } : next);
      if (!atEnd) break;
      file++;
    }
    const { values, malformed } = batch;
    ({ records } = batch);
    const ended = file >= paths.length || batch.limitReached;
    return { values, malformed, position: { file, byte, line, records } satisfies Position, ended };
  },
};

/** Sorted by code units, the same on every machine; undefined where the path is no folder. */
async function listFolder(path: string): Promise<string[] | undefined> {
  try {
    const entries = await readdir(path, { withFileTypes: true });
    return entries
      .filter((entry) => entry.isFile() || entry.isSymbolicLink())
      .map(({ name }) => name)
      .filter((name) => !name.startsWith('.') && /\.(?:ndjson|jsonl)$/i.test(name))
      .sort((left, right) => (left < right ? -1 : 1));
  } catch (error) {
    if (errorCode(error) === 'ENOTDIR') return undefined;
    throw inputError(path, error);
  }
}

function pathsOf(source: ConnectorSpec, split: string): string[] {
  const path = pathOption(source, 'uri');
  if (split === fileItself) return [path];
  return split.split(nameSeparator).map((name) => {
    if (isPlainFileName(name)) return join(path, name);
    throw new SluiceError('SLUICE-INPUT-MISSING', `${JSON.stringify(name)} is no name of a file in ${path}`, {
      hint: 'Restore from a savepoint of this job, or start it from nothing.',
      facts: { connector: source.connector, split },
    });
  });
}
