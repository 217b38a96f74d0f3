import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { limits } from '../../lib/base/limits.ts';
import { decodeValue, encodeValue } from '../../lib/model/value-json.ts';
import { differenceOf, storable } from './storable-values.ts';

const there = (value: unknown): unknown => decodeValue(encodeValue(value));

describe('a value as JSON text', () => {
  test('comes back deeply and exactly equal, whatever it is', () => {
    fc.assert(
      fc.property(storable, (value) => {
        expect(differenceOf(value, there(value))).toBeUndefined();
      }),
      { numRuns: 5_000 },
    );
  });

  test('is well-formed text, so that no store or queue changes it on the way', () => {
    fc.assert(
      fc.property(storable, (value) => {
        const text = encodeValue(value);
        expect(text.isWellFormed()).toBe(true);
        expect(Buffer.from(text, 'utf8').toString('utf8')).toBe(text);
      }),
    );
  });

  test.each([
    ['NaN', NaN],
    ['minus zero', -0],
    ['infinity', -Infinity],
    ['undefined', undefined],
    ['a big integer', -(2n ** 70n)],
    ['an invalid date', new Date(NaN)],
    ['bytes', new Uint8Array([0, 255, 1])],
    ['a part of a larger buffer', new Uint8Array([9, 1, 2, 9]).subarray(1, 3)],
    ['a map with pairs for keys', new Map([[[1, 2], new Map([[undefined, NaN]])]])],
    ['a set of sets', new Set([new Set([-0])])],
    ['an own key named __proto__', JSON.parse('{"__proto__":{"a":1},"b":2}')],
    ['__proto__ whose value is a tag', JSON.parse('{"__proto__":{"$date":1}}')],
    ['something that looks like a tag', { $date: 5 }],
    ['a tag with company', { $date: 5, b: new Date(5) }],
    ['a tag behind another key', { a: 1, $date: 5 }],
    ['an integer key before a tag', { 5: 1, $date: 5 }],
    ['wrapped things, wrapped', { $object: { $object: { $null: 1 } } }],
    ['a null-prototype object like a tag', Object.assign(Object.create(null) as object, { $set: [1] })],
    ['an empty null-prototype object', Object.create(null)],
    ['lone surrogates', { '\ud800': ['\udfff', '\udc00\ud800'] }],
  ])('keeps %s', (_, value) => {
    expect(differenceOf(value, there(value))).toBeUndefined();
    expect(differenceOf([{ a: value }], there([{ a: value }]))).toBeUndefined();
  });

  test('of a plain JSON value is just its JSON', () => {
    fc.assert(
      fc.property(fc.jsonValue({ noUnicodeString: false }), (value) => {
        fc.pre(!JSON.stringify(value).includes('$') && !hasMinusZero(value));
        expect(encodeValue(value)).toBe(JSON.stringify(value));
      }),
    );
  });

  test('does not share what was there twice, and copies what is decoded', () => {
    const shared = { a: 1 };
    const [left, right] = there([shared, shared]) as [object, object];
    expect(left).not.toBe(right);
  });
});

function hasMinusZero(value: unknown): boolean {
  if (typeof value === 'object' && value !== null) return Object.values(value).some(hasMinusZero);
  return Object.is(value, -0);
}

class Money {
  readonly amount = 1;
}
class Stack extends Array {}
class Moment extends Date {}
class Table extends Map {}
class Bag extends Set {}
class Blob extends Uint8Array {}

const cycle: Record<string, unknown> = {};
cycle['self'] = { again: cycle };
const wideCycle: unknown[] = [];
wideCycle.push(wideCycle, wideCycle, wideCycle);

function nested(depth: number): unknown {
  let value: unknown = 1;
  for (let i = 0; i < depth; i++) value = i % 2 === 0 ? [value] : { a: value };
  return value;
}

