import { describe, expect, test } from 'vitest';
import type { DataStream } from '../../lib/index.ts';
import { harnessOf } from '../../lib/testing/index.ts';

interface Reading {
  readonly sensor: string;
  readonly value: number;
}

const reading = (sensor: string, value: number): Reading => ({ sensor, value });
const bySensor = (readings: DataStream<Reading>) => readings.keyBy(({ sensor }) => sensor);

describe('running results of a keyed stream', () => {
  test('reduce emits the first record as it is, then the reduced one, by key', () => {
    const harness = harnessOf((readings: DataStream<Reading>) => bySensor(readings).reduce((a, b) => (a.value >= b.value ? a : b)));
    for (const each of [reading('a', 1), reading('b', 9), reading('a', 5), reading('a', 3)]) harness.processElement(each, 7);
    expect(harness.output()).toEqual([reading('a', 1), reading('b', 9), reading('a', 5), reading('a', 5)]);
    expect(harness.records().every(({ timestamp }) => timestamp === 7)).toBe(true);
  });

  test('aggregate emits the result so far, null being an accumulator like any other', () => {
    const harness = harnessOf((readings: DataStream<Reading>) =>
      bySensor(readings).aggregate({
        createAccumulator: (): number | null => 0,
        add: ({ value }, sum) => (value < 0 ? null : (sum ?? 100) + value),
        getResult: (sum) => ({ sum }),
      }),
    );
    for (const value of [1, 2, -1, 3]) harness.processElement(reading('a', value));
    expect(harness.output()).toEqual([{ sum: 1 }, { sum: 3 }, { sum: null }, { sum: 103 }]);
  });

  test('a function that returns nothing is refused, for its state would begin anew with every record', () => {
    const reduce = harnessOf((readings: DataStream<Reading>) => bySensor(readings).reduce((() => undefined) as never));
    reduce.processElement(reading('a', 1));
    expect(() => reduce.processElement(reading('a', 2))).toThrow(expect.objectContaining({ code: 'SLUICE-ACCUMULATOR-UNDEFINED' }));
    const aggregate = harnessOf((readings: DataStream<Reading>) =>
      bySensor(readings).aggregate({ createAccumulator: () => 0, add: (() => undefined) as never, getResult: (sum) => sum }),
    );
    expect(() => aggregate.processElement(reading('a', 1))).toThrow(expect.objectContaining({ code: 'SLUICE-ACCUMULATOR-UNDEFINED' }));
  });
});
