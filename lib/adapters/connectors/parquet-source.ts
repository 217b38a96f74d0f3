/**
 * Source `parquet`: the rows of a Parquet file as plain objects, in one ordered split.
 *
 * PS1. One row group of a file is decoded at a time and kept until another is wanted: a call slices it.
 * PS2. What is kept belongs to the file as it was: another size or time of change makes it void.
 * PS3. A row that cannot be read exactly fails the call that reaches it, or is set aside whole; it does not count towards the limit.
 */
import { stat } from 'node:fs/promises';
import { SluiceError } from '../../base/errors.ts';
import type { ConnectorSpec } from '../../model/job-plan.ts';
import { buildRows } from '../../model/row-shape.ts';
import type { MalformedRecord, SplitReader } from '../../ports/connectors.ts';
import { inputError, pathOption } from './input-file.ts';
import { choiceOption, countOption, namesOption } from './option.ts';
import { decodeGroup, openParquet, type ParquetFile } from './parquet-file.ts';
import { countsPosition, invalidPosition } from './position.ts';
import type { PlainColumn } from './parquet-values.ts';

interface Position {
  /** The next row, from 0. */
  readonly row: number;
  /** Records that it stands behind: the rows less those that were set aside. */
  readonly records: number;
}

interface WarmFile {
  /** Tells whether the file is still the same. */
  readonly stamp: string;
  readonly file: Promise<ParquetFile>;
  group: { readonly index: number; readonly columns: Promise<readonly PlainColumn[]> } | undefined;
}

interface Rows {
  readonly values: readonly unknown[];
  readonly malformed: readonly MalformedRecord[];
  readonly next: number;
}

/** A decoded row group is tens of megabytes. */
const warmFilesMax = 4;
const shownCharactersMax = 1_000;
const start: Position = { row: 0, records: 0 };
const onlySplit = 'all';

export function createParquetSource(): SplitReader {
  const warmFiles = new Map<string, WarmFile>();
  return {
    isPlain: true,

    async splits(source) {
      readOptions(source);
      const { file } = await warm(warmFiles, source);
      await file;
      return [onlySplit];
    },

    async read(source, split, position, { recordsMax }) {
      let { row, records } = countsPosition<Position>(source, split, position, start);
      const { limit, setsAside } = readOptions(source);
      const entry = await warm(warmFiles, source);
      const file = await entry.file;
      if (row > file.rows) throw invalidPosition(source, split, position);
      const values: (readonly unknown[])[] = [];
      const malformed: MalformedRecord[] = [];
      // Beyond one row group only where it brought little: small groups make no small commits, and large ones are not decoded for a few rows.
      for (let taken = 0; row < file.rows && records < limit && taken <= recordsMax / 2;) {
        const rows = await takeRows(entry, file, row, Math.min(recordsMax - taken, limit - records));
        if (rows.malformed.length > 0 && !setsAside) throw rowMalformed(source, file, rows.malformed[0]!);
        values.push(rows.values);
        malformed.push(...rows.malformed);
        taken += rows.next - row;
        records += rows.values.length;
        row = rows.next;
      }
      const ended = row >= file.rows || records >= limit;
      if (ended) entry.group = undefined;
      return { values: values.length === 1 ? values[0]! : values.flat(), malformed, position: { row, records } satisfies Position, ended };
    },
  };
}

/** At most `count` rows from `row` on, of its row group only. */
async function takeRows(entry: WarmFile, file: ParquetFile, row: number, count: number): Promise<Rows> {
  const index = file.groups.findIndex(({ start, rows }) => row < start + rows);
  const columns = await warmGroup(entry, file, index);
  const group = file.groups[index]!;
  const from = row - group.start;
  const to = Math.min(from + count, group.rows);
  const slices = columns.map(({ values, hasObjects }) => {
    const slice = values.slice(from, to);
    return hasObjects ? slice.map((value) => (typeof value === 'object' ? structuredClone(value) : value)) : slice;
  });
  const rows = buildRows(file.columns, slices, to - from);
  const unreadable = unreadableRows(file, columns, from, to);
  if (unreadable.size === 0) return { values: rows, malformed: [], next: group.start + to };
  const malformed = [...unreadable].map(([at, reason]): MalformedRecord => {
    return {
      split: onlySplit,
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

function warmGroup(entry: WarmFile, file: ParquetFile, index: number): Promise<readonly PlainColumn[]> {
  if (entry.group?.index === index) return entry.group.columns;
  const group = { index, columns: decodeGroup(file, file.groups[index]!) };
  entry.group = group;
  // What failed is tried again by the next call.
  group.columns.catch(() => {
    if (entry.group === group) entry.group = undefined;
  });
  return group.columns;
}

async function warm(warmFiles: Map<string, WarmFile>, source: ConnectorSpec): Promise<WarmFile> {
  const path = pathOption(source, 'uri');
  const columns = namesOption(source, 'columns');
  const facts = await stat(path).catch((error: unknown) => {
    throw inputError(path, error);
  });
  const stamp = `${facts.ino} ${facts.size} ${facts.mtimeMs}`;
  const key = JSON.stringify([path, columns]);
  const known = warmFiles.get(key);
  warmFiles.delete(key);
  const entry: WarmFile = known?.stamp === stamp ? known : { stamp, file: openParquet(path, columns), group: undefined };
  // The last that was used stands last, the first goes.
  warmFiles.set(key, entry);
  for (const oldest of warmFiles.keys()) if (warmFiles.size > warmFilesMax) warmFiles.delete(oldest);
  entry.file.catch(() => {
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
