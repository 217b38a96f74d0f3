/**
 * Values packed column by column: field names once, each field's values together in the narrowest form that keeps them exactly.
 *
 * Owns: the column format (version 1, docs/formats/columns.md). Does not own: what a batch is (envelope-codec), which values are allowed (value-json).
 * C1. decode(encode(values)) equals values exactly, key order included; what no typed form holds exactly goes through value-json, which refuses by name.
 * C2. Every read is bounds-checked; damaged bytes give `SLUICE-DATA-CORRUPT`, never a wrong value of another length.
 */
import { ByteReader, ByteWriter, corrupt } from './byte-buffer.ts';
import { decodeValue, encodeValue } from './value-json.ts';
import { buildRows, gatherColumns } from './row-shape.ts';
import { readIntegers, readStrings, writeIntegers, writeStrings } from './typed-columns.ts';

const kinds = { constant: 0, integers: 1, floats: 2, booleans: 3, strings: 4, struct: 5, optional: 6, list: 7, json: 8 } as const;

/** Structs and lists nested deeper than this go as JSON, where cycles and extreme nesting are refused by name. */
const columnDepthMax = 8;

/** Appends `values` as one column. The number of values is the caller's to keep. A form either writes all of the column or nothing. */
export function writeColumn(writer: ByteWriter, values: readonly unknown[], depth = 0): void {
  const count = values.length;
  if (count > 1 && writeConstant(writer, values)) return;
  let sample: unknown = values[0];
  for (let i = 1; i < count && (sample === null || sample === undefined); i++) sample = values[i];
  if (depth < columnDepthMax && (writeTyped(writer, values, sample, depth) || writeOptional(writer, values, depth))) return;
  writer.byte(kinds.json);
  writer.text(`[${values.map(encodeValue).join(',')}]`);
}

export function readColumn(reader: ByteReader, count: number): unknown[] {
  const kind = reader.byte();
  switch (kind) {
    case kinds.constant:
      return new Array<unknown>(count).fill(decodeValue(reader.text()));
    case kinds.integers:
      return readIntegers(reader, count);
    case kinds.floats:
      return readFloats(reader, count);
    case kinds.booleans:
      return readBooleans(reader, count);
    case kinds.strings:
      return readStrings(reader, count);
    case kinds.struct:
      return readStruct(reader, count);
    case kinds.optional:
      return readOptional(reader, count);
    case kinds.list:
      return readList(reader, count);
    case kinds.json:
      return readJson(reader, count);
    default:
      throw corrupt('a packed column', `unknown column kind ${kind}`);
  }
}

/** A column as bytes of its own, with its count. */
export function encodeColumn(values: readonly unknown[]): Uint8Array {
  const writer = new ByteWriter(values.length * 16 + 64);
  writer.uint32(values.length);
  writeColumn(writer, values);
  return writer.finish();
}

export function decodeColumn(bytes: Uint8Array, what: string): unknown[] {
  const reader = new ByteReader(bytes, what);
  return readColumn(reader, reader.uint32());
}

function writeTyped(writer: ByteWriter, values: readonly unknown[], sample: unknown, depth: number): boolean {
  switch (typeof sample) {
    case 'number':
      return writeIntegers(writer, values, kinds.integers) || writeFloats(writer, values);
    case 'string':
      return writeStrings(writer, values, kinds.strings);
    case 'boolean':
      return writeBooleans(writer, values);
    case 'object':
      if (sample === null) return false;
      return Array.isArray(sample) ? writeList(writer, values, depth) : writeStruct(writer, values, depth);
    default:
      return false;
  }
}

/** Only primitives: an object that came twice must not come back as one object shared by all rows. */
function writeConstant(writer: ByteWriter, values: readonly unknown[]): boolean {
  const first = values[0];
  if (typeof first === 'object' && first !== null) return false;
  for (let i = 1; i < values.length; i++) if (!Object.is(values[i], first)) return false;
  const text = encodeValue(first);
  writer.byte(kinds.constant);
  writer.text(text);
  return true;
}

