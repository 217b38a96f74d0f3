import { describe, expect, test } from 'vitest';
import { checkpointTimes, type ListedCheckpoint } from '../../scripts/demo/checkpoint-times.ts';
import { demoLimit } from '../../scripts/demo/demo-limit.ts';

describe('the limit of the demonstration', () => {
  test('is all records where none is given', () => {
    expect(demoLimit(undefined)).toBe(3_000_000);
  });

  test('may be written as people write numbers', () => {
    expect([demoLimit('500000'), demoLimit('1_000_000'), demoLimit('3,000,000')]).toEqual([500_000, 1_000_000, 3_000_000]);
  });

  test.each(['20000', '499999', '3000001', '0', '-5', '600000.5', 'many', '', 'NaN'])(
    '%j is refused, and what is wanted is said',
    (text) => {
      expect(demoLimit(text)).toMatch(/^--limit .*: a whole number from 500,000 to 3,000,000 is wanted\./);
    },
  );
});

describe('the checkpoints in its table', () => {
  const completed = (trigger: number, duration: number): ListedCheckpoint => ({
    status: 'COMPLETED',
    checkpoint_type: 'CHECKPOINT',
    trigger_timestamp: trigger,
    end_to_end_duration: duration,
  });

  test('are those of one life of the process, not of the job', () => {
    const history = [completed(5_000, 30), completed(4_000, 10), completed(3_000, 20), completed(2_000, 900), completed(1_000, 900)];
    expect(checkpointTimes(history, 3_000)).toBe('3, median 20 ms, longest 30 ms');
  });

  test('are neither failed ones, nor running ones, nor savepoints', () => {
    const history: readonly ListedCheckpoint[] = [
      { ...completed(9, 1), status: 'IN_PROGRESS' },
      { ...completed(8, 2), status: 'FAILED' },
      { ...completed(7, 3), checkpoint_type: 'SYNC_SAVEPOINT' },
      completed(6, 4),
    ];
    expect(checkpointTimes(history, 0)).toBe('1, median 4 ms, longest 4 ms');
  });

  test('before the first one are none, and no NaN', () => {
    expect(checkpointTimes([], 0)).toBe('none yet');
    expect(checkpointTimes([completed(1, 5)], 2)).toBe('none yet');
  });
});
