/**
 * Source `parquet`: the rows of a Parquet file as plain objects, in one ordered split; or of the files of a folder, which make several.
 *
 * PS1. One row group of a file is decoded at a time and kept until another is wanted: a call slices it. As many files are kept as a source has splits by
 *      default, because all are read in turn.
 * PS2. What is kept belongs to the file as it was: another stamp makes it void.
 * PS3. A row that cannot be read exactly fails the call that reaches it, or is set aside whole; it does not count towards the limit.
 */
import { SluiceError } from '../../base/errors.ts';
import type { ConnectorSpec } from '../../model/job-plan.ts';
import { buildRows } from '../../model/row-shape.ts';
import type { MalformedRecord, SplitReader } from '../../ports/connectors.ts';
import { fileSplits, filesOfSplit } from './file-splits.ts';
import type { FindInput, InputFile, InputFiles } from './input-files.ts';
import { choiceOption, countOption, namesOption } from './option.ts';
import { decodeGroup, openParquet, type ParquetFile } from './parquet-file.ts';
import { countsPosition, invalidPosition } from './position.ts';
import type { PlainColumn } from './parquet-values.ts';

interface Position {
  /** Which of the split's files; absent = the first. */
  readonly file?: number;
  /** The next row of it, from 0. */
  readonly row: number;
  /** Records that it stands behind: the rows less those that were set aside. */
  readonly records: number;
  readonly version?: string;
}

interface WarmFile {
  /** Tells whether the file is still the same. */
  readonly stamp: string;
  readonly parquet: Promise<ParquetFile>;
  group: { readonly index: number; readonly columns: Promise<readonly PlainColumn[]> } | undefined;
}

interface Rows {
  readonly values: readonly unknown[];
  readonly malformed: readonly MalformedRecord[];
  readonly next: number;
}

/** One split of a call: where its rows come from. */
interface OpenSplit {
  readonly split: string;
  readonly files: InputFiles;
  readonly file: InputFile;
  readonly warm: WarmFile;
  readonly parquet: ParquetFile;
}

/** A decoded row group is tens of megabytes. */
const splitsByDefault = 8;
const shownCharactersMax = 1_000;
const endings = /\.parquet$/i;
const start: Position = { row: 0, records: 0 };

export function createParquetSource(find: FindInput): SplitReader {
  const warmFiles = new Map<string, WarmFile>();
  return {
    isPlain: true,

    async splits(source) {
      readOptions(source);
      const place = find(source);
      const splits = await fileSplits(place, source, endings, splitsByDefault);
      const [path] = splits.length === 0 ? [] : filesOfSplit(place, source, splits[0]!);
      // What is wrong with columns is said before the first record; the other files are looked at when they are read.
      if (path !== undefined) await reading(place.files, path, undefined, (file) => warmFile(warmFiles, source, file).parquet);
      return splits;
    },

    async read(source, split, position, { recordsMax }) {
      const at = countsPosition<Position>(source, split, position, start);
      const place = find(source);
      const paths = filesOfSplit(place, source, split);
      const file = at.file ?? 0;
      const path = paths[file];
      if (path === undefined) {
        if (!(file === paths.length && at.row === 0)) throw invalidPosition(source, split, position);
        return { values: [], malformed: [], position, ended: true };
      }
      const rows = await reading(place.files, path, at.version, async (open) => {
        const warm = warmFile(warmFiles, source, open);
        const parquet = await warm.parquet;
        if (at.row > parquet.rows) throw invalidPosition(source, split, position);
        return readRows(source, { split, files: place.files, file: open, warm, parquet }, at, recordsMax);
      });
      const hasMore = file + 1 < paths.length && !rows.limitReached;
      const next: Position =
        rows.fileEnded && hasMore
          ? { file: file + 1, row: 0, records: rows.records }
          : { ...(file === 0 ? {} : { file }), row: rows.next, records: rows.records, ...rows.version };
      return { values: rows.values, malformed: rows.malformed, position: next, ended: rows.limitReached || (rows.fileEnded && !hasMore) };
    },
  };
}

interface RowsRead extends Rows {
  readonly records: number;
  readonly fileEnded: boolean;
  readonly limitReached: boolean;
  readonly version: { readonly version?: string };
}

