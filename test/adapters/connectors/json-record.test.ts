import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeLines } from '../../../lib/adapters/connectors/json-record.ts';
import { limits } from '../../../lib/base/limits.ts';
import { partName } from './sink-committer.contract.ts';
import { parseJson } from '../../../lib/base/parse-json.ts';

function textOf(...records: unknown[]): string {
  return Buffer.concat([...encodeLines(records, partName({ checkpoint: 4 }))]).toString('utf8');
}

describe('records as lines of JSON', () => {
  test('are written so that JSON.parse gives them back exactly', () => {
    const value = fc.jsonValue({ maxDepth: 2, stringUnit: 'binary' });
    fc.assert(
      fc.property(value, (record) => {
        const text = textOf(record);
        expect(text.endsWith('\n') && !text.slice(0, -1).includes('\n')).toBe(true);
        expect(parseJson(text)).toStrictEqual(record);
      }),
      { numRuns: 100 },
    );
  });

  test('may hold negative zeros, lone surrogates, names that mean something to JavaScript, and no prototype', () => {
    const record: unknown = parseJson('{"zero":-0,"in":[-0,0],"text":"\\ud800","__proto__":{"a":1},"constructor":2}');
    expect(Object.is((parseJson(textOf(record)) as { zero: number }).zero, -0)).toBe(true);
    expect(parseJson(textOf(record))).toStrictEqual(record);
    expect(textOf(Object.assign(Object.create(null), { a: 1 }))).toBe('{"a":1}\n');
  });

  const cycle: Record<string, unknown> = {};
  cycle['self'] = cycle;
  const named: unknown[] = [1];
  Object.assign(named, { extra: 2 });
  const hidden = Object.defineProperty({ a: 1 }, 'b', { value: 2, enumerable: false });
  let deep: unknown = 1;
  for (let i = 0; i <= limits.valueDepthMax; i++) deep = [deep];

  test.each<[string, unknown, string]>([
    ['undefined', { a: { b: undefined } }, '.a.b'],
    ['undefined itself', undefined, 'its top'],
    ['NaN', { a: [1, NaN] }, '.a[1]'],
    ['an infinity', [-Infinity], '[0]'],
    ['a bigint', { a: 1n }, '.a'],
    ['a Date', { at: new Date(0) }, '.at'],
    ['a Map', { m: new Map() }, '.m'],
    ['bytes', new Uint8Array(1), 'its top'],
    ['a function', { toJSON: () => 1 }, '.toJSON'],
    ['a symbol', { a: Symbol('s') }, '.a'],
    ['a symbol key', { [Symbol('s')]: 1 }, 'its top'],
    ['a hidden property', { a: hidden }, '.a'],
    ['a hole', { a: Array(1) }, '.a[0]'],
    ['an array with named properties', { a: named }, '.a'],
    ['an instance of a class', { a: new (class Order {})() }, '.a'],
    ['a cycle', cycle, '.self'.repeat(limits.valueDepthMax)],
    ['too deep a nesting', deep, '[0]'.repeat(limits.valueDepthMax)],
  ])('that cannot hold a value refuse it with operator, record and place: %s', (_, record, place) => {
    const refused = expect.objectContaining({
      code: 'SLUICE-SINK-RECORD-UNSUPPORTED',
      facts: expect.objectContaining({ operator: 'files', record: 1, checkpoint: 4, path: place === 'its top' ? '' : place }) as unknown,
      message: expect.stringContaining(`at ${place}`) as unknown,
    });
    expect(() => textOf({ fine: true }, record)).toThrow(refused);
  });

  test('come in pieces of a bounded size', () => {
    const pieces = [...encodeLines(Array(40).fill('x'.repeat(100_000)), partName())];
    expect(pieces.length).toBeGreaterThan(3);
    for (const piece of pieces) expect(piece.length).toBeLessThan(1_000_000);
    expect([...encodeLines([], partName())]).toEqual([]);
  });
});
