/**
 * The two results of the flights job, computed in the plainest way: remember everything, sort, look.
 *
 * Owns: the meaning of `daily` and `seasons`, written a second time and differently from the job.
 * Does not own: reading (expected-reader.ts), comparing (expected-compare.ts). Imports nothing of the engine, on purpose.
 *
 * It does not rely on the order of its input: the days are kept apart by their number, and the times of a route are sorted before
 * its seasons are looked for. So it also proves a job that was fed in another order.
 */
import type { FlightBatch } from './expected-reader.ts';

export interface ExpectedFlights {
  /** NDJSON lines without their line ends, in the order of plain string comparison. */
  readonly daily: string[];
  readonly seasons: string[];
}

interface Day {
  flights: number;
  delaySum: number;
  delayMax: number;
}

interface Airport {
  readonly days: Map<number, Day>;
  readonly departuresTo: Map<string, number[]>;
}

const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;
const longestSilenceMs = 7 * dayMs;

export async function computeExpected(batches: AsyncIterable<FlightBatch> | Iterable<FlightBatch>): Promise<ExpectedFlights> {
  const airports = new Map<string, Airport>();
  for await (const batch of batches) addBatch(airports, batch);
  const daily: string[] = [];
  const seasons: string[] = [];
  for (const [origin, airport] of airports) {
    for (const [day, sums] of airport.days) daily.push(dailyLine(origin, day, sums));
    for (const [destination, times] of airport.departuresTo) pushSeasons(seasons, `${origin}-${destination}`, times);
  }
  return { daily: daily.sort(), seasons: seasons.sort() };
}

function addBatch(airports: Map<string, Airport>, { at, delay, origin, destination }: FlightBatch): void {
  at.forEach((time, index) => {
    const airport = getOrAdd(airports, origin[index] as string, newAirport);
    getOrAdd(airport.departuresTo, destination[index] as string, newTimes).push(time);
    // Floor, not truncation: a day before 1970 has a negative number and still begins at its midnight.
    const day = getOrAdd(airport.days, Math.floor(time / dayMs), newDay);
    const minutes = delay[index] as number;
    day.flights += 1;
    day.delaySum += minutes;
    day.delayMax = Math.max(day.delayMax, minutes);
  });
}

const newAirport = (): Airport => ({ days: new Map(), departuresTo: new Map() });
const newTimes = (): number[] => [];
const newDay = (): Day => ({ flights: 0, delaySum: 0, delayMax: -Infinity });

function getOrAdd<K, V>(map: Map<K, V>, key: K, create: () => V): V {
  let value = map.get(key);
  if (value === undefined) map.set(key, (value = create()));
  return value;
}

/** The window's end is the next midnight, which is no longer part of it. */
function dailyLine(origin: string, day: number, { flights, delaySum, delayMax }: Day): string {
  return JSON.stringify({ origin, windowStart: iso(day * dayMs), windowEnd: iso((day + 1) * dayMs), flights, delaySum, delayMax });
}

/**
 * A season ends where the next flight is more than seven days away; exactly seven days does not end it.
 * The longest gap is the exact quotient of milliseconds by 60,000: never rounded, so half a minute would be 0.5.
 * (Every date of the real file is a whole minute, so there it is always an integer.)
 */
function pushSeasons(lines: string[], route: string, times: readonly number[]): void {
  const sorted = Float64Array.from(times).sort();
  let firstIndex = 0;
  let longestGapMs = 0;
  sorted.forEach((time, index) => {
    const next = sorted[index + 1];
    if (next !== undefined && next - time <= longestSilenceMs) {
      longestGapMs = Math.max(longestGapMs, next - time);
      return;
    }
    const first = iso(sorted[firstIndex] as number);
    const flights = index - firstIndex + 1;
    lines.push(JSON.stringify({ route, first, last: iso(time), flights, longestGapMinutes: longestGapMs / minuteMs }));
    firstIndex = index + 1;
    longestGapMs = 0;
  });
}

function iso(timeMs: number): string {
  return new Date(timeMs).toISOString();
}
