/**
 * Reads flight records for the independent computation, one row group at a time, by columns.
 *
 * Owns: what the columns of the file are, and refusing a file in which they are something else.
 * Does not own: what is computed from them (expected-compute.ts). Imports nothing of the engine, on purpose.
 *
 * The columns of flights-3m.parquet (written by Polars, zstd, dictionary-encoded, 11 row groups of 272,727 rows):
 *   date         INT64 timestamp in microseconds, "not adjusted to UTC": a wall clock without a zone, taken here as UTC
 *   delay        INT64 minutes, comes as BigInt; negative (early) for half of the flights
 *   origin       UTF-8 string, three capital letters
 *   destination  UTF-8 string, three capital letters
 *   distance     not read
 * All are declared OPTIONAL although the file holds no null; a null would be refused here, never counted as zero.
 */
import { zstdDecompressSync } from 'node:zlib';
import { type AsyncBuffer, asyncBufferFromFile, type ColumnData, type FileMetaData, parquetMetadataAsync, parquetRead } from 'hyparquet';

/** Flights of one row group as columns of equal length; `at` is in milliseconds since 1970. */
export interface FlightBatch {
  readonly at: Float64Array;
  readonly delay: Float64Array;
  readonly origin: readonly string[];
  readonly destination: readonly string[];
}

interface RowRange {
  readonly start: number;
  readonly end: number;
}

const compressors = { ZSTD: (input: Uint8Array, length: number) => zstdDecompressSync(input, { maxOutputLength: Math.max(length, 1) }) };

/** Called once per distinct date of a row group (they come from its dictionary), so the check costs nothing. */
const parsers = {
  timestampFromMicroseconds(micros: bigint): number {
    if (micros % 1000n !== 0n) throw new Error(`date ${micros.toString()} µs is not a whole millisecond`);
    return Number(micros / 1000n);
  },
};

/** The first `limit` flights of the file, in its order. */
export async function* readFlights(inputPath: string, limit = Infinity): AsyncGenerator<FlightBatch> {
  const file = await asyncBufferFromFile(inputPath);
  const metadata = await parquetMetadataAsync(file);
  refuseOtherDates(metadata);
  let start = 0;
  for (const group of metadata.row_groups) {
    if (start >= limit) return;
    const groupEnd = start + Number(group.num_rows);
    yield await readRows(file, metadata, { start, end: Math.min(groupEnd, limit) });
    start = groupEnd;
  }
}

/** Another unit would be converted by another parser of hyparquet, and a plain number would be off by a factor. */
function refuseOtherDates(metadata: FileMetaData): void {
  const type = metadata.schema.find((element) => element.name === 'date')?.logical_type;
  if (type?.type !== 'TIMESTAMP' || type.unit !== 'MICROS') throw new Error('column date is not a timestamp in microseconds');
}

/** Column after column, each made compact before the next is read: hyparquet's columns of boxed values are several times as large. */
async function readRows(file: AsyncBuffer, metadata: FileMetaData, range: RowRange): Promise<FlightBatch> {
  const rows = range.end - range.start;
  const batch = {
    at: new Float64Array(rows),
    delay: new Float64Array(rows),
    origin: Array<string>(rows),
    destination: Array<string>(rows),
  };
  const fill = async <T>(column: string, target: Target<T>, convert: (value: unknown) => T | undefined) =>
    fillColumn({ file, metadata, range, column, target, convert });
  await fill('date', batch.at, (value) => (typeof value === 'number' ? value : undefined));
  await fill('delay', batch.delay, (value) => (typeof value === 'bigint' ? Number(value) : undefined));
  await fill('origin', batch.origin, asText);
  await fill('destination', batch.destination, asText);
  return batch;
}

function asText(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

interface Target<T> {
  [index: number]: T;
}

interface ColumnFill<T> {
  readonly file: AsyncBuffer;
  readonly metadata: FileMetaData;
  readonly range: RowRange;
  readonly column: string;
  readonly target: Target<T>;
  /** Undefined when the value is not one of the column's type. */
  readonly convert: (value: unknown) => T | undefined;
}

async function fillColumn<T>({ file, metadata, range, column, target, convert }: ColumnFill<T>): Promise<void> {
  const { start: rowStart, end: rowEnd } = range;
  const chunks: ColumnData[] = [];
  // Only gathers: what is thrown in a callback of hyparquet would not reach the caller.
  const onChunk = (chunk: ColumnData) => void chunks.push(chunk);
  await parquetRead({ file, metadata, columns: [column], rowStart, rowEnd, compressors, parsers, onChunk });
  let nextRow = rowStart;
  for (const { columnData, rowStart: chunkStart } of chunks) {
    if (chunkStart !== nextRow) throw new Error(`column ${column}: rows ${nextRow} to ${chunkStart} are missing`);
    // A chunk is made of whole pages, so it can go past the wanted rows.
    const wanted = Math.min(columnData.length, rowEnd - chunkStart);
    for (let index = 0; index < wanted; index++, nextRow++) {
      const raw: unknown = columnData[index];
      const value = convert(raw);
      if (value === undefined) throw new Error(`column ${column}, row ${nextRow}: ${String(raw)} is not a value of its type`);
      target[nextRow - rowStart] = value;
    }
  }
  if (nextRow !== rowEnd) throw new Error(`column ${column}: rows ${nextRow} to ${rowEnd} are missing`);
}
