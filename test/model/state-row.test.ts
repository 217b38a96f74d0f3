import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseTimerNamespace, sortableTime, timerNamespace } from '../../lib/model/state-row.ts';
import { MAX_WATERMARK, MIN_WATERMARK } from '../../lib/model/time.ts';

const times = fc.oneof(
  fc.maxSafeInteger(),
  fc.integer({ min: -3, max: 3 }),
  fc.constantFrom(MIN_WATERMARK, MAX_WATERMARK, MIN_WATERMARK + 1),
);

describe('times as text', () => {
  test('come back as they were, every millisecond apart from the next', () => {
    fc.assert(
      fc.property(times, fc.string(), (time, namespace) => {
        expect(parseTimerNamespace(timerNamespace(time, namespace))).toEqual({ timestamp: Object.is(time, -0) ? 0 : time, namespace });
      }),
    );
  });

  test('sort as the times do', () => {
    fc.assert(
      fc.property(times, times, (left, right) => {
        expect(Math.sign(left - right)).toBe(
          sortableTime(left) < sortableTime(right) ? -1 : sortableTime(left) > sortableTime(right) ? 1 : 0,
        );
      }),
    );
  });
});