async function readRows(source: ConnectorSpec, open: OpenSplit, from: Position, recordsMax: number): Promise<RowsRead> {
  const { parquet, warm, file } = open;
  const { limit, setsAside } = readOptions(source);
  let { row, records } = from;
  const values: (readonly unknown[])[] = [];
  const malformed: MalformedRecord[] = [];
  // Beyond one row group only where it brought little: small groups make no small commits, and large ones are not decoded for a few rows.
  for (let taken = 0; row < parquet.rows && records < limit && taken <= recordsMax / 2;) {
    const rows = await takeRows(open, row, Math.min(recordsMax - taken, limit - records));
    if (rows.malformed.length > 0 && !setsAside) throw rowMalformed(source, parquet, rows.malformed[0]!);
    values.push(rows.values);
    malformed.push(...rows.malformed);
    taken += rows.next - row;
    records += rows.values.length;
    row = rows.next;
  }
  const fileEnded = row >= parquet.rows;
  const limitReached = records >= limit;
  if (fileEnded || limitReached) warm.group = undefined;
  const version = file.version === undefined ? {} : { version: file.version };
  return { values: values.length === 1 ? values[0]! : values.flat(), malformed, next: row, records, fileEnded, limitReached, version };
}

async function reading<T>(files: InputFiles, path: string, version: string | undefined, read: (file: InputFile) => Promise<T>): Promise<T> {
  const file = await files.open(path, { near: 'end', version });
  try {
    return await read(file);
  } finally {
    await file.close();
  }
}

/** At most `count` rows from `row` on, of its row group only. */
async function takeRows(open: OpenSplit, row: number, count: number): Promise<Rows> {
  const { parquet, split } = open;
  const index = parquet.groups.findIndex(({ start, rows }) => row < start + rows);
  const columns = await warmGroup(open, index);
  const group = parquet.groups[index]!;
  const from = row - group.start;
  const to = Math.min(from + count, group.rows);
  const slices = columns.map(({ values, hasObjects }) => {
    const slice = values.slice(from, to);
    return hasObjects ? slice.map((value) => (typeof value === 'object' ? structuredClone(value) : value)) : slice;
  });
  const rows = buildRows(parquet.columns, slices, to - from);
  const unreadable = unreadableRows(parquet, columns, from, to);
  if (unreadable.size === 0) return { values: rows, malformed: [], next: group.start + to };
  const malformed = [...unreadable].map(([at, reason]): MalformedRecord => {
    return {
      split,
      position: `row ${group.start + at}`,
      reason,
      text: JSON.stringify(rows[at - from]).slice(0, shownCharactersMax),
    };
  });
  return { values: rows.filter((_, i) => !unreadable.has(from + i)), malformed, next: group.start + to };
}

/** The first reason of each, in the order of rows. */
function unreadableRows(file: ParquetFile, columns: readonly PlainColumn[], from: number, to: number): ReadonlyMap<number, string> {
  const found = new Map<number, string>();
  for (const [i, { unreadable }] of columns.entries()) {
    for (const [row, reason] of unreadable) {
      if (row >= from && row < to && !found.has(row)) found.set(row, `column ${file.columns[i]!}: ${reason}`);
    }
  }
  return new Map([...found].sort(([left], [right]) => left - right));
}

function warmGroup({ warm, parquet, file, files }: OpenSplit, index: number): Promise<readonly PlainColumn[]> {
  if (warm.group?.index === index) return warm.group.columns;
  const group = { index, columns: decodeGroup(parquet, parquet.groups[index]!, file, files.gapBytesMax) };
  warm.group = group;
  // What failed is tried again by the next call.
  group.columns.catch(() => {
    if (warm.group === group) warm.group = undefined;
  });
  return group.columns;
}

function warmFile(warmFiles: Map<string, WarmFile>, source: ConnectorSpec, file: InputFile): WarmFile {
  const columns = namesOption(source, 'columns');
  const key = JSON.stringify([file.path, columns]);
  const known = warmFiles.get(key);
  warmFiles.delete(key);
  const entry: WarmFile =
    known?.stamp === file.stamp ? known : { stamp: file.stamp, parquet: openParquet(file, columns), group: undefined };
  // The last that was used stands last, the first goes.
  warmFiles.set(key, entry);
  const warmFilesMax = Math.max(splitsByDefault, countOption(source, 'splits', splitsByDefault));
  for (const oldest of warmFiles.keys()) if (warmFiles.size > warmFilesMax) warmFiles.delete(oldest);
  entry.parquet.catch(() => {
    if (warmFiles.get(key) === entry) warmFiles.delete(key);
  });
  return entry;
}

function readOptions(source: ConnectorSpec): { readonly limit: number; readonly setsAside: boolean } {
  const setsAside = choiceOption(source, 'onMalformed', ['fail', 'dead-letter'], 'fail') === 'dead-letter';
  return { limit: countOption(source, 'limit', Infinity), setsAside };
}

function rowMalformed(source: ConnectorSpec, { path }: ParquetFile, { position, reason }: MalformedRecord): SluiceError {
  return new SluiceError('SLUICE-RECORD-MALFORMED', `${position} of ${path} cannot be read exactly: ${reason}`, {
    hint: 'Leave the column out by the option columns, write the file with another type, or give the source `onMalformed: "dead-letter"`.',
    facts: { connector: source.connector, file: path, position, reason },
  });
}
