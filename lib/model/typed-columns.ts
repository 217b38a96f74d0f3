/** Columns of integers and strings: the two forms that most data takes. See column-codec.ts for the format's rules. */
import { corrupt, type ByteReader, type ByteWriter } from './byte-buffer.ts';

/** An integer column is `base + unsigned offset`, offsets of 1, 2 or 4 bytes; wider spans are floats, which hold every safe integer. */
export function writeIntegers(writer: ByteWriter, values: readonly unknown[], kind: number): boolean {
  let min = Infinity;
  let max = -Infinity;
  const count = values.length;
  for (let i = 0; i < count; i++) {
    const value = values[i] as number;
    // `Number.isInteger` is false for everything that is no number; -0 would come back as 0.
    if (!Number.isInteger(value) || (value === 0 && 1 / value < 0)) return false;
    if (value < min) min = value;
    if (value > max) max = value;
  }
  const span = max - min;
  if (!(span <= 0xffff_ffff) || !Number.isSafeInteger(min) || !Number.isSafeInteger(max)) return false;
  const width = span <= 0xff ? 1 : span <= 0xffff ? 2 : 4;
  writer.byte(kind);
  writer.byte(width);
  writer.float64(min);
  const at = writer.reserve(count * width);
  writeOffsets(writer.bytes, at, values as readonly number[], min, width);
  return true;
}

function writeOffsets(bytes: Buffer, at: number, values: readonly number[], base: number, width: number): void {
  const count = values.length;
  if (width === 1) {
    for (let i = 0; i < count; i++) bytes[at + i] = values[i]! - base;
  } else if (width === 2) {
    for (let i = 0, p = at; i < count; i++, p += 2) {
      const offset = values[i]! - base;
      bytes[p] = offset;
      bytes[p + 1] = offset >>> 8;
    }
  } else {
    for (let i = 0, p = at; i < count; i++, p += 4) {
      const offset = values[i]! - base;
      bytes[p] = offset;
      bytes[p + 1] = offset >>> 8;
      bytes[p + 2] = offset >>> 16;
      bytes[p + 3] = offset >>> 24;
    }
  }
}

export function readIntegers(reader: ByteReader, count: number): number[] {
  const width = reader.byte();
  const base = reader.float64();
  if (width !== 1 && width !== 2 && width !== 4) throw corrupt('a packed integer column', `offset width ${width}`);
  const at = reader.take(count * width);
  const { bytes } = reader;
  const out = new Array<number>(count);
  if (width === 1) {
    for (let i = 0; i < count; i++) out[i] = base + bytes[at + i]!;
  } else if (width === 2) {
    for (let i = 0, p = at; i < count; i++, p += 2) out[i] = base + (bytes[p]! | (bytes[p + 1]! << 8));
  } else {
    for (let i = 0, p = at; i < count; i++, p += 4) {
      out[i] = base + ((bytes[p]! | (bytes[p + 1]! << 8) | (bytes[p + 2]! << 16) | (bytes[p + 3]! << 24)) >>> 0);
    }
  }
  return out;
}

const forms = { dictionary8: 0, dictionary16: 1, ascii: 2, json: 3 } as const;

const sampledStrings = 512;
const distinctShareMax = 0.75;

/** Few distinct strings go through a dictionary, many as one text with lengths; what is not ASCII goes as JSON, which keeps lone surrogates. */
export function writeStrings(writer: ByteWriter, values: readonly unknown[], kind: number): boolean {
  const count = values.length;
  const ids = new Uint16Array(count);
  const dictionary = new Map<string, number>();
  const dictionaryMax = Math.min(0xffff, count >>> 1);
  for (let i = 0; i < count; i++) {
    const value = values[i];
    if (typeof value !== 'string') return false;
    let id = dictionary.get(value);
    if (id === undefined) {
      id = dictionary.size;
      // Decided early where nearly all differ, as keys do: every distinct string costs an insertion.
      if (id >= dictionaryMax || (i >= sampledStrings && id > i * distinctShareMax)) return writePlainStrings(writer, values, kind);
      dictionary.set(value, id);
    }
    ids[i] = id;
  }
  writer.byte(kind);
  writer.byte(dictionary.size <= 0x100 ? forms.dictionary8 : forms.dictionary16);
  writer.text(JSON.stringify([...dictionary.keys()]));
  if (dictionary.size <= 0x100) {
    const at = writer.reserve(count);
    const { bytes } = writer;
    for (let i = 0; i < count; i++) bytes[at + i] = ids[i]!;
  } else {
    writer.raw(new Uint8Array(ids.buffer));
  }
  return true;
}