describe('refused by name, with its path', () => {
  test.each([
    ['a function', () => 1, 'a function'],
    ['a symbol', Symbol('s'), 'a symbol'],
    ['an instance of a class', new Money(), 'an instance of Money'],
    ['an error', new TypeError('x'), 'an instance of TypeError'],
    ['a regular expression', /x/, 'an instance of RegExp'],
    ['a promise', Promise.resolve(), 'an instance of Promise'],
    ['a boxed number', Object(1), 'an instance of Number'],
    ['an array of a class of its own', Stack.from([1]), 'an instance of Stack'],
    ['a date of a class of its own', new Moment(0), 'an instance of Moment'],
    ['a map of a class of its own', new Table(), 'an instance of Table'],
    ['a set of a class of its own', new Bag(), 'an instance of Bag'],
    ['bytes of a class of its own', new Blob(2), 'an instance of Blob'],
    ['a Buffer, which would come back as something else', Buffer.from('text'), 'an instance of Buffer'],
    ['other typed arrays', new Float64Array(2), 'an instance of Float64Array'],
    ['bytes without a view', new ArrayBuffer(2), 'an instance of ArrayBuffer'],
    ['a symbol key', { [Symbol('s')]: 1 }, 'symbol keys'],
    ['a symbol key of an array', Object.assign([1], { [Symbol('s')]: 1 }), 'symbol keys'],
    ['an accessor', Object.defineProperty({}, 'x', { get: () => 1, enumerable: true }), 'the accessor "x"'],
    ['a setter', Object.defineProperty({}, 'x', { set: () => undefined, enumerable: true }), 'the accessor "x"'],
    ['an accessor in an array', Object.defineProperty([1, 2], 1, { get: () => 1, enumerable: true }), 'the accessor "1"'],
    ['a hidden property', Object.defineProperty({}, 'x', { value: 1 }), 'the hidden property "x"'],
    ['a hidden property of an array', Object.defineProperty([1], 'x', { value: 1 }), 'named properties'],
    ['a hole', [1, , 3], 'an array hole'],
    ['a hole at the end', new Array<unknown>(2), 'an array hole'],
    ['a named property of an array', Object.assign([1], { x: 1 }), 'named properties'],
    ['a named property of a date', Object.assign(new Date(0), { x: 1 }), 'named properties'],
    ['a named property of a map', Object.assign(new Map(), { x: 1 }), 'named properties'],
    ['a named property of a set', Object.assign(new Set(), { x: 1 }), 'named properties'],
    ['a cycle', cycle, 'a cycle'],
    ['a cycle with many ways round', wideCycle, 'a cycle'],
    ['too deep nesting', nested(limits.valueDepthMax + 1), 'nesting deeper'],
  ])('%s', (_, value, named) => {
    for (const [wrapped, path] of [
      [value, 'the value itself'],
      [{ a: [0, value] }, '.a[1]'],
    ] as const) {
      const refused = (): string => encodeValue(wrapped);
      expect(refused).toThrow(
        expect.objectContaining({ code: 'SLUICE-VALUE-UNSUPPORTED', message: expect.stringContaining(named) as string }),
      );
      if (!/cycle|nesting|hole/.test(named)) expect(refused).toThrow(path);
    }
  });

  test('nesting at the limit is taken', () => {
    const value = nested(limits.valueDepthMax);
    expect(differenceOf(value, there(value))).toBeUndefined();
  });
});

describe('text that is not a value', () => {
  test.each([
    '',
    '{',
    'nope',
    '{"$unknown":1}',
    '{"$bigint":"12x"}',
    '{"$bigint":{}}',
    '{"$number":"seven"}',
    '{"$number":null}',
    '{"$date":"1.1.1970"}',
    '{"$date":null}',
    '{"$bytes":5}',
    '{"$bytes":"!!"}',
    '{"$set":5}',
    '{"$map":{}}',
    '{"$map":[1]}',
    '{"$null":3}',
    '{"$object":null}',
    '{"$object":[1]}',
    '{"$undefined":1}',
  ])('is refused as corrupt: %s', (text) => {
    expect(() => decodeValue(text)).toThrow(expect.objectContaining({ code: 'SLUICE-VALUE-CORRUPT' }));
    expect(() => decodeValue(`[1,${text}]`)).toThrow(expect.objectContaining({ code: 'SLUICE-VALUE-CORRUPT' }));
  });

  test('is refused or read, but throws nothing else, wherever a value is cut or one of its characters is another', () => {
    fc.assert(
      fc.property(storable, fc.nat(), fc.constantFrom('"', '$', '{', '0', 'x', ''), (value, place, character) => {
        const text = encodeValue(value);
        const at = place % (text.length + 1);
        for (const damaged of [text.slice(0, at), text.slice(0, at) + character + text.slice(at + 1)]) {
          try {
            decodeValue(damaged);
          } catch (error) {
            expect(error).toMatchObject({ code: 'SLUICE-VALUE-CORRUPT' });
          }
        }
      }),
      { numRuns: 3_000 },
    );
  });

  test('is refused where it is nested so deep that the stack would end', () => {
    const deep = '['.repeat(200_000) + ']'.repeat(200_000);
    expect(() => decodeValue(deep)).toThrow(expect.objectContaining({ code: 'SLUICE-VALUE-CORRUPT' }));
  });
});
