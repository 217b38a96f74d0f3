import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { limits } from '../../lib/base/limits.ts';
import { ByteReader, ByteWriter } from '../../lib/model/byte-buffer.ts';
import { readColumn, writeColumn } from '../../lib/model/column-codec.ts';
import { decodeColumn, encodeColumn } from '../../lib/model/stored-column.ts';
import { encodeValue } from '../../lib/model/value-json.ts';
import { anyName, anyNumber, anyText, differenceOf, storable } from './storable-values.ts';

const there = (values: readonly unknown[]): unknown[] => decodeColumn(encodeColumn(values), 'a test');

function expectExact(values: readonly unknown[]): void {
  expect(differenceOf(values, there(values))).toBeUndefined();
}

const runs = { numRuns: 1_000 };
/** Records as literals are: with Object.prototype. */
const plain = { noNullPrototype: true } as const;

describe('a column comes back exactly', () => {
  test('whatever mixture of values it holds', () => {
    fc.assert(fc.property(fc.array(storable, { maxLength: 12 }), expectExact), { numRuns: 3_000 });
  });

  test('where all its values are of one kind, some of them missing', () => {
    const kinds: readonly fc.Arbitrary<unknown>[] = [
      anyNumber,
      fc.integer({ min: 0, max: 300 }),
      fc.maxSafeInteger(),
      anyText,
      fc.constantFrom('a', 'b'),
      fc.boolean(),
      fc.bigInt(),
    ];
    const columns = kinds.map((kind) => fc.oneof(fc.array(kind), fc.array(fc.option(kind)), fc.array(fc.option(kind, { nil: undefined }))));
    const oneKind = fc.oneof(...columns);
    fc.assert(fc.property(oneKind, expectExact), runs);
  });

  test('where it holds records of one shape, whatever the names of the fields', () => {
    const shapes = fc.uniqueArray(anyName, { minLength: 1, maxLength: 5 }).chain((names) => {
      const field = fc.oneof(anyNumber, anyText, fc.boolean(), storable, fc.option(fc.integer()));
      const row = fc.tuple(...names.map(() => field)).map((values) => {
        const object = {};
        names.forEach((name, i) =>
          Object.defineProperty(object, name, { value: values[i], enumerable: true, configurable: true, writable: true }),
        );
        return object;
      });
      return fc.array(row, { minLength: 1, maxLength: 10 });
    });
    fc.assert(fc.property(shapes, expectExact), runs);
  });

  test('where records nest lists of records of lists', () => {
    const item = fc.record(
      { sku: anyText, count: fc.nat(5), tags: fc.array(fc.constantFrom('x', 'y')) },
      { requiredKeys: ['sku', 'count'], noNullPrototype: true },
    );
    const order = fc.record(
      {
        id: fc.maxSafeInteger(),
        items: fc.array(item, { maxLength: 3 }),
        address: fc.option(fc.record({ city: anyText }, plain)),
      },
      plain,
    );
    fc.assert(fc.property(fc.array(order, { maxLength: 8 }), expectExact), runs);
  });

  test('where records of two shapes and other things alternate', () => {
    const row = fc.oneof(
      fc.record({ a: fc.integer() }, plain),
      fc.record({ a: fc.integer(), b: anyText }, plain),
      fc.record({ b: anyText, a: fc.integer() }, plain),
      storable,
    );
    fc.assert(fc.property(fc.array(row, { maxLength: 10 }), expectExact), runs);
  });

  test.each([0, 1, 2, 255, 256, 257, 70_000])('with %i values of each kind', (count) => {
    const of = (make: (i: number) => unknown): unknown[] => Array.from({ length: count }, (_, i) => make(i));
    for (const values of [
      of(() => 7),
      of((i) => i),
      of((i) => i * 1_000_003),
      of((i) => i / 3),
      of((i) => i % 3 === 0),
      of((i) => `key ${i % 10}`),
      of((i) => `key ${i % 1_000}`),
      of((i) => `key ${i}`),
      of((i) => `schlüssel ${i}`),
      of((i) => (i % 7 === 0 ? null : i)),
      of((i) => ({ id: i, name: `n${i % 5}`, at: 1_700_000_000_000 + i, ok: i % 2 === 0, part: i % 3 === 0 ? undefined : [i] })),
      of((i) => [i, String(i)]),
    ]) {
      expectExact(values);
    }
  });

  test('on the borders of what the integer forms hold', () => {
    for (const base of [0, 1, -1, 2 ** 31, -(2 ** 31), Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER, 2 ** 52]) {
      for (const span of [0, 1, 255, 256, 65_535, 65_536, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 53]) {
        expectExact([base, base + span]);
        expectExact([base - span, base]);
      }
    }
    expectExact([Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER, 0]);
    expectExact([0, -0]);
    expectExact([-0, -0]);
    expectExact([1e308, 2 ** 53, 2 ** 53 + 2]);
  });

  test('with strings of every range of Unicode, long and short', () => {
    const ranges = [
      '\u0000\u001f',
      '~\u007f',
      '\u0080ÿ',
      'Āſ',
      '߿ࠀ',
      '日本語',
      '\ud7ff\ue000',
      '\uffff',
      '\u{10000}\u{10ffff}',
      '\ud800',
      '\udc00\ud800',
      '👩‍👩‍👧',
    ];
    for (const some of ranges) for (const count of [1, 3, 40]) expectExact(Array.from({ length: count }, (_, i) => some.repeat(i % 14)));
    expectExact(ranges);
    expectExact(['a'.repeat(100_000), 'b', '']);
  });

  test('where one value is repeated more often than the short form allows', () => {
    const values = new Array<number>(limits.constantValuesMax + 1).fill(7);
    const bytes = encodeColumn(values);
    expect(bytes.length).toBeGreaterThan(values.length);
    expect(decodeColumn(bytes, 'a test')).toEqual(values);
    expect(encodeColumn(values.slice(1)).length).toBeLessThan(32);
  });

  test('where it is nested deeper than columns go', () => {
    const deep = (depth: number, leaf: unknown): unknown =>
      depth === 0 ? leaf : depth % 2 === 0 ? [deep(depth - 1, leaf)] : { a: deep(depth - 1, leaf) };
    for (const depth of [7, 8, 9, 10, 40]) expectExact([deep(depth, 1), deep(depth, null), deep(depth, 3)]);
    for (const depth of [7, 8, 9, 10]) expectExact([null, deep(depth, null), deep(depth, 2)]);
  });

  test('whatever shapes came before: names that differ only in where they are cut are other shapes', () => {
    const one = [{ 'a\u0000b': 1 }, { 'a\u0000b': 2 }];
    const two = [
      { a: 1, b: 'x' },
      { a: 2, b: 'y' },
    ];
    const bytesOfTwo = encodeColumn(two);
    for (let i = 0; i < 600; i++) encodeColumn([{ [`field${i}`]: i }]);
    expectExact(one);
    expect(decodeColumn(bytesOfTwo, 'a test')).toEqual(two);
    expectExact(two);
  });

  test('and shares nothing between rows', () => {
    const shared = { list: [1], day: new Date(0) };
    const rows = there([shared, shared, shared]) as (typeof shared)[];
    rows[0]!.list.push(2);
    rows[0]!.day.setTime(5);
    expect(rows[1]).toEqual(shared);
  });
});

