import { describe, expect, test } from 'vitest';
import { boundedOutOfOrderness, days, hours, minutes, monotonousTimestamps, noWatermarks, seconds } from '../../lib/index.ts';

describe('watermark strategies', () => {
  test('are plain data and the function that finds the event time', () => {
    expect(boundedOutOfOrderness(minutes(5), (n: number) => n, { idleness: seconds(30), aheadMax: days(1) })).toMatchObject({
      kind: 'bounded-out-of-orderness',
      outOfOrdernessMs: 300_000,
      idleMs: 30_000,
      aheadMaxMs: 86_400_000,
    });
    expect(monotonousTimestamps((n: number) => n)).toMatchObject({ kind: 'monotonous', outOfOrdernessMs: 0, idleMs: 0 });
    expect(noWatermarks()).toEqual({ kind: 'none', outOfOrdernessMs: 0, idleMs: 0, aheadMaxMs: null });
  });

  test.each([Number.NaN, 1.5, undefined, '2001-01-01', new Date(0)])('refuse %j as an event time', (time) => {
    const { timestampOf } = boundedOutOfOrderness(0, (record: { at: number }) => record.at);
    expect(timestampOf?.({ at: 5 })).toBe(5);
    expect(() => timestampOf?.({ at: time as number })).toThrow(expect.objectContaining({ code: 'SLUICE-TIMESTAMP-INVALID' }));
  });

  test('take durations in milliseconds', () => {
    expect([seconds(1), minutes(1), hours(1), days(1)]).toEqual([1_000, 60_000, 3_600_000, 86_400_000]);
  });
});
