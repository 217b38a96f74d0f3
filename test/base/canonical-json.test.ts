import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonicalJson } from '../../lib/base/canonical-json.ts';
import { parseJson } from '../../lib/base/parse-json.ts';

/** The same value with the keys of every object in another order. */
function shuffled(value: unknown, order: (names: string[]) => string[]): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => shuffled(item, order));
  const copy = {};
  for (const name of order(Object.keys(value))) {
    const item = shuffled((value as Record<string, unknown>)[name], order);
    Object.defineProperty(copy, name, { value: item, enumerable: true, configurable: true, writable: true });
  }
  return copy;
}

describe('canonical JSON', () => {
  test('does not depend on the order of keys, at any depth', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => {
        const text = canonicalJson(value);
        expect(canonicalJson(shuffled(value, (names) => names.toReversed()))).toBe(text);
        expect(canonicalJson(shuffled(value, (names) => names.toSorted((a, b) => b.length - a.length)))).toBe(text);
      }),
    );
  });

  test('is JSON that parses to an equal value', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => {
        expect(parseJson(canonicalJson(value))).toEqual(parseJson(JSON.stringify(value)));
      }),
    );
  });

  test('tells different values apart', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 3 }), fc.jsonValue({ maxDepth: 3 }), (left, right) => {
        const same = canonicalJson(left) === canonicalJson(right);
        expect(same).toBe(canonicalJson(parseJson(JSON.stringify(left))) === canonicalJson(parseJson(JSON.stringify(right))));
        if (same) expect(parseJson(JSON.stringify(left))).toEqual(parseJson(JSON.stringify(right)));
      }),
    );
  });

  test('leaves out what is undefined, has no white space and sorts keys as UTF-16 text', () => {
    expect(canonicalJson({ b: 1, a: undefined, '\u{1f600}': 2, '\uffff': 3, 10: 4, 9: 5 })).toBe(
      '{"10":4,"9":5,"b":1,"\u{1f600}":2,"\uffff":3}',
    );
  });

  test('writes a lone surrogate as an escape, so that the text is well-formed', () => {
    const text = canonicalJson({ '\ud800': '\udfff' });
    expect(text.isWellFormed()).toBe(true);
    expect(parseJson(text)).toEqual({ '\ud800': '\udfff' });
  });

  test('keeps an own key named __proto__', () => {
    expect(canonicalJson(parseJson('{"b":1,"__proto__":{"c":2}}'))).toBe('{"__proto__":{"c":2},"b":1}');
  });
});