describe('a column is small', () => {
  const bytesPerValue = (values: readonly unknown[]): number => encodeColumn(values).length / values.length;
  const of = (make: (i: number) => unknown): unknown[] => Array.from({ length: 1_000 }, (_, i) => make(i));

  test('where its values are alike', () => {
    expect(bytesPerValue(of(() => 'constant'))).toBeLessThan(0.05);
    expect(bytesPerValue(of((i) => i % 200))).toBeLessThan(1.1);
    expect(bytesPerValue(of((i) => `route ${i % 50}`))).toBeLessThan(2);
    expect(bytesPerValue(of((i) => 1_700_000_000_000 + i))).toBeLessThan(2.1);
    expect(bytesPerValue(of((i) => ({ kind: 'flight', delay: i % 100, from: `A${i % 9}` })))).toBeLessThan(2.5);
  });
});

describe('refused by name, however many came before', () => {
  class Point {
    readonly x = 1;
  }
  test.each([
    ['a function', () => 1, 'a function'],
    ['a symbol', Symbol('s'), 'a symbol'],
    ['an instance of a class', new Point(), 'an instance of Point'],
    ['an array hole', [1, , 2], 'an array hole'],
    ['a named property of an array', Object.assign([1], { x: 1 }), 'named properties'],
    ['a symbol key of an array', Object.assign([1], { [Symbol('s')]: 1 }), 'symbol keys'],
    ['a symbol key', { a: 1, [Symbol('s')]: 1 }, 'symbol keys'],
  ])('%s', (_, value, named) => {
    const sound = Array.isArray(value) ? [1] : { a: 1 };
    for (const values of [[value], [value, value], [sound, sound, value], [{ a: value }], [[value], []], [null, value]]) {
      expect(() => encodeColumn(values)).toThrow(
        expect.objectContaining({ code: 'SLUICE-VALUE-UNSUPPORTED', message: expect.stringContaining(named) as string }),
      );
    }
  });

  test('with its path through records and lists', () => {
    const act = (): number => 1;
    for (const [values, path] of [
      [[act], ''],
      [[{ a: { b: act } }], '.a.b'],
      [[{ items: [{ act }] }], '.items[].act'],
      [[{ a: 1 }, { a: [new Point()] }], '.a[0]'],
    ] as const) {
      expect(() => encodeColumn(values)).toThrow(expect.objectContaining({ facts: expect.objectContaining({ path }) as object }));
    }
  });

  test('an accessor or a hidden property of the first record', () => {
    const accessor = Object.defineProperty({ a: 1 }, 'b', { get: () => 1, enumerable: true });
    expect(() => encodeColumn([accessor, accessor])).toThrow('the accessor "b"');
  });

  test('a cycle', () => {
    const cycle: Record<string, unknown> = {};
    cycle['self'] = cycle;
    const list: unknown[] = [];
    list.push(list);
    for (const value of [cycle, list]) expect(() => encodeColumn([value, value])).toThrow('a cycle');
  });
});

