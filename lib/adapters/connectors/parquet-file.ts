/**
 * One Parquet file: what it holds, and its row groups as columns of plain values.
 *
 * PF1. Nothing is read past what the file says it holds, and a row group that brings fewer or more rows than it says is refused.
 */
import { open, stat } from 'node:fs/promises';
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
import { inputCorrupt, inputError } from './input-file.ts';
import { annotateColumns, checkColumns, isDecimal, rowGroupRanges, type RowGroupRange } from './parquet-columns.ts';
import { exactDecimals, parsers, plainColumn, type PlainColumn } from './parquet-values.ts';

export interface ParquetFile {
  readonly path: string;
  readonly columns: readonly string[];
  readonly groups: readonly RowGroupRange[];
  readonly rows: number;
  readonly buffer: AsyncBuffer;
  readonly metadata: FileMetaData;
}

const magic = 'PAR1';
/** The magic twice, and the length of the metadata. */
const bytesMin = 12;

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
export async function openParquet(path: string, wanted: readonly string[] | undefined): Promise<ParquetFile> {
  const buffer = await bufferOf(path);
  const metadata = annotateColumns(await readMetadata(path, buffer));
  try {
    const columns = wanted === undefined ? parquetSchema(metadata).children.map(({ element }) => element.name) : [...new Set(wanted)];
    checkColumns(path, metadata, columns);
    const groups = rowGroupRanges(path, metadata);
    return { path, columns, groups, rows: Number(metadata.num_rows), buffer, metadata };
  } catch (error) {
    if (error instanceof SluiceError) throw error;
    throw inputCorrupt(path, `its metadata make no sense: ${errorMessage(error)}`, {}, error);
  }
}

/** Column after column: hyparquet's own arrays of one column are garbage before those of the next are made. */
export async function decodeGroup(file: ParquetFile, group: RowGroupRange): Promise<readonly PlainColumn[]> {
  const decoded: PlainColumn[] = [];
  for (const column of file.columns) decoded.push(await decodeColumn(file, group, column));
  return decoded;
}

async function decodeColumn({ path, buffer, metadata }: ParquetFile, { start, rows }: RowGroupRange, column: string): Promise<PlainColumn> {
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

async function readMetadata(path: string, buffer: AsyncBuffer): Promise<FileMetaData> {
  if (buffer.byteLength < bytesMin || (await textAt(buffer, 0)) !== magic) {
    throw inputCorrupt(path, `is no Parquet file: it does not begin with ${magic}`);
  }
  if ((await textAt(buffer, buffer.byteLength - magic.length)) !== magic) {
    throw inputCorrupt(path, `is no whole Parquet file: it does not end with ${magic}`);
  }
  try {
    return await parquetMetadataAsync(buffer, { geoparquet: false });
  } catch (error) {
    if (error instanceof SluiceError) throw error;
    throw inputCorrupt(path, `its metadata cannot be read: ${errorMessage(error)}`, {}, error);
  }
}

async function textAt(buffer: AsyncBuffer, start: number): Promise<string> {
  return Buffer.from(await buffer.slice(start, start + magic.length)).toString('latin1');
}

async function bufferOf(path: string): Promise<AsyncBuffer> {
  const byteLength = await stat(path).then(
    ({ size }) => size,
    (error: unknown) => {
      throw inputError(path, error);
    },
  );
  const slice = (start: number, end = byteLength): Promise<ArrayBuffer> => {
    const reading = readBytes(path, byteLength, start, end);
    // hyparquet reads ahead, and what it then no longer waits for would end the process where it fails.
    reading.catch(() => undefined);
    return reading;
  };
  return { byteLength, slice };
}

async function readBytes(path: string, byteLength: number, start: number, end: number): Promise<ArrayBuffer> {
  if (!(start >= 0 && start <= end && end <= byteLength)) {
    throw inputCorrupt(path, `names bytes ${start} to ${end}, and has ${byteLength}`, { byte: start });
  }
  const bytes = new Uint8Array(end - start);
  try {
    const file = await open(path, 'r');
    try {
      for (let at = 0; at < bytes.length;) {
        const { bytesRead } = await file.read(bytes, at, bytes.length - at, start + at);
        if (bytesRead === 0) throw inputCorrupt(path, `ends at byte ${start + at}, and had ${byteLength} before`, { byte: start + at });
        at += bytesRead;
      }
      return bytes.buffer;
    } finally {
      await file.close();
    }
  } catch (error) {
    throw inputError(path, error);
  }
}
