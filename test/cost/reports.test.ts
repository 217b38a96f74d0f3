import { describe, expect, test } from 'vitest';
import { costReport, type BilledCheckpoint } from '../../lib/cost/cost-report.ts';
import { crossover, flinkMonth, sluiceMonth, type SluiceLoad } from '../../bench/flink-month.ts';
import { idleMonth } from '../../lib/cost/idle-month.ts';
import { usEast1 } from '../../lib/cost/prices.ts';

const put = (count: number) => ({ 'dynamodb.PutItem': count, 'dynamodb.PutItem.write-unit': count });
const checkpoint = (id: number, changes: Partial<BilledCheckpoint> = {}): BilledCheckpoint => {
  return { id, isCompleted: true, endedAtMs: id * 1_000, records: id * 1_000_000, bill: put(100), ...changes };
};

describe('what a job costs', () => {
  test('is by the bills of its checkpoints, over the events between them', () => {
    const report = costReport([checkpoint(3), checkpoint(1), checkpoint(2)], true, usEast1)!;
    expect(report).toMatchObject({ checkpoints: 3, fromMs: 1_000, toMs: 3_000, events: 3_000_000, requests: 300, sentRequests: 300 });
    expect(report.requestsPerMillionEvents).toBeCloseTo(100);
    expect(report.dollarsPerMillionEvents).toBeCloseTo(100 * 0.625e-6);
    expect(report.dollarsPerCheckpoint).toBeCloseTo(100 * 0.625e-6);
  });

  test('begins behind the first that is known where the job began before it', () => {
    expect(costReport([5, 6, 7].map((id) => checkpoint(id)), false, usEast1)).toMatchObject({ checkpoints: 2, fromMs: 5_000, events: 2_000_000, requests: 200 }); // prettier-ignore
  });

  test('of one checkpoint is known, but not by events', () => {
    const report = costReport([checkpoint(5)], false, usEast1);
    expect(report).toMatchObject({ checkpoints: 1, events: null, dollarsPerMillionEvents: null, requests: 100 });
  });

  test('has failed checkpoints and what is read twice after a restore in the dollars, not in the events', () => {
    const checkpoints = [
      checkpoint(1),
      checkpoint(2, { isCompleted: false, records: null }),
      checkpoint(3, { records: 2_000_000 }),
      // Back to the first, and on.
      checkpoint(4, { records: 1_500_000 }),
      checkpoint(5, { records: 2_500_000 }),
    ];
    expect(costReport(checkpoints, true, usEast1)).toMatchObject({ checkpoints: 4, events: 2_500_000, requests: 500 });
  });

  test('is not known where no checkpoint has a bill', () => {
    expect(costReport([checkpoint(1, { bill: null, records: null })], true, usEast1)).toBeUndefined();
    expect(costReport([], true, usEast1)).toBeUndefined();
  });
});

describe('a month in which nothing comes', () => {
  test('has what AWS polls, watches and keeps, and nothing else', () => {
    const { polling, alarms, dashboards, storage, total } = idleMonth(
      { fifoQueues: 4, standardQueues: 1, alarmMetrics: 3, dashboards: 1, stateBytes: 1024 ** 3 },
      usEast1,
    );
    // Five pollers, a long poll of 20 s each: 657,000 receives.
    expect(polling).toBeCloseTo(0.657 * (4 * 0.5 + 0.4));
    expect([alarms, dashboards, storage]).toEqual([expect.closeTo(0.3), 3, expect.closeTo(0.473)]);
    expect(total).toBeCloseTo(polling + alarms + dashboards + storage);
  });
});

describe('Managed Flink beside it', () => {
  const load: SluiceLoad = { recordsPerRound: 16_384, dollarsPerRound: 0.0001, dollarsPerMillionEvents: 0.001, roundSeconds: 1, dollarsPerCheckpoint: 0.0002, checkpointSeconds: 60, idleMonth: 2 }; // prettier-ignore
  const perUnit = 10_000;

  test('costs two units at the least, and one more for every so many events', () => {
    expect(flinkMonth(1, perUnit, usEast1)).toBeCloseTo(2 * 730 * 0.11 + 5);
    expect(flinkMonth(20_001, perUnit, usEast1)).toBeCloseTo(4 * 730 * 0.11 + 15);
  });

  test('is set beside rounds that are full where there is much, and as many as there is time for where there is little', () => {
    const month = 730 * 3_600;
    const checkpoints = (month / 60) * 0.0002;
    expect(sluiceMonth(0, load)).toBe(2);
    expect(sluiceMonth(0.5, load)).toBeCloseTo(2 + checkpoints + 0.5 * month * (0.0001 + 1e-9));
    expect(sluiceMonth(100, load)).toBeCloseTo(2 + checkpoints + month * (0.0001 + 100e-9));
    expect(sluiceMonth(163_840, load)).toBeCloseTo(2 + checkpoints + month * (10 * 0.0001 + 163_840e-9));
  });

  test('is dearer below a load, and cheaper from there on', () => {
    const from = crossover(load, perUnit, usEast1, 1e6)!;
    const cheaper = (events: number): boolean => flinkMonth(events, perUnit, usEast1) < sluiceMonth(events, load);
    expect([from, from * 10, from / 2, 0].map(cheaper)).toEqual([true, true, false, false]);
  });

  test('is never cheaper where rounds cost next to nothing here', () => {
    expect(crossover({ ...load, dollarsPerRound: 1e-6, dollarsPerMillionEvents: 0.0001 }, perUnit, usEast1, 1e6)).toBeNull();
  });
});
