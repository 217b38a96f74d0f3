/**
 * Keyed state as lines: one JSON object per entry, compressed with zstd, readable with any tool that knows both.
 *
 * KF1. A key's text is canonical and its key group follows from it: a line that does not fit is refused, wherever it came from.
 * KF2. Values are text of value-json, embedded as JSON: what is read is what was stored, character for character.
 */
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { errorMessage, SluiceError } from '../base/errors.ts';
import { canonicalJson } from '../base/canonical-json.ts';
import { keyGroupOf } from '../model/key-group.ts';
import type { BaseRow } from '../ports/keyed-base.ts';
import type { KeyedFile } from './savepoint-metadata.ts';
import { parseJson } from '../base/parse-json.ts';

export const keyedCodec = 'ndjson+zstd';

/** A line of the file; `value` is value-json as JSON. */
interface Entry {
  readonly state: string;
  readonly keyGroup: number;
  readonly key: unknown;
  readonly namespace: string;
  readonly value: unknown;
}

/** Rows of one operator, in the order given. */
export function encodeKeyedRows(rows: readonly BaseRow[]): Uint8Array {
  return zstdCompressSync(Buffer.from(rows.map(lineOf).join(''), 'utf8'));
}

/** By hand, because key and value are JSON already. */
function lineOf({ state, keyGroup, key, namespace, value }: BaseRow): string {
  return `{"state":${JSON.stringify(state)},"keyGroup":${keyGroup},"key":${key},"namespace":${JSON.stringify(namespace)},"value":${value}}\n`;
}

/** @throws SluiceError `SLUICE-SAVEPOINT-CORRUPT` naming file and line */
export function decodeKeyedRows(file: KeyedFile, bytes: Uint8Array, maxParallelism: number): BaseRow[] {
  const lines = decompress(file, bytes).split('\n');
  if (lines.pop() !== '') throw corruptFile(file.path, 'its last line is cut off');
  if (lines.length !== file.rows) throw corruptFile(file.path, `it has ${lines.length} lines, not ${file.rows}`);
  return lines.map((line, index) => readLine(line, `line ${index + 1}`, file, maxParallelism));
}

export function corruptFile(path: string, why: string): SluiceError {
  return new SluiceError('SLUICE-SAVEPOINT-CORRUPT', `${path} is damaged: ${why}`, {
    hint: 'Use another savepoint, or another copy of this one.',
    facts: { file: path, why },
  });
}

function decompress({ path, codec }: KeyedFile, bytes: Uint8Array): string {
  if (codec !== keyedCodec) throw corruptFile(path, `its codec ${codec} is unknown`);
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(zstdDecompressSync(bytes));
  } catch (error) {
    throw corruptFile(path, `it does not decompress (${errorMessage(error)})`);
  }
}

function readLine(line: string, where: string, file: KeyedFile, maxParallelism: number): BaseRow {
  const { state, keyGroup, key, namespace, value } = parseLine(line, where, file);
  const text = canonicalJson(key);
  const { start, end } = file.keyGroups;
  const fits = keyGroup === keyGroupOf(text, maxParallelism) && keyGroup >= start && keyGroup <= end;
  if (!fits) throw corruptFile(file.path, `${where}: key ${text} does not belong to key group ${keyGroup}`);
  return { operator: file.operator, state, keyGroup, key: text, namespace, value: JSON.stringify(value) };
}

function parseLine(line: string, where: string, file: KeyedFile): Entry {
  let entry: Partial<Entry> | null;
  try {
    entry = parseJson(line) as Partial<Entry> | null;
  } catch {
    throw corruptFile(file.path, `${where} is not JSON`);
  }
  const whole = entry !== null && typeof entry === 'object' && 'key' in entry && 'value' in entry;
  const typed = whole && typeof entry?.state === 'string' && Number.isInteger(entry.keyGroup) && typeof entry.namespace === 'string';
  if (!typed) throw corruptFile(file.path, `${where} lacks a field`);
  return entry as Entry;
}
