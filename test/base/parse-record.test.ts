import { describe, expect, test } from 'vitest';
import { parseRecord } from '../../lib/base/parse-record.ts';
import { limits } from '../../lib/base/limits.ts';

const nested = (depth: number): string => `${'[{"a":'.repeat(depth / 2)}1${'}]'.repeat(depth / 2)}`;
const refused = expect.objectContaining({ code: 'SLUICE-VALUE-UNSUPPORTED' }) as Error;

describe('a record from outside', () => {
  test('may be nested as deeply as whatever it is put into can still travel', () => {
    expect(limits.inputDepthMax).toBeLessThan(limits.valueDepthMax);
    expect(parseRecord(nested(limits.inputDepthMax))).toEqual(JSON.parse(nested(limits.inputDepthMax)));
    for (const depth of [limits.inputDepthMax + 2, 8_000, 2_000_000]) expect(() => parseRecord(nested(depth))).toThrow(refused);
  });

  test('is not deep for its many brackets, nor for those in its texts', () => {
    const wide = JSON.stringify(Array.from({ length: 1_000 }, (_, i) => ({ i })));
    expect(parseRecord(wide)).toHaveLength(1_000);
    expect(parseRecord(JSON.stringify('[{'.repeat(1_000)))).toHaveLength(2_000);
  });

  test.each(['9007199254740993', '-9007199254740993', '{"a":[1,{"b":12345678901234567890}]}', '1e400', '{"a":-1e999}'])(
    'has no number that would be rounded, where that is asked for: %s',
    (text) => {
      expect(() => parseRecord(text, { exact: true })).toThrow(refused);
      expect(parseRecord(text)).toEqual(JSON.parse(text));
    },
  );

  test.each(['9007199254740991', '9007199254740992', '1152921504606846976', '0.12345678901234567', '1e300', '"9007199254740993"', '-0'])(
    'is taken as it is: %s',
    (text) => expect(parseRecord(text, { exact: true })).toBe(JSON.parse(text)),
  );
});
