import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type DataStream,
  days,
  hours,
  outputTag,
  slidingEventTime,
  tumblingEventTime,
  tumblingProcessingTime,
  slidingProcessingTime,
  type,
  type WindowAssigner,
} from '../../lib/index.ts';
import { harnessOf } from '../../lib/testing/index.ts';

interface Reading {
  readonly key: string;
  readonly value: number;
}

const late = outputTag<Reading>('late');

const summed = (assigner: WindowAssigner, allowedLateness = 0) =>
  harnessOf((readings: DataStream<Reading>) =>
    readings
      .keyBy(({ key }) => key)
      .window(assigner)
      .allowedLateness(allowedLateness)
      .sideOutputLateData(late)
      .aggregate(
        { createAccumulator: () => 0, add: ({ value }, sum) => sum + value, getResult: (sum) => sum },
        (sum, { key, window }) => `${key} [${window.start},${window.end}) ${sum}`,
      ),
  );

const a = (value: number): Reading => ({ key: 'a', value });
const b = (value: number): Reading => ({ key: 'b', value });

describe('tumbling windows of event time', () => {
  test('fire per key when the watermark reaches their last millisecond, which is the timestamp of the result', () => {
    const harness = summed(tumblingEventTime(10));
    harness.processElement(a(1), 0);
    harness.processElement(b(2), 3);
    harness.processElement(a(4), 9);
    harness.processElement(a(8), 10);
    harness.processWatermark(8);
    expect(harness.output()).toEqual([]);
    harness.processWatermark(9);
    expect(harness.records()).toEqual([
      { value: 'a [0,10) 5', timestamp: 9 },
      { value: 'b [0,10) 2', timestamp: 9 },
    ]);
    harness.processWatermark(19);
    expect(harness.output().at(-1)).toBe('a [10,20) 8');
  });

  test('leave neither contents nor timers behind', () => {
    const harness = summed(tumblingEventTime(10), 5);
    harness.processElement(a(1), 0);
    harness.processWatermark(9);
    harness.processElement(a(1), 1);
    harness.processWatermark(100);
    expect(harness.snapshot().keyed).toEqual({ cells: [], timers: [] });
  });

  test('begin before 1970 as after', () => {
    const harness = summed(tumblingEventTime(10));
    harness.processElement(a(1), -1);
    harness.processElement(a(2), -10);
    harness.processElement(a(4), -11);
    harness.processElement(a(8), 0);
    harness.end();
    expect(harness.output()).toEqual(['a [-20,-10) 4', 'a [-10,0) 3', 'a [0,10) 8']);
  });

  test('begin at their offset', () => {
    const harness = summed(tumblingEventTime(days(1), hours(-8)));
    harness.processElement(a(1), hours(15));
    harness.processElement(a(2), hours(16));
    harness.end();
    expect(harness.output()).toEqual([`a [${hours(-8)},${hours(16)}) 1`, `a [${hours(16)},${hours(40)}) 2`]);
  });

  test('drop what comes after them to the late output', () => {
    const harness = summed(tumblingEventTime(10));
    harness.processElement(a(1), 5);
    harness.processWatermark(9);
    harness.processElement(a(2), 9);
    harness.processElement(a(4), 10);
    harness.processWatermark(19);
    expect(harness.output()).toEqual(['a [0,10) 1', 'a [10,20) 4']);
    expect(harness.sideOutput(late)).toEqual([a(2)]);
  });

  test('fire again at once for what comes within the allowed lateness, and not after', () => {
    const harness = summed(tumblingEventTime(10), 5);
    harness.processElement(a(1), 5);
    harness.processWatermark(9);
    harness.processElement(a(2), 6);
    harness.processWatermark(13);
    harness.processElement(a(4), 7);
    harness.processElement(b(8), 7);
    harness.processWatermark(14);
    harness.processElement(a(16), 8);
    harness.processWatermark(1_000);
    expect(harness.output()).toEqual(['a [0,10) 1', 'a [0,10) 3', 'a [0,10) 7', 'b [0,10) 8']);
    expect(harness.sideOutput(late)).toEqual([a(16)]);
  });

  test('go on from a snapshot between their records and their firing', () => {
    const before = summed(tumblingEventTime(10));
    before.processElement(a(1), 5);
    const build = (readings: DataStream<Reading>) =>
      readings
        .keyBy(({ key }) => key)
        .window(tumblingEventTime(10))
        .aggregate({ createAccumulator: () => 0, add: ({ value }, sum: number) => sum + value, getResult: (sum) => sum });
    const after = harnessOf(build, { restore: before.snapshot() });
    after.processElement(a(2), 6);
    after.processWatermark(9);
    expect(after.output()).toEqual([3]);
  });

  test('refuse a record without a timestamp', () => {
    const harness = summed(tumblingEventTime(10));
    expect(() => harness.processElement(a(1))).toThrow(expect.objectContaining({ code: 'SLUICE-RECORD-WITHOUT-TIMESTAMP' }));
  });

  test('refuse a function that returns nothing', () => {
    const harness = harnessOf((readings: DataStream<Reading>) =>
      readings
        .keyBy(({ key }) => key)
        .window(tumblingEventTime(10))
        .reduce((() => undefined) as never),
    );
    harness.processElement(a(1), 1);
    expect(() => harness.processElement(a(1), 1)).toThrow(expect.objectContaining({ code: 'SLUICE-ACCUMULATOR-UNDEFINED' }));
  });
});

