/** A column as bytes of its own, with its count. */
import { ByteReader, ByteWriter, corrupt } from './byte-buffer.ts';
import { readColumn, writeColumn } from './column-codec.ts';

export function encodeColumn(values: readonly unknown[]): Uint8Array {
  const writer = new ByteWriter(values.length * 16 + 64);
  writer.uint32(values.length);
  writeColumn(writer, values);
  return writer.finish();
}

export function decodeColumn(bytes: Uint8Array, what: string): unknown[] {
  const reader = new ByteReader(bytes, what);
  const values = readColumn(reader, reader.uint32());
  if (reader.remaining !== 0) throw corrupt(what, `${reader.remaining} bytes too many`);
  return values;
}
