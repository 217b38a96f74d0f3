import { expect, test } from 'vitest';
import { decodeColumn, encodeColumn } from '../../lib/model/stored-column.ts';
import { goldenBytes } from '../setup/golden-bytes.ts';
import { differenceOf } from './storable-values.ts';

const many = (count: number, make: (i: number) => unknown): unknown[] => Array.from({ length: count }, (_, i) => make(i));

/** One sample of every form of format 1. */
const samples: Readonly<Record<string, readonly unknown[]>> = {
  empty: [],
  constant: ['same', 'same', 'same'],
  'constant-undefined': [undefined, undefined],
  'integers-of-one-byte': [1_700_000_000_000, 1_700_000_000_255, 1_700_000_000_007],
  'integers-of-two-bytes': [-5, 60_000, 0],
  'integers-of-four-bytes': [0, 4_294_967_295, 70_000],
  floats: [0.5, -0, NaN, Infinity, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER],
  booleans: [true, false, false, true],
  'strings-dictionary': ['LAX', 'SFO', 'LAX', 'LAX', 'SFO', 'LAX'],
  'strings-large-dictionary': many(1_200, (i) => `k${i % 300}`),
  'strings-ascii': ['', 'one', 'two', 'three and more than twelve'],
  'strings-json': ['ä', '\ud800', '日本', '\u{1f600}'],
  struct: [
    { origin: 'LAX', delay: -3, late: false },
    { origin: 'LAX', delay: 12, late: true },
  ],
  'struct-odd-names': [
    JSON.parse('{"__proto__":1,"constructor":"x","$date":null}'),
    JSON.parse('{"__proto__":2,"constructor":"y","$date":3}'),
  ],
  optional: [1, null, undefined, 4],
  list: [[1, 2], [], [3]],
  'list-of-structs': [
    [{ a: 1, b: [true] }],
    [
      { a: 2, b: [] },
      { a: 3, b: [false, true] },
    ],
  ],
  json: [1n, new Date(0), new Map([['k', new Set([1])]]), new Uint8Array([1, 2, 3]), undefined, -0, 'x', { $date: 1 }],
  mixed: [1, 'one', { a: 1 }, [1]],
};

test.each(Object.entries(samples))('format 1 of columns: %s', (name, values) => {
  const written = encodeColumn(values);
  const recorded = goldenBytes(`columns/v1/${name}.bin`, written);
  expect(Buffer.from(written).equals(recorded), 'these bytes are another format: give it a new number, and keep reading this one').toBe(
    true,
  );
  expect(differenceOf(values, decodeColumn(recorded, name))).toBeUndefined();
});
