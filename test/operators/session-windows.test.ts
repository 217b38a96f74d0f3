import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type DataStream, outputTag, sessionEventTime, sessionProcessingTime, type WindowAssigner } from '../../lib/index.ts';
import { harnessOf } from '../../lib/testing/index.ts';

interface Click {
  readonly key: string;
  readonly value: number;
}

const late = outputTag<Click>('late');

const sessions = (assigner: WindowAssigner, allowedLateness = 0, restore?: ReturnType<ReturnType<typeof harnessOf>['snapshot']>) =>
  harnessOf(
    (clicks: DataStream<Click>) =>
      clicks
        .keyBy(({ key }) => key)
        .window(assigner)
        .allowedLateness(allowedLateness)
        .sideOutputLateData(late)
        .aggregate(
          {
            createAccumulator: () => 0,
            add: ({ value }, sum) => sum + value,
            getResult: (sum) => sum,
            merge: (left, right) => left + right,
          },
          (sum, { key, window }) => `${key} [${window.start},${window.end}) ${sum}`,
        ),
    restore === undefined ? {} : { restore },
  );

const a = (value: number): Click => ({ key: 'a', value });
const b = (value: number): Click => ({ key: 'b', value });

describe('session windows of event time', () => {
  test('last until nothing came for longer than the gap; exactly the gap does not end them', () => {
    const harness = sessions(sessionEventTime(10));
    harness.processElement(a(1), 0);
    harness.processElement(b(2), 3);
    harness.processElement(a(4), 10);
    harness.processElement(a(8), 21);
    harness.end();
    expect(harness.records()).toEqual([
      { value: 'b [3,13) 2', timestamp: 12 },
      { value: 'a [0,20) 5', timestamp: 19 },
      { value: 'a [21,31) 8', timestamp: 30 },
    ]);
  });

  test('merge when a record comes between two of them', () => {
    const harness = sessions(sessionEventTime(10));
    harness.processElement(a(1), 0);
    harness.processElement(a(2), 20);
    harness.processElement(a(4), 10);
    expect(harness.timers('event')).toHaveLength(1);
    harness.end();
    expect(harness.output()).toEqual(['a [0,30) 7']);
  });

  test('begin earlier when an earlier record comes', () => {
    const harness = sessions(sessionEventTime(10));
    harness.processElement(a(1), 20);
    harness.processElement(a(2), 15);
    harness.processWatermark(29);
    expect(harness.output()).toEqual(['a [15,30) 3']);
    expect(harness.snapshot().keyed).toEqual({ cells: [], timers: [] });
  });

  test('need one timer only, however often they grow', () => {
    const harness = sessions(sessionEventTime(10));
    for (let time = 0; time < 50; time += 5) harness.processElement(a(1), time);
    expect(harness.timers('event')).toEqual([9]);
    harness.processWatermark(30);
    expect(harness.output()).toEqual([]);
    expect(harness.timers('event')).toEqual([54]);
    harness.processWatermark(54);
    expect(harness.output()).toEqual(['a [0,55) 10']);
  });

  test('take a record that is late by itself into a session that lives', () => {
    const harness = sessions(sessionEventTime(10));
    harness.processElement(a(1), 10);
    harness.processWatermark(18);
    harness.processElement(a(2), 5);
    harness.processElement(b(4), 5);
    harness.end();
    expect(harness.output()).toEqual(['a [5,20) 3']);
    expect(harness.sideOutput(late)).toEqual([b(4)]);
  });

  test('fire again, grow and merge within the allowed lateness', () => {
    const harness = sessions(sessionEventTime(10), 20);
    harness.processElement(a(1), 0);
    harness.processWatermark(15);
    harness.processElement(a(2), 1);
    expect(harness.output()).toEqual(['a [0,10) 1', 'a [0,11) 3']);
    harness.processElement(a(4), 11);
    harness.processWatermark(20);
    expect(harness.output().slice(2)).toEqual(['a [0,21) 7']);
    harness.processWatermark(39);
    harness.processElement(a(8), 5);
    expect(harness.output().slice(3)).toEqual(['a [0,21) 15']);
    harness.processWatermark(40);
    harness.processElement(a(16), 5);
    expect(harness.output()).toHaveLength(4);
    expect(harness.sideOutput(late)).toEqual([a(16)]);
    expect(harness.snapshot().keyed).toEqual({ cells: [], timers: [] });
  });

  test('go on from a snapshot', () => {
    const before = sessions(sessionEventTime(10));
    before.processElement(a(1), 0);
    before.processElement(a(2), 20);
    const after = sessions(sessionEventTime(10), 0, before.snapshot());
    after.processElement(a(4), 10);
    after.end();
    expect(after.output()).toEqual(['a [0,30) 7']);
  });

  test('refuse a record without a timestamp', () => {
    expect(() => sessions(sessionEventTime(10)).processElement(a(1))).toThrow(
      expect.objectContaining({ code: 'SLUICE-RECORD-WITHOUT-TIMESTAMP' }),
    );
  });

  test('keep all elements of merged sessions, the earlier session first', () => {
    const harness = harnessOf((clicks: DataStream<Click>) =>
      clicks
        .keyBy(({ key }) => key)
        .window(sessionEventTime(10))
        .process({
          process(elements, { emit }) {
            emit(elements.map(({ value }) => value));
          },
        }),
    );
    for (const [value, time] of [
      [1, 30],
      [2, 10],
      [3, 20],
    ] as const) {
      harness.processElement(a(value), time);
    }
    harness.end();
    expect(harness.output()).toEqual([[2, 1, 3]]);
  });

  test('give the sessions of a plain computation, in any order of arrival', () => {
    const events = fc.array(fc.tuple(fc.integer({ min: -50, max: 150 }), fc.integer({ min: 1, max: 9 })), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(events, fc.integer({ min: 1, max: 12 }), (given, gap) => {
        const harness = sessions(sessionEventTime(gap));
        for (const [time, value] of given) harness.processElement(a(value), time);
        harness.end();
        expect(harness.output()).toEqual(plainSessions(given, gap));
        expect(harness.snapshot().keyed).toEqual({ cells: [], timers: [] });
      }),
    );
  });

  test('give the same for any order within the bound of the watermark', () => {
    const events = fc.array(fc.tuple(fc.nat(200), fc.integer({ min: 1, max: 9 }), fc.nat(15)), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(events, fc.integer({ min: 1, max: 12 }), (given, gap) => {
        const harness = sessions(sessionEventTime(gap));
        const arrivals = given.toSorted(([left, , leftDelay], [right, , rightDelay]) => left + leftDelay - (right + rightDelay));
        let latest = 0;
        for (const [time, value] of arrivals) {
          harness.processElement(a(value), time);
          latest = Math.max(latest, time);
          harness.processWatermark(latest - 15 - 1);
        }
        harness.end();
        expect(harness.sideOutput(late)).toEqual([]);
        expect(harness.output()).toEqual(plainSessions(given, gap));
      }),
    );
  });
});

describe('session windows of processing time', () => {
  test('last until nothing came for the gap by the clock', () => {
    const harness = sessions(sessionProcessingTime(10));
    harness.processElement(a(1));
    harness.advanceProcessingTime(5);
    harness.processElement(a(2));
    harness.advanceProcessingTime(13);
    expect(harness.output()).toEqual([]);
    harness.advanceProcessingTime(14);
    expect(harness.output()).toEqual(['a [0,15) 3']);
  });
});

function plainSessions(given: readonly (readonly [number, number, number?])[], gap: number): string[] {
  const found: { start: number; last: number; sum: number }[] = [];
  for (const [time, value] of given.toSorted(([left], [right]) => left - right)) {
    const session = found.at(-1);
    if (session === undefined || time - session.last > gap) found.push({ start: time, last: time, sum: value });
    else Object.assign(session, { last: time, sum: session.sum + value });
  }
  return found.map(({ start, last, sum }) => `a [${start},${last + gap}) ${sum}`);
}
