/** Writes small Parquet files for tests: flat columns, PLAIN encoding, one page a column and row group. */
import { gzipSync, zstdCompressSync } from 'node:zlib';

const physicalTypes = { BOOLEAN: 0, INT32: 1, INT64: 2, DOUBLE: 5, BYTE_ARRAY: 6 } as const;
const convertedTypes = {
  UTF8: 0,
  ENUM: 4,
  DECIMAL: 5,
  DATE: 6,
  TIMESTAMP_MILLIS: 9,
  TIMESTAMP_MICROS: 10,
  UINT_64: 14,
  JSON: 19,
  BSON: 20,
} as const;
const logicalTypes = { ENUM: 4, DECIMAL: 5, DATE: 6, JSON: 12, BSON: 13 } as const;
const units = { MILLIS: 1, MICROS: 2, NANOS: 3 } as const;
const codecs = { UNCOMPRESSED: 0, GZIP: 2, LZO: 3, ZSTD: 6 } as const;

export type ParquetValue = number | bigint | boolean | string | Uint8Array | null;

export interface ParquetColumn {
  readonly name: string;
  readonly type: keyof typeof physicalTypes;
  readonly converted?: keyof typeof convertedTypes;
  /** An annotation of the newer kind. */
  readonly logical?: keyof typeof logicalTypes;
  /** Of decimals, which have two digits after the point. */
  readonly precision?: number;
  /** A logical timestamp of this unit. */
  readonly timestamp?: keyof typeof units;
  /** As many as there are rows; where one is null the column is optional. */
  readonly values: readonly ParquetValue[];
}

export interface ParquetOptions {
  readonly rowsPerGroup?: number;
  readonly codec?: keyof typeof codecs;
  /** What the metadata say instead of the truth. */
  readonly says?: { readonly rows?: number; readonly groupRows?: number };
}

export function writeParquet(
  columns: readonly ParquetColumn[],
  { rowsPerGroup = Infinity, codec = 'UNCOMPRESSED', says = {} }: ParquetOptions = {},
): Buffer {
  const rows = columns[0]!.values.length;
  const parts: Buffer[] = [Buffer.from('PAR1')];
  let offset = 4;
  const groups: Buffer[] = [];
  for (let start = 0; start < rows; start += rowsPerGroup) {
    const end = Math.min(start + rowsPerGroup, rows);
    const chunks = columns.map((column) => {
      const page = pageOf(column, column.values.slice(start, end), codec);
      const chunk = chunkOf(column, { offset, bytes: page.length, values: end - start, codec });
      parts.push(page);
      offset += page.length;
      return chunk;
    });
    groups.push(struct([1, list('struct', chunks)], [2, i64(0)], [3, i64(says.groupRows ?? end - start)]));
  }
  const schema = [struct([4, text('root')], [5, i32(columns.length)]), ...columns.map(elementOf)];
  const footer = struct([1, i32(1)], [2, list('struct', schema)], [3, i64(says.rows ?? rows)], [4, list('struct', groups)]);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(footer.length);
  return Buffer.concat([...parts, footer, length, Buffer.from('PAR1')]);
}

const isOptional = ({ values }: ParquetColumn): boolean => values.includes(null);

function elementOf(column: ParquetColumn): Buffer {
  const { name, type, converted, timestamp, logical, precision = 0 } = column;
  const facts = logical === 'DECIMAL' ? nested([1, i32(2)], [2, i32(precision)]) : nested();
  return struct(
    [1, i32(physicalTypes[type])],
    [3, i32(isOptional(column) ? 1 : 0)],
    [4, text(name)],
    ...(converted === undefined ? [] : [[6, i32(convertedTypes[converted])] as const]),
    ...(converted === 'DECIMAL' ? [[7, i32(2)] as const, [8, i32(precision)] as const] : []),
    ...(logical === undefined ? [] : [[10, nested([logicalTypes[logical], facts])] as const]),
    ...(timestamp === undefined ? [] : [[10, nested([8, nested([1, truth], [2, nested([units[timestamp], nested()])])])] as const]),
  );
}

interface Chunk {
  readonly offset: number;
  readonly bytes: number;
  readonly values: number;
  readonly codec: keyof typeof codecs;
}

