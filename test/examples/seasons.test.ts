import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Route, seasonLine, settle, silence } from '../../examples/flights/seasons.ts';
import { job } from '../../examples/flights/job.ts';
import { compileJob, days, minutes } from '../../lib/index.ts';
import { OperatorHarness } from '../../lib/testing/index.ts';

interface Line {
  readonly first: string;
  readonly last: string;
  readonly flights: number;
  readonly longestGapMinutes: number;
}

const bound = minutes(10);
const { registry } = compileJob(job, { parameters: { input: 'flights.parquet' } });
const definition = [...registry.values()].find(({ uid }) => uid === 'seasons')!;
const flight = (date: number) => ({ date, delay: 0, origin: 'ATL', destination: 'SAV' });
const seasonsHarness = () => new OperatorHarness<ReturnType<typeof flight>, Line>(definition);

/** Feeds the flights in the order given, each followed by the watermark that the source's strategy would send. */
function run(dates: readonly number[]): Line[] {
  const harness = seasonsHarness();
  let latest = -Infinity;
  for (const date of dates) {
    harness.processElement(flight(date), date);
    latest = Math.max(latest, date);
    harness.processWatermark(latest - bound - 1);
  }
  harness.end();
  expect(harness.snapshot().keyed).toEqual({ cells: [], timers: [] });
  return harness.output();
}

/** The meaning of a season, in the plainest way. */
function plainly(dates: readonly number[]): Line[] {
  const runs: number[][] = [];
  for (const date of dates.toSorted((a, b) => a - b)) {
    const current = runs.at(-1);
    if (current === undefined || date - current.at(-1)! > silence) runs.push([date]);
    else current.push(date);
  }
  return runs.map((times) => ({
    route: 'ATL-SAV',
    first: new Date(times[0]!).toISOString(),
    last: new Date(times.at(-1)!).toISOString(),
    flights: times.length,
    longestGapMinutes: times.slice(1).reduce((longest, time, i) => Math.max(longest, time - times[i]!), 0) / minutes(1),
  }));
}

/** Times around the decisive distances: within the bound, and near seven days. */
const steps = fc.oneof(
  fc.nat(bound * 2),
  fc.integer({ min: silence - 2, max: silence + 2 }),
  fc.constantFrom(0, silence, silence - bound, silence + bound, days(20)),
);
const times = fc.array(steps, { minLength: 1, maxLength: 30 }).map((gaps) =>
  gaps.map(
    (
      (at) => (gap: number) =>
        (at += gap)
    )(days(3)),
  ),
);

describe('the seasons of a route', () => {
  test('end after more than seven days of silence; exactly seven days do not end them', () => {
    expect(run([0, days(7), days(14) + 1])).toEqual(plainly([0, days(7), days(14) + 1]));
    expect(run([0, days(7), days(14) + 1])).toHaveLength(2);
  });

  test('are written once it is sure that they can grow no more, not before', () => {
    const harness = seasonsHarness();
    harness.processElement(flight(0), 0);
    harness.processWatermark(silence - 1);
    expect(harness.output()).toEqual([]);
    harness.processWatermark(silence);
    expect(harness.output()).toEqual(plainly([0]));
  });

  test('count a flight that comes late within the bound as if it had come in time', () => {
    const late = [days(1) + minutes(5), days(1), days(1) + minutes(2), days(1)];
    expect(run(late)).toEqual(plainly(late));
    expect(run(late)[0]).toMatchObject({ flights: 4, longestGapMinutes: 3 });
  });

  test('are the same for sorted input and for any order within the watermark bound', () => {
    fc.assert(
      fc.property(times, fc.infiniteStream(fc.nat(bound)), (sorted, delays) => {
        const arrivals = sorted
          .map((date) => ({ date, at: date + delays.next().value! }))
          .sort((a, b) => a.at - b.at)
          .map(({ date }) => date);
        const expected = plainly(sorted);
        expect(run(sorted)).toEqual(expected);
        expect(run(arrivals)).toEqual(expected);
      }),
    );
  });

  test('are the same however the work is cut by watermarks', () => {
    fc.assert(
      fc.property(times, fc.array(fc.nat(30), { maxLength: 4 }), (sorted, cuts) => {
        let route: Route | undefined;
        const lines: Line[] = [];
        const ended = (season: Parameters<typeof seasonLine>[1]): void => void lines.push(seasonLine('ATL-SAV', season));
        sorted.forEach((date, index) => {
          route = { season: route?.season, waiting: [...(route?.waiting ?? []), date] };
          if (cuts.includes(index)) route = settle(route, date, ended);
        });
        settle(route, Number.MAX_SAFE_INTEGER, ended);
        expect(lines).toEqual(plainly(sorted));
      }),
    );
  });

  test('leave out a flight that is later than the watermark allows', () => {
    const harness = seasonsHarness();
    harness.processElement(flight(days(30)), days(30));
    harness.processWatermark(days(30) - 1);
    harness.processElement(flight(0), 0);
    harness.end();
    expect(harness.output()).toEqual(plainly([days(30)]));
  });

  test('go on from a snapshot at any point', () => {
    fc.assert(
      fc.property(times, fc.nat(30), (sorted, at) => {
        let harness = seasonsHarness();
        const lines: Line[] = [];
        sorted.forEach((date, index) => {
          if (index === at) {
            lines.push(...harness.output());
            harness = new OperatorHarness(definition, { restore: harness.snapshot() });
          }
          harness.processElement(flight(date), date);
          harness.processWatermark(date - bound - 1);
        });
        harness.end();
        expect([...lines, ...harness.output()]).toEqual(plainly(sorted));
      }),
    );
  });
});
