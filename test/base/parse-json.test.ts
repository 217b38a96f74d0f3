import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseJson } from '../../lib/base/parse-json.ts';
import { differenceOf } from '../model/storable-values.ts';

const name = fc.oneof(
  fc.string({ maxLength: 3 }),
  fc.constantFrom('\\', '\n', '"', '\\n', '\u0000', '__proto__', '0', 'é', '日', '\ud800'),
);

/** JSON in every shape, as text and as what it stands for; built without a parser. */
const json = fc.letrec<{ node: readonly [text: string, value: unknown] }>((tie) => {
  const space = fc.constantFrom('', ' ', '\n', '\t\r ');
  const primitive = fc
    .oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.string(), name, fc.boolean(), fc.constant(null))
    .map((value) => [JSON.stringify(value), Object.is(value, -0) ? 0 : value] as const);
  return {
    node: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      primitive,
      fc
        .tuple(fc.array(tie('node'), { maxLength: 4 }), space)
        .map(([items, gap]) => [`[${gap}${items.map(([text]) => gap + text + gap).join(',')}]`, items.map(([, value]) => value)] as const),
      fc.tuple(fc.array(fc.tuple(name, tie('node')), { maxLength: 5 }), space).map(([pairs, gap]) => {
        const object = {};
        for (const [key, [, value]] of pairs)
          Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true });
        return [
          `{${gap}${pairs.map(([key, [text]]) => `${gap}${JSON.stringify(key)}${gap}:${gap}${text}${gap}`).join(',')}}`,
          object,
        ] as const;
      }),
    ),
  };
}).node;

describe('parsing JSON', () => {
  test('gives names as they are written, whichever names came before', () => {
    parseJson('{"h":[],"\\\\":0}');
    expect(Object.keys(parseJson('{"h":1,"\\"":2}') as object)).toEqual(['h', '"']);
    expect(Object.keys(parseJson('{"h":1,"\\n":2}') as object)).toEqual(['h', '\n']);
    parseJson('{"k":[],"a\\\\":0}');
    expect(Object.keys(parseJson('{"k":1,"a\\t":2}') as object)).toEqual(['k', 'a\t']);
  });

  test('gives exactly what the text stands for, duplicates and white space included', () => {
    fc.assert(
      fc.property(json, ([text, value]) => {
        expect(differenceOf(value, parseJson(text))).toBeUndefined();
      }),
      { numRuns: 1_000 },
    );
  });

  test('refuses what is no JSON, with escaped names too', () => {
    for (const text of ['', '{', '{"a\\n":}', '{"\\n":1,}', '{"\\n":1', '{"\\x":1}', '["\\n":1]', '{"\\n" 1}', '"\\', 'nul', '{"\\n":01}'])
      expect(() => parseJson(text), text).toThrow(SyntaxError);
  });

  test('takes time in proportion to the text, however many escapes it has', () => {
    const text = JSON.stringify({ a: '\n'.repeat(1_000_000), 'b\n': ['\\'.repeat(1_000_000)] });
    const startedAt = performance.now();
    expect(JSON.stringify(parseJson(text))).toBe(text);
    expect(performance.now() - startedAt).toBeLessThan(5_000);
  });
});