function chunkOf({ name, type }: ParquetColumn, { offset, bytes, values, codec }: Chunk): Buffer {
  const facts = nested(
    [1, i32(physicalTypes[type])],
    [2, list('i32', [zigzag(0)])],
    [3, list('binary', [sized(Buffer.from(name))])],
    [4, i32(codecs[codec])],
    [5, i64(values)],
    [6, i64(bytes)],
    [7, i64(bytes)],
    [9, i64(offset)],
  );
  return struct([2, i64(offset)], [3, facts]);
}

function pageOf(column: ParquetColumn, values: readonly ParquetValue[], codec: keyof typeof codecs): Buffer {
  const present = values.filter((value) => value !== null);
  const plain =
    column.type === 'BOOLEAN' ? bits(present.map(Boolean)) : Buffer.concat(present.map((value) => plainValue(column.type, value)));
  const content = isOptional(column) ? Buffer.concat([levels(values), plain]) : plain;
  const packed = codec === 'ZSTD' ? zstdCompressSync(content) : codec === 'GZIP' ? gzipSync(content) : content;
  const data = nested([1, i32(values.length)], [2, i32(0)], [3, i32(3)], [4, i32(3)]);
  return Buffer.concat([struct([1, i32(0)], [2, i32(content.length)], [3, i32(packed.length)], [5, data]), packed]);
}

function plainValue(type: ParquetColumn['type'], value: Exclude<ParquetValue, null>): Buffer {
  const bytes = Buffer.alloc(type === 'INT32' ? 4 : 8);
  if (type === 'INT32') bytes.writeInt32LE(Number(value));
  else if (type === 'INT64') bytes.writeBigInt64LE(BigInt.asIntN(64, BigInt(value as number)));
  else if (type === 'DOUBLE') bytes.writeDoubleLE(Number(value));
  else {
    const content = Buffer.from(value as string);
    bytes.writeUInt32LE(content.length);
    return Buffer.concat([bytes.subarray(0, 4), content]);
  }
  return bytes;
}

/** Definition levels as one bit-packed run. */
function levels(values: readonly ParquetValue[]): Buffer {
  const run = Buffer.concat([varint(BigInt((Math.ceil(values.length / 8) << 1) | 1)), bits(values.map((value) => value !== null))]);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(run.length);
  return Buffer.concat([length, run]);
}

function bits(flags: readonly boolean[]): Buffer {
  const bytes = Buffer.alloc(Math.ceil(flags.length / 8));
  for (const [i, flag] of flags.entries()) if (flag) bytes[i >> 3]! |= 1 << (i & 7);
  return bytes;
}

/** A value in Thrift's compact protocol with the number of its type. */
interface Thrift {
  readonly type: number;
  readonly bytes: Buffer;
}

const thriftTypes = { i32: 5, binary: 8, struct: 12 } as const;
const truth: Thrift = { type: 1, bytes: Buffer.alloc(0) };
const i32 = (value: number): Thrift => ({ type: 5, bytes: zigzag(value) });
const i64 = (value: number): Thrift => ({ type: 6, bytes: zigzag(value) });
const text = (value: string): Thrift => ({ type: 8, bytes: sized(Buffer.from(value)) });
const nested = (...fields: readonly (readonly [number, Thrift])[]): Thrift => ({ type: 12, bytes: struct(...fields) });

function list(type: keyof typeof thriftTypes, items: readonly Buffer[]): Thrift {
  const head = items.length < 15 ? [(items.length << 4) | thriftTypes[type]] : [0xf0 | thriftTypes[type], ...varint(BigInt(items.length))];
  return { type: 9, bytes: Buffer.concat([Buffer.from(head), ...items]) };
}

function struct(...fields: readonly (readonly [number, Thrift])[]): Buffer {
  let last = 0;
  const parts = fields.map(([id, { type, bytes }]) => {
    const head = Buffer.from([((id - last) << 4) | type]);
    last = id;
    return Buffer.concat([head, bytes]);
  });
  return Buffer.concat([...parts, Buffer.from([0])]);
}

function sized(content: Buffer): Buffer {
  return Buffer.concat([varint(BigInt(content.length)), content]);
}

function zigzag(value: number): Buffer {
  return varint(value < 0 ? BigInt(-value) * 2n - 1n : BigInt(value) * 2n);
}

function varint(value: bigint): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  bytes.push(Number(rest));
  return Buffer.from(bytes);
}
