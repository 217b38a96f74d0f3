/**
 * Values of Parquet columns as plain data that records may hold.
 *
 * PV1. Exact or refused: an integer that a number cannot hold, text that is not UTF-8 and JSON that is none make their row unreadable, with the reason.
 * PV2. Times of every kind are milliseconds since 1970, rounded down: what is finer than a millisecond is the one thing that is cut off.
 * PV3. No Date, no bigint, no typed array but bytes comes out; null stays null.
 */
import type { DecodedArray, ParquetParsers } from 'hyparquet';
import { errorMessage } from '../../base/errors.ts';
import { parseJson } from '../../base/parse-json.ts';

export interface PlainColumn {
  /** One for each row. */
  readonly values: readonly unknown[];
  /** Some are objects or bytes: whoever hands them out copies them, so that user code cannot change what is read again. */
  readonly hasObjects: boolean;
  /** Why rows cannot be read, by row. Their value is what could be made of it. */
  readonly unreadable: ReadonlyMap<number, string>;
}

/** What a value becomes that cannot be exact. */
class Unreadable {
  readonly reason: string;

  constructor(reason: string) {
    this.reason = reason;
  }
}

const strictText = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Called by hyparquet once for each value, or for each entry of a dictionary: nothing here may throw, that would lose the row. */
export const parsers: Partial<ParquetParsers> = {
  timestampFromMilliseconds: (value) => exactNumber(BigInt(value)),
  timestampFromMicroseconds: (value) => exactNumber(divideDown(BigInt(value), 1_000n)),
  timestampFromNanoseconds: (value) => exactNumber(divideDown(BigInt(value), 1_000_000n)),
  dateFromDays: (days) => days * 86_400_000,
  stringFromBytes: decodeText,
  jsonFromBytes: decodeJson,
};

/** The rows of one row group from the chunks that hyparquet brings; `undefined` where they are not exactly `count`. The loop is hot. */
export function plainColumn(chunks: readonly DecodedArray[], count: number): PlainColumn | undefined {
  if (chunks.reduce((sum, chunk) => sum + chunk.length, 0) !== count) return undefined;
  const values = new Array<unknown>(count);
  const unreadable = new Map<number, string>();
  let hasObjects = false;
  let row = 0;
  for (const chunk of chunks) {
    for (let i = 0; i < chunk.length; i++, row++) {
      const value: unknown = chunk[i];
      if (typeof value === 'string' || typeof value === 'number' || value === null) {
        values[row] = value;
        continue;
      }
      const plain = plainValue(value);
      if (plain instanceof Unreadable) unreadable.set(row, plain.reason);
      else if (typeof plain === 'object' && plain !== null) hasObjects = true;
      values[row] = plain instanceof Unreadable ? null : plain;
    }
  }
  return { values, hasObjects, unreadable };
}

/** hyparquet multiplies by the scale, and 57 * 0.01 is not 0.57. Fifteen digits are enough to find the double that is nearest to the decimal. */
export function exactDecimals(column: PlainColumn): PlainColumn {
  const values = column.values.map((value) => (typeof value === 'number' ? Number(value.toPrecision(15)) : value));
  return { ...column, values };
}

/** Of whatever depth: lists, structs and maps hold the same kinds of values. */
function plainValue(value: unknown): unknown {
  if (typeof value === 'bigint') return exactNumber(value);
  if (value === undefined || value === null) return null;
  if (typeof value !== 'object' || value instanceof Unreadable) return value;
  if (value instanceof Date) return value.getTime();
  // A view into the page: alone it would keep the whole page.
  if (value instanceof Uint8Array) return value.slice();
  if (Array.isArray(value)) {
    const items = value.map(plainValue);
    return items.find((item) => item instanceof Unreadable) ?? items;
  }
  const entries = Object.entries(value).map(([name, item]) => [name, plainValue(item)] as const);
  return entries.find(([, item]) => item instanceof Unreadable)?.[1] ?? Object.fromEntries(entries);
}

function exactNumber(value: bigint): number | Unreadable {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : new Unreadable(`${value} is larger than a number can be exactly`);
}

function divideDown(value: bigint, divisor: bigint): bigint {
  const quotient = value / divisor;
  return value < 0n && quotient * divisor !== value ? quotient - 1n : quotient;
}

function decodeText(bytes: Uint8Array | undefined): string | null | Unreadable {
  if (bytes === undefined) return null;
  try {
    return strictText.decode(bytes);
  } catch (error) {
    return new Unreadable(`it is not UTF-8: ${errorMessage(error)}`);
  }
}

function decodeJson(bytes: Uint8Array | undefined): unknown {
  const text = decodeText(bytes);
  if (typeof text !== 'string') return text;
  try {
    return parseJson(text);
  } catch (error) {
    return new Unreadable(`it is not JSON: ${errorMessage(error)}`);
  }
}
