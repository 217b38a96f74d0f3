/** The records of an envelope as bytes: timestamps and values by columns, compressed when that makes them smaller. */
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { limits } from '../base/limits.ts';
import { ByteReader, ByteWriter, corrupt } from './byte-buffer.ts';
import { readColumn, writeColumn, writePlainColumn } from './column-codec.ts';

/** Made before its header is known: sequence and segment are given at the commit. */
export interface PackedRecords {
  readonly payload: Uint8Array;
  readonly compressed: boolean;
}

export interface PackingOptions {
  readonly compressAbove: number;
  /** The values are as JSON.parse makes them. */
  readonly arePlain?: boolean;
}

/** Compression pays when a message costs by its size; below `compressAbove` bytes it is not tried. */
export function packRecords(
  values: readonly unknown[],
  timestamps: readonly number[],
  { compressAbove, arePlain }: PackingOptions,
): PackedRecords {
  const writer = new ByteWriter(values.length * 24 + 64);
  writeColumn(writer, timestamps);
  if (arePlain === true) writePlainColumn(writer, values);
  else writeColumn(writer, values);
  const plain = writer.finish();
  if (plain.length <= compressAbove || plain.length > limits.unpackedBytesMax) return { payload: plain, compressed: false };
  const packed = zstdCompressSync(plain);
  return packed.length < plain.length ? { payload: packed, compressed: true } : { payload: plain, compressed: false };
}

export interface UnpackedRecords {
  readonly values: readonly unknown[];
  readonly timestamps: readonly number[];
}

/** @throws SluiceError `SLUICE-DATA-CORRUPT` */
export function unpackRecords({ payload, compressed }: PackedRecords, count: number, what: string): UnpackedRecords {
  if (count === 0 && payload.length === 0) return { values: [], timestamps: [] };
  const reader = new ByteReader(compressed ? decompress(payload, what) : payload, what);
  const timestamps = readColumn(reader, count) as number[];
  const values = readColumn(reader, count);
  if (reader.remaining !== 0) throw corrupt(what, `${reader.remaining} bytes too many`);
  return { values, timestamps };
}

function decompress(payload: Uint8Array, what: string): Uint8Array {
  try {
    return zstdDecompressSync(payload, { maxOutputLength: limits.unpackedBytesMax });
  } catch (error) {
    throw corrupt(what, `its records do not decompress (${String(error)})`);
  }
}
