/**
 * Values packed column by column: field names once, each field's values together in the narrowest form that keeps them exactly.
 *
 * Owns: the column format (version 1, docs/formats/columns.md). Does not own: what a batch is (envelope-codec), which values are allowed (value-json).
 * C1. decode(encode(values)) equals values exactly, key order included; what no typed form holds exactly goes through value-json, which refuses by name.
 * C2. Every read is bounds-checked; damaged bytes give `SLUICE-DATA-CORRUPT`, never a wrong value of another length.
 */
import { errorMessage } from '../base/errors.ts';
import { limits } from '../base/limits.ts';
import { type ByteReader, type ByteWriter, corrupt } from './byte-buffer.ts';
import { columnKinds as kinds } from './column-kinds.ts';
import { decodeValue, encodeValue, within } from './value-json.ts';
import { buildRows, gatherColumns } from './row-shape.ts';
import { readIntegers, readStrings, writeIntegers, writeStrings } from './typed-columns.ts';

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

/** The same for values that are known to be as JSON.parse makes them. */
export function writePlainColumn(writer: ByteWriter, values: readonly unknown[]): void {
  if (values.length > 1 && writeStruct(writer, values, 0, true)) return;
  writeColumn(writer, values);
}

/** @throws SluiceError `SLUICE-DATA-CORRUPT`, whatever the bytes are and whatever `count` was read somewhere */
export function readColumn(reader: ByteReader, count: number, depth = 0): unknown[] {
  if (!Number.isInteger(count) || count < 0) throw corrupt('a packed column', `a count of ${String(count)}`);
  if (depth > columnDepthMax) throw corrupt('a packed column', `columns nested deeper than ${columnDepthMax}`);
  const kind = reader.byte();
  switch (kind) {
    case kinds.constant:
      return readConstant(reader, count);
    case kinds.integers:
      return readIntegers(reader, count);
    case kinds.floats:
      return readFloats(reader, count);
    case kinds.booleans:
      return readBooleans(reader, count);
    case kinds.strings:
      return readStrings(reader, count);
    case kinds.struct:
      return readStruct(reader, count, depth);
    case kinds.optional:
      return readOptional(reader, count, depth);
    case kinds.list:
      return readList(reader, count, depth);
    case kinds.json:
      return readJson(reader, count);
    default:
      throw corrupt('a packed column', `unknown column kind ${kind}`);
  }
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
  if ((typeof first === 'object' && first !== null) || values.length > limits.constantValuesMax) return false;
  for (let i = 1; i < values.length; i++) if (!Object.is(values[i], first)) return false;
  const text = encodeValue(first);
  writer.byte(kinds.constant);
  writer.text(text);
  return true;
}

function readConstant(reader: ByteReader, count: number): unknown[] {
  if (count > limits.constantValuesMax) throw corrupt('a packed column', `one value ${count} times`);
  const value = stored(reader.text());
  if (typeof value === 'object' && value !== null) throw corrupt('a packed column', 'a repeated object');
  return new Array<unknown>(count).fill(value);
}

/** Damage inside a value is damage of the column. */
function stored(text: string): unknown {
  try {
    return decodeValue(text);
  } catch (error) {
    throw corrupt('a packed column', errorMessage(error));
  }
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

function writeStruct(writer: ByteWriter, values: readonly unknown[], depth: number, arePlain = false): boolean {
  const gathered = gatherColumns(values, arePlain);
  if (gathered === undefined) return false;
  writer.byte(kinds.struct);
  writer.text(JSON.stringify(gathered.names));
  gathered.columns.forEach((column, i) => within(`.${gathered.names[i]}`, () => writeColumn(writer, column, depth + 1)));
  return true;
}

function readStruct(reader: ByteReader, count: number, depth: number): unknown[] {
  const names = reader.json();
  // Without a field there would be rows without a byte.
  if (!Array.isArray(names) || names.length === 0 || !names.every((name) => typeof name === 'string')) {
    throw corrupt('a packed struct column', 'its field names are none');
  }
  const columns: unknown[][] = [];
  for (let i = 0; i < names.length; i++) columns.push(readColumn(reader, count, depth + 1));
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

function readOptional(reader: ByteReader, count: number, depth: number): unknown[] {
  const at = reader.take(count);
  const mask = reader.bytes.subarray(at, at + count);
  let presentCount = 0;
  for (let i = 0; i < count; i++) if (mask[i] === 0) presentCount++;
  const present = readColumn(reader, presentCount, depth + 1);
  const out = new Array<unknown>(count);
  let next = 0;
  for (let i = 0; i < count; i++) out[i] = mask[i] === 0 ? present[next++] : mask[i] === 1 ? null : undefined;
  return out;
}

function writeList(writer: ByteWriter, values: readonly unknown[], depth: number): boolean {
  const lengths: number[] = [];
  const flat: unknown[] = [];
  for (const value of values) {
    if (!isPlainArray(value)) return false;
    lengths.push(value.length);
    for (const item of value) flat.push(item);
  }
  writer.byte(kinds.list);
  writeColumn(writer, lengths, depth + 1);
  writer.uint32(flat.length);
  within('[]', () => writeColumn(writer, flat, depth + 1));
  return true;
}

/** Without holes, other properties, or a class of its own: the rest is for value-json to refuse by name. */
function isPlainArray(value: unknown): value is unknown[] {
  return (
    Array.isArray(value) &&
    Object.getPrototypeOf(value) === Array.prototype &&
    Object.keys(value).length === value.length &&
    Object.getOwnPropertySymbols(value).length === 0
  );
}

function readList(reader: ByteReader, count: number, depth: number): unknown[][] {
  const lengths = readColumn(reader, count, depth + 1) as number[];
  const flat = readColumn(reader, reader.uint32(), depth + 1);
  const out: unknown[][] = [];
  let at = 0;
  for (const length of lengths) {
    if (!Number.isInteger(length) || length < 0) throw corrupt('a packed list column', 'a length that is none');
    out.push(flat.slice(at, at + length));
    at += length;
  }
  if (at !== flat.length) throw corrupt('a packed list column', 'lengths and items disagree');
  return out;
}

function readJson(reader: ByteReader, count: number): unknown[] {
  const values = stored(reader.text());
  if (!Array.isArray(values) || values.length !== count) throw corrupt('a packed column', 'its length is not the batch length');
  return values;
}