describe('what windows compute', () => {
  test('reduce emits the reduced record, or what the window function makes of it', () => {
    const larger = (left: Reading, right: Reading) => (left.value >= right.value ? left : right);
    const plain = harnessOf((readings: DataStream<Reading>) =>
      readings
        .keyBy(({ key }) => key)
        .window(tumblingEventTime(10))
        .reduce(larger),
    );
    const named = harnessOf((readings: DataStream<Reading>) =>
      readings
        .keyBy(({ key }) => key)
        .window(tumblingEventTime(10))
        .reduce(larger, ({ value }, { window }) => [window.start, value]),
    );
    for (const harness of [plain, named]) {
      for (const value of [3, 7, 5]) harness.processElement(a(value), value);
      harness.end();
    }
    expect(plain.output()).toEqual([a(7)]);
    expect(named.output()).toEqual([[0, 7]]);
  });

  test('process gets all elements in the order in which they came, and may emit many, and to side outputs', () => {
    const counts = outputTag<number>('counts');
    const harness = harnessOf((readings: DataStream<Reading>) =>
      readings
        .keyBy(({ key }) => key)
        .window(tumblingEventTime(10))
        .process({
          emits: type<string>(),
          process(elements, { key, window, timestamp, emit, emitTo }) {
            for (const { value } of elements) emit(`${key}${value}@${window.end}/${timestamp}`);
            emitTo(counts, elements.length);
          },
        }),
    );
    harness.processElement(a(2), 5);
    harness.processElement(a(1), 4);
    harness.end();
    expect(harness.output()).toEqual(['a2@10/9', 'a1@10/9']);
    expect(harness.sideOutput(counts)).toEqual([2]);
  });
});

describe('sliding windows of event time', () => {
  test('take every record into size / slide windows', () => {
    const harness = summed(slidingEventTime(10, 5));
    harness.processElement(a(1), 7);
    harness.end();
    expect(harness.output()).toEqual(['a [0,10) 1', 'a [5,15) 1']);
  });

  test('leave gaps where the slide is longer than the size, and what falls there is in no window', () => {
    const harness = summed(slidingEventTime(5, 10));
    harness.processElement(a(1), 4);
    harness.processElement(a(2), 5);
    harness.processElement(a(4), 10);
    harness.end();
    expect(harness.output()).toEqual(['a [0,5) 1', 'a [10,15) 4']);
  });

  test('take a record that is late for one window into the other, and call it late only when it is late for all', () => {
    const harness = summed(slidingEventTime(10, 5));
    harness.processWatermark(9);
    harness.processElement(a(1), 7);
    harness.processWatermark(14);
    harness.processElement(a(2), 8);
    expect(harness.output()).toEqual(['a [5,15) 1']);
    expect(harness.sideOutput(late)).toEqual([a(2)]);
  });

  test('give the sums of a plain computation, for any sizes, offsets, order and watermarks', () => {
    const events = fc.array(fc.tuple(fc.integer({ min: -60, max: 60 }), fc.integer({ min: 1, max: 9 })), { maxLength: 30 });
    const shape = fc.record({
      size: fc.integer({ min: 1, max: 25 }),
      slide: fc.integer({ min: 1, max: 25 }),
      offset: fc.integer({ min: -5, max: 5 }),
    });
    const watermarks = fc.array(fc.tuple(fc.nat(30), fc.integer({ min: -70, max: 70 })), { maxLength: 4 });
    fc.assert(
      fc.property(events, shape, watermarks, (given, { size, slide, offset }, at) => {
        fc.pre(Math.abs(offset) < slide);
        const harness = summed(slidingEventTime(size, slide, offset));
        const expected = new Map<number, number>();
        let watermark = -Infinity;
        given.forEach(([timestamp, value], index) => {
          for (const [, reached] of at.filter(([place]) => place === index)) {
            watermark = Math.max(watermark, reached);
            harness.processWatermark(watermark);
          }
          harness.processElement(a(value), timestamp);
          for (let start = -200 * slide + offset; start <= timestamp; start += slide) {
            if (timestamp < start + size && start + size - 1 > watermark) expected.set(start, (expected.get(start) ?? 0) + value);
          }
        });
        harness.end();
        const lines = [...expected].sort(([left], [right]) => left - right).map(([start, sum]) => `a [${start},${start + size}) ${sum}`);
        expect(harness.output()).toEqual(lines);
      }),
      { numRuns: 200 },
    );
  });
});

describe('windows of processing time', () => {
  test('take records by the clock, whatever their timestamp, and fire by it', () => {
    const harness = summed(tumblingProcessingTime(100));
    harness.advanceProcessingTime(1_020);
    harness.processElement(a(1), 5);
    harness.processWatermark(1_000_000);
    harness.processElement(a(2));
    harness.advanceProcessingTime(1_098);
    expect(harness.output()).toEqual([]);
    harness.advanceProcessingTime(1_099);
    expect(harness.output()).toEqual(['a [1000,1100) 3']);
  });

  test('slide likewise', () => {
    const harness = summed(slidingProcessingTime(100, 50));
    harness.advanceProcessingTime(1_020);
    harness.processElement(a(1));
    harness.advanceProcessingTime(2_000);
    expect(harness.output()).toEqual(['a [950,1050) 1', 'a [1000,1100) 1']);
  });
});