function writePlainStrings(writer: ByteWriter, values: readonly unknown[], kind: number): boolean {
  for (const value of values) if (typeof value !== 'string') return false;
  const strings = values as readonly string[];
  const text = strings.join('');
  writer.byte(kind);
  if (/^[\u0000-\u007f]*$/.test(text)) {
    writer.byte(forms.ascii);
    const lengths = new Uint32Array(strings.length);
    for (let i = 0; i < strings.length; i++) lengths[i] = strings[i]!.length;
    writer.raw(new Uint8Array(lengths.buffer));
    writer.text(text);
  } else {
    writer.byte(forms.json);
    writer.text(JSON.stringify(strings));
  }
  return true;
}

export function readStrings(reader: ByteReader, count: number): string[] {
  const form = reader.byte();
  switch (form) {
    case forms.dictionary8:
    case forms.dictionary16:
      return readDictionary(reader, count, form === forms.dictionary8 ? 1 : 2);
    case forms.ascii:
      return readAscii(reader, count);
    case forms.json:
      return readJsonStrings(reader, count);
    default:
      throw corrupt('a packed string column', `unknown form ${form}`);
  }
}

/** Only lengths are looked at. */
export function skipStrings(reader: ByteReader, count: number): void {
  const form = reader.byte();
  if (form === forms.ascii) reader.take(count * 4);
  reader.take(reader.uint32());
  if (form === forms.dictionary8) reader.take(count);
  if (form === forms.dictionary16) reader.take(count * 2);
}

function readJsonStrings(reader: ByteReader, count: number): string[] {
  const strings = stringsOf(reader.json());
  if (strings.length !== count) throw corrupt('a packed string column', `${strings.length} strings for ${count} values`);
  return strings;
}

function stringsOf(value: unknown): string[] {
  if (!Array.isArray(value) || !value.every((item) => typeof item === 'string')) {
    throw corrupt('a packed string column', 'something else than strings');
  }
  return value;
}

function readDictionary(reader: ByteReader, count: number, width: 1 | 2): string[] {
  const dictionary = stringsOf(reader.json());
  const at = reader.take(count * width);
  const { bytes } = reader;
  const out = new Array<string>(count);
  for (let i = 0; i < count; i++) {
    const id = width === 1 ? bytes[at + i]! : bytes[at + 2 * i]! | (bytes[at + 2 * i + 1]! << 8);
    if (id >= dictionary.length) throw corrupt('a packed string column', `entry ${id} of a dictionary of ${dictionary.length}`);
    out[i] = dictionary[id]!;
  }
  return out;
}

/** V8 copies substrings shorter than this; a longer one would keep the whole text alive for as long as the string lives in state. */
const copiedSubstringMax = 12;

function readAscii(reader: ByteReader, count: number): string[] {
  const lengths = new Uint32Array(reader.copy(count * 4));
  const size = reader.uint32();
  const textAt = reader.take(size);
  const text = reader.bytes.toString('latin1', textAt, textAt + size);
  const out = new Array<string>(count);
  let at = 0;
  for (let i = 0; i < count; i++) {
    const end = at + lengths[i]!;
    // At once, not at the end: a wrong length repeated would copy the text many times before.
    if (end > size) throw corrupt('a packed string column', 'lengths and text disagree');
    out[i] = end - at <= copiedSubstringMax ? text.substring(at, end) : reader.bytes.toString('latin1', textAt + at, textAt + end);
    at = end;
  }
  if (at !== size) throw corrupt('a packed string column', 'lengths and text disagree');
  return out;
}
