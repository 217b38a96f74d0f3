import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { limits } from '../../lib/base/limits.ts';
import { canonicalKey } from '../../lib/model/canonical-key.ts';
import { inRange, keyGroupRange } from '../../lib/model/key-group-range.ts';
import { defaultMaxParallelism, keyGroupOf, shardOfKeyGroup } from '../../lib/model/key-group.ts';
import { parseJson } from '../../lib/base/parse-json.ts';

/** A parallelism and a max parallelism that is not below it. */
const parallelisms = fc
  .integer({ min: 1, max: limits.maxParallelismMax })
  .chain((maxParallelism) => fc.tuple(fc.integer({ min: 1, max: maxParallelism }), fc.constant(maxParallelism)));

describe('key groups', () => {
  /** KeyGroupRangeAssignment and what Flink's own test of it expects: max parallelism, parallelism, shard, first and last group. */
  test.each([
    [10, 10, 0, 0, 0],
    [10, 10, 9, 9, 9],
    [10, 9, 0, 0, 1],
    [10, 9, 1, 2, 2],
    [10, 9, 8, 9, 9],
    [128, 1, 0, 0, 127],
    [128, 3, 0, 0, 42],
    [128, 3, 1, 43, 85],
    [128, 3, 2, 86, 127],
    [128, 128, 127, 127, 127],
    [4, 3, 0, 0, 1],
    [4, 3, 1, 2, 2],
    [4, 3, 2, 3, 3],
    [32_768, 32_768, 32_767, 32_767, 32_767],
    [32_768, 10_000, 0, 0, 3],
    [32_768, 10_000, 9_999, 32_765, 32_767],
  ])('of %i, with %i shards, shard %i has %i to %i', (maxParallelism, parallelism, shard, start, end) => {
    expect(keyGroupRange(shard, parallelism, maxParallelism)).toEqual({ start, end });
  });

  test('belong to exactly the shard whose range holds them', () => {
    fc.assert(
      fc.property(parallelisms, fc.nat(), ([parallelism, maxParallelism], some) => {
        const keyGroup = some % maxParallelism;
        const shard = shardOfKeyGroup(keyGroup, parallelism, maxParallelism);
        expect(shard).toBe(Number((BigInt(keyGroup) * BigInt(parallelism)) / BigInt(maxParallelism)));
        for (const other of [shard - 1, shard, shard + 1].filter((index) => index >= 0 && index < parallelism)) {
          expect(inRange(keyGroupRange(other, parallelism, maxParallelism), keyGroup)).toBe(other === shard);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  test('are dealt out without gap or overlap, every shard at least one, and no two shards differ by more than one', () => {
    for (const [parallelism, maxParallelism] of [
      [1, 1],
      [1, 128],
      [3, 128],
      [7, 7],
      [100, 128],
      [127, 128],
      [129, 1_000],
      [10_000, 32_768],
      [32_768, 32_768],
    ] as const) {
      let next = 0;
      const sizes = new Set<number>();
      for (let shard = 0; shard < parallelism; shard++) {
        const { start, end } = keyGroupRange(shard, parallelism, maxParallelism);
        expect(start, `shard ${shard} of ${parallelism} over ${maxParallelism}`).toBe(next);
        next = end + 1;
        sizes.add(end - start + 1);
      }
      expect(next).toBe(maxParallelism);
      expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
      expect(Math.min(...sizes)).toBeGreaterThan(0);
    }
  });

  /** The values that Flink's KeyGroupRangeAssignment gives: the next power of two of one and a half times, at least 128, at most 32,768. */
  test.each([
    [1, 128],
    [85, 128],
    [86, 256],
    [100, 256],
    [127, 256],
    [128, 256],
    [170, 256],
    [171, 256],
    [172, 512],
    [1_000, 2_048],
    [1_365, 2_048],
    [1_366, 4_096],
    [10_000, 16_384],
    [21_845, 32_768],
    [30_000, 32_768],
    [32_768, 32_768],
  ])('there are, for a parallelism of %i, %i by default', (parallelism, expected) => {
    expect(defaultMaxParallelism(parallelism)).toBe(expected);
  });

  test('there are by default as Flink computes it, for every parallelism', () => {
    const roundUpToPowerOfTwo = (value: number): number => {
      let x = value - 1;
      for (const by of [1, 2, 4, 8, 16]) x |= x >> by;
      return x + 1;
    };
    for (let parallelism = 1; parallelism <= limits.maxParallelismMax; parallelism++) {
      const flink = Math.min(Math.max(roundUpToPowerOfTwo(parallelism + (parallelism >> 1)), 128), 32_768);
      if (defaultMaxParallelism(parallelism) !== flink)
        expect.fail(`${parallelism}: ${defaultMaxParallelism(parallelism)}, Flink ${flink}`);
    }
  });

  test('of keys never change: state is stored by them', () => {
    const groups = ['"LAX"', '"SFO"', '""', '"schlüssel"', '0', '-1', '1.5', 'true', 'null', '["a",1]', '{"a":1,"b":2}'].map((key) =>
      keyGroupOf(key, 128),
    );
    expect(groups).toEqual([61, 22, 59, 48, 77, 117, 19, 119, 1, 68, 57]);
    expect(keyGroupOf('"LAX"', 1)).toBe(0);
  });

  test('spread keys evenly', () => {
    const counts = new Array<number>(128).fill(0);
    for (let i = 0; i < 128_000; i++) counts[keyGroupOf(JSON.stringify(`key-${i}`), 128)]!++;
    expect(Math.min(...counts)).toBeGreaterThan(850);
    expect(Math.max(...counts)).toBeLessThan(1_150);
  });
});

const keys = fc.letrec((tie) => ({
  key: fc.oneof(
    { depthSize: 'small' },
    fc.string({ unit: 'binary' }),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('key'), { maxLength: 3 }),
    fc.dictionary(fc.string({ maxLength: 3 }), tie('key'), { maxKeys: 3, noNullPrototype: true }),
  ),
})).key;

describe('a key', () => {
  test('has one text, from which it comes back', () => {
    fc.assert(
      fc.property(keys, (key) => {
        const text = canonicalKey(key);
        expect(text.isWellFormed()).toBe(true);
        expect(canonicalKey(parseJson(text))).toBe(text);
        expect(JSON.stringify(parseJson(text)).length).toBe(text.length);
      }),
    );
  });

  test('is the same whatever the order of its fields, and 0 is -0', () => {
    expect(canonicalKey({ b: 1, a: [{ d: 2, c: 3 }] })).toBe(canonicalKey({ a: [{ c: 3, d: 2 }], b: 1 }));
    expect(canonicalKey(Object.assign(Object.create(null) as object, { a: 1 }))).toBe(canonicalKey({ a: 1 }));
    expect(canonicalKey(-0)).toBe(canonicalKey(0));
  });

  test('is not another that looks like it', () => {
    const alike = [
      1,
      '1',
      true,
      'true',
      null,
      'null',
      '',
      [],
      {},
      [null],
      [1],
      ['1'],
      [[1]],
      { 0: 1 },
      [1, null],
      '[1]',
      '\ud800',
      '\ud801',
      '\ufffd',
    ];
    expect(new Set(alike.map(canonicalKey)).size).toBe(alike.length);
  });

  test.each([
    ['undefined', undefined],
    ['NaN', NaN],
    ['infinity', Infinity],
    ['a big integer', 1n],
    ['a symbol', Symbol('s')],
    ['a function', () => 1],
    ['a date', new Date(0)],
    ['a map', new Map()],
    ['bytes', new Uint8Array(1)],
    ['an instance of a class', new (class Point {})()],
    ['an array of a class of its own', new (class Points extends Array {})()],
    ['a list with undefined in it', [undefined]],
    ['a record with NaN in it', { a: { b: NaN } }],
    ['a list with a hole', [, 1]],
    ['a list with a hole at the end', new Array<number>(2)],
    ['a list with a name', Object.assign([1], { x: 1 })],
    ['a record with a symbol', { a: 1, [Symbol('s')]: 2 }],
    ['a record with something hidden', Object.defineProperty({ a: 1 }, 'b', { value: 2 })],
    ['deep nesting', [[[[[[[[[[1]]]]]]]]]]],
    ['a long text', 'x'.repeat(limits.keyCharactersMax)],
    ['a long list', new Array<number>(limits.keyCharactersMax).fill(1)],
  ])('is never %s', (_, key) => {
    expect(() => canonicalKey(key)).toThrow(
      expect.objectContaining({ code: 'SLUICE-KEY-INVALID', hint: expect.stringContaining('key selector') as string }),
    );
  });

  test('is never part of itself', () => {
    const cycle: unknown[] = [];
    cycle.push(cycle);
    expect(() => canonicalKey(cycle)).toThrow(expect.objectContaining({ code: 'SLUICE-KEY-INVALID' }));
  });

  test('may be as long as the limit', () => {
    expect(canonicalKey('x'.repeat(limits.keyCharactersMax - 2))).toHaveLength(limits.keyCharactersMax);
  });
});
