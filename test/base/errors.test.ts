import { describe, expect, test } from 'vitest';
import { errorCode, errorMessage, SluiceError } from '../../lib/base/errors.ts';
import { channelId, isJobId } from '../../lib/base/ids.ts';
import { assertNever, invariant } from '../../lib/base/invariant.ts';

describe('errors', () => {
  test('carry a code, what to do next, and the facts', () => {
    const cause = new Error('disk full');
    const error = new SluiceError('SLUICE-X', 'it broke', { hint: 'Mend it.', facts: { at: 3 }, cause, retryable: true });
    expect(error).toMatchObject({ code: 'SLUICE-X', message: 'it broke', hint: 'Mend it.', facts: { at: 3 }, cause, retryable: true });
    const bare = new SluiceError('SLUICE-X', 'it broke', { hint: 'Mend it.' });
    expect(bare).toMatchObject({ facts: {}, retryable: false });
    expect('cause' in bare).toBe(false);
  });

  test('are told by their code, whatever was thrown', () => {
    expect(errorCode(new SluiceError('SLUICE-X', 'm', { hint: 'h' }))).toBe('SLUICE-X');
    expect(errorCode(Object.assign(new Error('m'), { code: 'ENOENT' }))).toBe('ENOENT');
    for (const thrown of [undefined, null, 'text', 7, {}, { code: 7 }]) expect(errorCode(thrown)).toBeUndefined();
    expect(['text', undefined, new Error('m')].map(errorMessage)).toEqual(['text', 'undefined', 'm']);
  });

  test('a broken rule names itself', () => {
    expect(() => invariant(1 + 1 === 2, 'X1', 'fine')).not.toThrow();
    expect(() => invariant(1 + 1 === 3, 'X1', 'sums are wrong', { sum: 2 })).toThrow(
      expect.objectContaining({ code: 'SLUICE-INVARIANT', message: 'X1: sums are wrong', facts: { rule: 'X1', sum: 2 } }),
    );
    expect(() => assertNever('blue' as never, 'colour')).toThrow(expect.objectContaining({ code: 'SLUICE-INVARIANT' }));
  });
});

describe('ids', () => {
  test('a job id is 32 lower-case hex digits', () => {
    expect(isJobId('0123456789abcdef0123456789abcdef')).toBe(true);
    for (const text of ['', '0123456789abcdef0123456789abcde', '0123456789ABCDEF0123456789abcdef', '0123456789abcdef0123456789abcdef\n']) {
      expect(isJobId(text), JSON.stringify(text)).toBe(false);
    }
  });

  test('channels of different edges and shards have different ids', () => {
    const ids = new Set<string>();
    for (const edge of [0, 1, 11]) for (const from of [0, 1, 11]) for (const to of [0, 1, 11]) ids.add(channelId(edge, from, to));
    expect(ids.size).toBe(27);
  });
});
