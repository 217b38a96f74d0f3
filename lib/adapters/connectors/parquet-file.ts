/**
 * One Parquet file: what it holds, and its row groups as columns of plain values.
 *
 * PF1. Nothing is read past what the file says it holds, and a row group that brings fewer or more rows than it says is refused.
 * PF2. The columns of a row group that are wanted are read in as few pieces as their places allow: on S3 a request each.
 */
import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from 'node:zlib';
import {
  type AsyncBuffer,
  type Compressors,
  type DecodedArray,
  type FileMetaData,
  parquetMetadataAsync,
  parquetRead,
  parquetSchema,
} from 'hyparquet';
import { errorMessage, SluiceError } from '../../base/errors.ts';
import { type ByteRange, mergeRanges, RangeBuffer } from './byte-ranges.ts';
import { inputCorrupt } from './input-file.ts';
import type { InputFile } from './input-files.ts';
import { annotateColumns, checkColumns, isDecimal, rowGroupRanges, type RowGroupRange } from './parquet-columns.ts';
import { exactDecimals, parsers, plainColumn, type PlainColumn } from './parquet-values.ts';

export interface ParquetFile {
  readonly path: string;
  readonly columns: readonly string[];
  readonly groups: readonly RowGroupRange[];
  readonly rows: number;
  readonly metadata: FileMetaData;
}

const magic = 'PAR1';
/** The magic twice, and the length of the metadata. */
const bytesMin = 12;
/** Columns are read in one piece up to this; a single one may be larger. */
const rangeBytesMax = 33_554_432;

type Decompress = (input: Uint8Array, outputLength: number) => Uint8Array;

/** A page that grows beyond what its header says is refused before it fills the memory. */
const bounded = (decompress: (input: Uint8Array, options: { readonly maxOutputLength: number }) => Uint8Array): Decompress => {
  return (input, outputLength) => decompress(input, { maxOutputLength: Math.max(outputLength, 1) });
};

/** hyparquet has Snappy itself. */
const compressors: Compressors = {
  ZSTD: bounded(zstdDecompressSync),
  GZIP: bounded(gunzipSync),
  BROTLI: bounded(brotliDecompressSync),
};

/** `wanted` undefined: all columns, in the order of the file. */
export async function openParquet(file: InputFile, wanted: readonly string[] | undefined): Promise<ParquetFile> {
  const { path } = file;
  const metadata = annotateColumns(await readMetadata(file));
  try {
    const columns = wanted === undefined ? parquetSchema(metadata).children.map(({ element }) => element.name) : [...new Set(wanted)];
    checkColumns(path, metadata, columns);
    const groups = rowGroupRanges(path, metadata);
    return { path, columns, groups, rows: Number(metadata.num_rows), metadata };
  } catch (error) {
    if (error instanceof SluiceError) throw error;
    throw inputCorrupt(path, `its metadata make no sense: ${errorMessage(error)}`, {}, error);
  }
}

/** Column after column: hyparquet's own arrays of one column are garbage before those of the next are made. `file`: open, with the content of `parquet`. */
export async function decodeGroup(
  parquet: ParquetFile,
  group: RowGroupRange,
  file: InputFile,
  gapBytesMax: number,
): Promise<readonly PlainColumn[]> {
  const ranges = chunkRanges(parquet, group);
  for (const { from, to } of ranges) checkRange(file, from, to);
  const buffer = new RangeBuffer(mergeRanges(ranges, gapBytesMax, rangeBytesMax), (from, to) => readBytes(file, from, to));
  const decoded: PlainColumn[] = [];
  for (const column of parquet.columns) decoded.push(await decodeColumn(parquet, group, column, asyncBuffer(file, buffer)));
  return decoded;
}

function chunkRanges({ metadata, groups, columns }: ParquetFile, group: RowGroupRange): ByteRange[] {
  const chunks = metadata.row_groups[groups.indexOf(group)]?.columns ?? [];
  return chunks.flatMap(({ meta_data: facts }) => {
    if (facts === undefined || !columns.includes(facts.path_in_schema[0]!)) return [];
    // As hyparquet has it: the dictionary, where there is one, comes first.
    const from = Number(facts.dictionary_page_offset || facts.data_page_offset);
    return [{ from, to: from + Number(facts.total_compressed_size) }];
  });
}

async function decodeColumn(
  { path, metadata }: ParquetFile,
  { start, rows }: RowGroupRange,
  column: string,
  buffer: AsyncBuffer,
): Promise<PlainColumn> {
  const chunks: DecodedArray[] = [];
  const place = { column, row: start };
  try {
    await parquetRead({
      file: buffer,
      metadata,
      columns: [column],
      rowStart: start,
      rowEnd: start + rows,
      compressors,
      parsers,
      // Bytes that nobody calls text are handed out as bytes.
      utf8: false,
      onChunk: ({ columnData }) => void chunks.push(columnData),
    });
  } catch (error) {
    if (error instanceof SluiceError) throw error;
    throw inputCorrupt(path, `column ${column} cannot be decoded from row ${start} on: ${errorMessage(error)}`, place, error);
  }
  const plain = plainColumn(chunks, rows);
  if (plain !== undefined) return isDecimal(metadata, column) ? exactDecimals(plain) : plain;
  const found = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  throw inputCorrupt(path, `column ${column} has ${found} values from row ${start} on, and ${rows} rows`, place);
}

async function readMetadata(file: InputFile): Promise<FileMetaData> {
  const { path, bytes } = file;
  if (bytes < bytesMin) throw inputCorrupt(path, `is no Parquet file: it has ${bytes} bytes`);
  const end = Buffer.from(await readBytes(file, bytes - magic.length, bytes)).toString('latin1');
  if (end !== magic) throw inputCorrupt(path, `is no Parquet file, or not a whole one: it does not end with ${magic}`);
  try {
    return await parquetMetadataAsync(asyncBuffer(file, { slice: (from, to) => readBytes(file, from, to) }), { geoparquet: false });
  } catch (error) {
    if (error instanceof SluiceError) throw error;
    throw inputCorrupt(path, `its metadata cannot be read: ${errorMessage(error)}`, {}, error);
  }
}

function asyncBuffer(file: InputFile, bytes: { slice(from: number, to: number): Promise<ArrayBuffer> }): AsyncBuffer {
  const slice = (from: number, to = file.bytes): Promise<ArrayBuffer> => {
    const reading = bytes.slice(from, to);
    // hyparquet reads ahead, and what it then no longer waits for would end the process where it fails.
    reading.catch(() => undefined);
    return reading;
  };
  return { byteLength: file.bytes, slice };
}

async function readBytes(file: InputFile, from: number, to: number): Promise<ArrayBuffer> {
  checkRange(file, from, to);
  return (await file.slice(from, to)).buffer;
}

function checkRange({ path, bytes }: InputFile, from: number, to: number): void {
  if (from >= 0 && from <= to && to <= bytes) return;
  throw inputCorrupt(path, `names bytes ${from} to ${to}, and has ${bytes}`, { byte: from });
}
