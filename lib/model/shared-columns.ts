/** Packed columns that need not be made: those whose content is known without reading them. See column-codec.ts for the format's rules. */
import { limits } from '../base/limits.ts';
import type { ByteReader, ByteWriter } from './byte-buffer.ts';
import { writeColumn } from './column-codec.ts';
import { columnKinds } from './column-kinds.ts';
import { skipStrings } from './typed-columns.ts';
import { encodeValue } from './value-json.ts';

/** The same bytes as `writeColumn` for `count` times one primitive. */
export function writeSharedColumn(writer: ByteWriter, value: string | number, count: number): void {
  if (count < 2 || count > limits.constantValuesMax) return writeColumn(writer, new Array<unknown>(count).fill(value));
  writer.byte(columnKinds.constant);
  writer.text(encodeValue(value));
}

/** Passes over a column that repeats just this primitive; else does nothing and returns false. */
export function skipSharedColumn(reader: ByteReader, value: string | number): boolean {
  if (reader.peek() !== columnKinds.constant) return false;
  const text = Buffer.from(encodeValue(value), 'utf8');
  const at = reader.position + 1;
  const { bytes } = reader;
  if (bytes.length < at + 4 + text.length || bytes.readUInt32LE(at) !== text.length) return false;
  if (!text.equals(bytes.subarray(at + 4, at + 4 + text.length))) return false;
  reader.take(1 + 4 + text.length);
  return true;
}

/** Passes over a column if it is one of strings, where its length is easy to tell; else does nothing and returns false. */
export function skipStringColumn(reader: ByteReader, count: number): boolean {
  if (reader.peek() !== columnKinds.strings) return false;
  reader.byte();
  skipStrings(reader, count);
  return true;
}