function writeFloats(writer: ByteWriter, values: readonly unknown[]): boolean {
  const floats = new Float64Array(values.length);
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (typeof value !== 'number') return false;
    floats[i] = value;
  }
  writer.byte(kinds.floats);
  writer.raw(new Uint8Array(floats.buffer));
  return true;
}

function readFloats(reader: ByteReader, count: number): number[] {
  const floats = new Float64Array(reader.copy(count * 8));
  return Array.from(floats);
}

function writeBooleans(writer: ByteWriter, values: readonly unknown[]): boolean {
  for (const value of values) if (typeof value !== 'boolean') return false;
  writer.byte(kinds.booleans);
  const at = writer.reserve(values.length);
  for (let i = 0; i < values.length; i++) writer.bytes[at + i] = values[i] === true ? 1 : 0;
  return true;
}

function readBooleans(reader: ByteReader, count: number): boolean[] {
  const at = reader.take(count);
  const out = new Array<boolean>(count);
  for (let i = 0; i < count; i++) out[i] = reader.bytes[at + i] === 1;
  return out;
}

function writeStruct(writer: ByteWriter, values: readonly unknown[], depth: number): boolean {
  const gathered = gatherColumns(values);
  if (gathered === undefined) return false;
  writer.byte(kinds.struct);
  writer.text(JSON.stringify(gathered.names));
  for (const column of gathered.columns) writeColumn(writer, column, depth + 1);
  return true;
}

function readStruct(reader: ByteReader, count: number): unknown[] {
  const names = JSON.parse(reader.text()) as string[];
  const columns: unknown[][] = [];
  for (let i = 0; i < names.length; i++) columns.push(readColumn(reader, count));
  return buildRows(names, columns, count);
}

/** 0 = present, 1 = null, 2 = undefined; the present ones follow as a column of their own. */
function writeOptional(writer: ByteWriter, values: readonly unknown[], depth: number): boolean {
  const present: unknown[] = [];
  for (const value of values) if (value !== null && value !== undefined) present.push(value);
  if (present.length === values.length || present.length === 0) return false;
  writer.byte(kinds.optional);
  const at = writer.reserve(values.length);
  for (let i = 0; i < values.length; i++) writer.bytes[at + i] = values[i] === null ? 1 : values[i] === undefined ? 2 : 0;
  writeColumn(writer, present, depth + 1);
  return true;
}

function readOptional(reader: ByteReader, count: number): unknown[] {
  const at = reader.take(count);
  const mask = reader.bytes.subarray(at, at + count);
  let presentCount = 0;
  for (let i = 0; i < count; i++) if (mask[i] === 0) presentCount++;
  const present = readColumn(reader, presentCount);
  const out = new Array<unknown>(count);
  let next = 0;
  for (let i = 0; i < count; i++) out[i] = mask[i] === 0 ? present[next++] : mask[i] === 1 ? null : undefined;
  return out;
}

function writeList(writer: ByteWriter, values: readonly unknown[], depth: number): boolean {
  const lengths: number[] = [];
  const flat: unknown[] = [];
  for (const value of values) {
    if (!Array.isArray(value) || Object.keys(value).length !== value.length) return false;
    lengths.push(value.length);
    for (const item of value) flat.push(item);
  }
  writer.byte(kinds.list);
  writeColumn(writer, lengths, depth + 1);
  writer.uint32(flat.length);
  writeColumn(writer, flat, depth + 1);
  return true;
}

function readList(reader: ByteReader, count: number): unknown[][] {
  const lengths = readColumn(reader, count) as number[];
  const flat = readColumn(reader, reader.uint32());
  const out: unknown[][] = [];
  let at = 0;
  for (const length of lengths) {
    out.push(flat.slice(at, at + length));
    at += length;
  }
  if (at !== flat.length) throw corrupt('a packed list column', 'lengths and items disagree');
  return out;
}

function readJson(reader: ByteReader, count: number): unknown[] {
  const values = decodeValue(reader.text()) as unknown[];
  if (!Array.isArray(values) || values.length !== count) throw corrupt('a packed column', 'its length is not the batch length');
  return values;
}
