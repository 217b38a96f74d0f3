import { expect, test } from 'vitest';
import { summaryOf } from '../../lib/api/views/percentiles.ts';

test('a summary of nothing has the text NaN for percentiles and zeros for the rest, as in Flink', () => {
  expect(summaryOf([])).toEqual({ min: 0, max: 0, avg: 0, p50: 'NaN', p90: 'NaN', p95: 'NaN', p99: 'NaN', p999: 'NaN' });
});

test('a summary of two values is the recorded one', () => {
  expect(summaryOf([5698, 3086])).toEqual({ min: 3086, max: 5698, avg: 4392, p50: 4392, p90: 5698, p95: 5698, p99: 5698, p999: 5698 });
});

test('percentiles lie between neighbours', () => {
  const values = Array.from({ length: 99 }, (_, index) => index + 1);
  expect(summaryOf(values)).toMatchObject({ p50: 50, p90: 90, p95: 95, p99: 99 });
  expect(summaryOf([10, 20, 30, 40])).toMatchObject({ p50: 25, avg: 25 });
});