describe('damaged bytes', () => {
  const samples: Readonly<Record<string, readonly unknown[]>> = {
    empty: [],
    one: [{ a: 1 }],
    constant: ['same', 'same', 'same', 'same'],
    integers: [1, 2, 300, 70_000],
    floats: [0.5, NaN, -0, 1e300],
    booleans: [true, false, true],
    dictionary: ['a', 'b', 'a', 'a', 'b', 'a', 'b', 'b'],
    'many strings': ['alpha', 'beta', 'gamma', 'delta', ''],
    'strings beyond ASCII': ['ä', '\ud800', '日本', 'x'],
    optional: [1, null, undefined, 4, null],
    lists: [[1, 2], [], [3], ['x', null]],
    records: [
      { id: 1, name: 'a', tags: ['x'], at: new Date(1) },
      { id: 2, name: 'b', tags: [], at: new Date(2) },
      { id: 3, name: 'b', tags: ['y', 'z'], at: new Date(NaN) },
    ],
    mixed: [1n, new Map([[1, 2]]), 'x', undefined, new Uint8Array([1, 2])],
  };

  /** Decodes to so many values, or refuses: never another error, never another length. */
  function expectSound(bytes: Uint8Array, count: number): 'decoded' | 'refused' {
    try {
      expect(readColumn(new ByteReader(bytes, 'a test'), count)).toHaveLength(count);
      return 'decoded';
    } catch (error) {
      expect(error).toMatchObject({ code: 'SLUICE-DATA-CORRUPT' });
      return 'refused';
    }
  }

  function bytesOf(values: readonly unknown[]): Uint8Array {
    const writer = new ByteWriter();
    writeColumn(writer, values);
    return writer.finish();
  }

  test.each(Object.entries(samples))('cut anywhere: %s', (_, values) => {
    const bytes = bytesOf(values);
    expect(expectSound(bytes, values.length)).toBe('decoded');
    for (let length = 0; length < bytes.length; length++) expect(expectSound(bytes.slice(0, length), values.length)).toBe('refused');
    expect(() => decodeColumn(Buffer.concat([encodeColumn(values), Buffer.from([0])]), 'a test')).toThrow(
      expect.objectContaining({ code: 'SLUICE-DATA-CORRUPT' }),
    );
  });

  test.each(Object.entries(samples))('with any byte changed: %s', (_, values) => {
    const bytes = bytesOf(values);
    for (let at = 0; at < bytes.length; at++) {
      for (let change = 1; change < 256; change++) {
        const damaged = Uint8Array.from(bytes);
        damaged[at]! ^= change;
        expectSound(damaged, values.length);
      }
    }
  });

  test('with another count, however large', () => {
    for (const values of Object.values(samples)) {
      const bytes = bytesOf(values);
      for (const count of [values.length + 1, 255, 65_536, limits.constantValuesMax + 1, 2 ** 32 - 1, 2 ** 53, -1, 0.5, NaN, Infinity]) {
        if (count === values.length) continue;
        expectSound(bytes, count);
      }
    }
  });

  test('of any kind at all', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), fc.oneof(fc.nat(20), fc.nat()), (bytes, count) => {
        expectSound(bytes, count);
      }),
      { numRuns: 5_000 },
    );
  });

  function writer(write: (writer: ByteWriter) => void): Uint8Array {
    const made = new ByteWriter();
    write(made);
    return made.finish();
  }

  test('made to exhaust the stack, the memory or the time', () => {
    const optionalInOptional = Buffer.from([6, 0].concat(...Array.from({ length: 100_000 }, () => [6, 0])));
    expect(expectSound(optionalInOptional, 1)).toBe('refused');
    const structInStruct = writer((out) => {
      for (let i = 0; i < 10_000; i++) {
        out.byte(5);
        out.text('["a"]');
      }
    });
    expect(expectSound(structInStruct, 1)).toBe('refused');
    const manyTimesOne = writer((out) => {
      out.byte(0);
      out.text('1');
    });
    expect(expectSound(manyTimesOne, 2 ** 32 - 1)).toBe('refused');
    const rowsWithoutFields = writer((out) => {
      out.byte(5);
      out.text('[]');
    });
    expect(expectSound(rowsWithoutFields, 2 ** 31)).toBe('refused');
    const longText = writer((out) => {
      out.byte(4);
      out.byte(2);
      for (let i = 0; i < 20_000; i++) out.uint32(1_000_000);
      out.text('x'.repeat(1_000_000));
    });
    expect(expectSound(longText, 20_000)).toBe('refused');
    const manyEmptyLists = writer((out) => {
      out.byte(7);
      out.byte(0);
      out.text('0');
      out.uint32(2 ** 32 - 1);
      out.byte(0);
      out.text('1');
    });
    expect(expectSound(manyEmptyLists, 3)).toBe('refused');
  });

  test('that name code instead of fields run no code', () => {
    const name = '"]: (globalThis.broken = true) }; //';
    const bytes = writer((out) => {
      out.byte(5);
      out.text(JSON.stringify([name]));
      out.byte(0);
      out.text('1');
    });
    expect(readColumn(new ByteReader(bytes, 'a test'), 2)).toEqual([{ [name]: 1 }, { [name]: 1 }]);
    expectExact([{ [name]: 1, '${x}': 2, "'": 3, '\u2028': 4, '\\': 5 }]);
    expect('broken' in globalThis).toBe(false);
  });

  test('with lengths of lists that are negative, broken, or no numbers', () => {
    for (const lengths of [
      [-1, 3],
      [0.5, 1.5],
      ['1', '1'],
      [true, true],
      [null, 2],
    ]) {
      const bytes = writer((out) => {
        out.byte(7);
        writeColumn(out, lengths);
        out.uint32(2);
        writeColumn(out, ['a', 'b']);
      });
      expect(expectSound(bytes, 2), encodeValue(lengths)).toBe('refused');
    }
  });
});
