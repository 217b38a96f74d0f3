/**
 * Keyed-state changes as bytes: what a segment and a delta object hold (docs/formats/delta.md). Rows of one operator and state form a table, packed by
 * columns, because thousands of rows share a shape. A segment has one block of tables, a delta object one or more. Order is kept; a later
 * row of the same address overrides an earlier one, and inside a block there is none.
 */
import type { OperatorUid } from '../base/ids.ts';
import { ByteReader, ByteWriter, corrupt } from '../model/byte-buffer.ts';
import { readColumn, writeColumn } from '../model/column-codec.ts';
import type { RowTable, TableKeys } from '../model/row-table.ts';
import { skipSharedColumn, skipStringColumn, writeSharedColumn } from '../model/shared-columns.ts';

const formatVersion = 1;
/** Several blocks: their number, that of the first in the epoch, then each in format 1. */
const blocksVersion = 2;

export function encodeDeltaTables(tables: readonly RowTable[]): Uint8Array {
  const filled = tables.filter((table) => table.keys.length > 0);
  const writer = new ByteWriter(256 + filled.reduce((sum, table) => sum + table.keys.length * 32, 0));
  writer.byte(formatVersion);
  writer.uint32(filled.length);
  for (const table of filled) {
    writer.text(table.operator);
    writer.text(table.state);
    const count = table.keys.length;
    writer.uint32(count);
    writeColumn(writer, table.keys);
    writeColumn(writer, table.keyGroups);
    if (table.namespaces === null) writeSharedColumn(writer, '', count);
    else writeColumn(writer, table.namespaces);
    writeColumn(writer, table.values);
    if (table.deleted === null) writeSharedColumn(writer, 0, count);
    else writeColumn(writer, table.deleted);
  }
  return writer.finish();
}

/** Blocks that were encoded before, as one delta object. `first` is the number of the first among the epoch's. */
export function joinDeltaBlocks(blocks: readonly Uint8Array[], first: number): Uint8Array {
  if (blocks.length === 1 && first === 0) return blocks[0]!;
  const head = new ByteWriter(16);
  head.byte(blocksVersion);
  head.uint32(blocks.length);
  head.uint32(first);
  return Buffer.concat([head.finish(), ...blocks]);
}

export function decodeDeltaTables(bytes: Uint8Array, what: string): RowTable[] {
  return decodeDeltaBlocks(bytes, what).flatMap(({ tables }) => tables);
}

export interface DeltaBlock {
  /** Its number among the epoch's blocks. */
  readonly number: number;
  readonly tables: readonly RowTable[];
}

/** With `known` keys, as whoever wrote it kept them, the texts are not made again. */
export function decodeDeltaBlocks(bytes: Uint8Array, what: string, known?: readonly TableKeys[]): DeltaBlock[] {
  const reader = new ByteReader(bytes, what);
  let count = 1;
  let number = 0;
  if (bytes[0] === blocksVersion) {
    reader.byte();
    count = reader.uint32();
    number = reader.uint32();
  }
  const blocks: DeltaBlock[] = [];
  for (let i = 0; i < count; i++) blocks.push({ number: number + i, tables: decodeBlock(reader, what, known?.[i]) });
  if (reader.remaining !== 0) throw corrupt(what, `${reader.remaining} bytes too many`);
  return blocks;
}

function decodeBlock(reader: ByteReader, what: string, known?: TableKeys): RowTable[] {
  const version = reader.byte();
  if (version !== formatVersion) throw corrupt(what, `its format is ${version}, this version reads ${formatVersion}`);
  const tables: RowTable[] = [];
  for (let left = reader.uint32(); left > 0; left--) {
    const knownKeys = known?.[tables.length];
    const operator = reader.text() as OperatorUid;
    const state = reader.text();
    const count = reader.uint32();
    tables.push({
      operator,
      state,
      keys: knownKeys?.length === count && skipStringColumn(reader, count) ? knownKeys : columnOf(reader, count, isText, what),
      keyGroups: columnOf(reader, count, isCount, what),
      namespaces: skipSharedColumn(reader, '') ? null : columnOf(reader, count, isText, what),
      values: readColumn(reader, count),
      deleted: skipSharedColumn(reader, 0) ? null : columnOf(reader, count, isCount, what),
    });
  }
  return tables;
}

/** Addresses decide which state a row belongs to: damage is named here, and not met as a wrong key later. */
function columnOf<T>(reader: ByteReader, count: number, isOne: (value: unknown) => value is T, what: string): T[] {
  const values = readColumn(reader, count);
  if (!values.every(isOne)) throw corrupt(what, 'an address of another kind');
  return values;
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
