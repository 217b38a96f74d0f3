/**
 * The seasons of a route: maximal runs of its flights without a silence of more than seven days. The result does not depend on the order in which
 * flights come: one that the watermark has not passed waits, because one that comes after it may have been flown before it.
 */
import { days, minutes } from 'sluice';

/** Longer than this ends a season; exactly this does not. */
export const silence = days(7);

interface Season {
  readonly first: number;
  readonly last: number;
  readonly flights: number;
  readonly longestGap: number;
}

export interface Route {
  readonly season: Season | undefined;
  /** Times of flights that the watermark has not passed, as they came. */
  readonly waiting: readonly number[];
}

export interface SeasonLine {
  readonly route: string;
  readonly first: string;
  readonly last: string;
  readonly flights: number;
  readonly longestGapMinutes: number;
}

const nothing: Route = { season: undefined, waiting: [] };

/** Takes the flights up to the watermark into the season, in order of time; `ended` gets every season that can grow no more. */
export function settle({ season, waiting }: Route = nothing, watermark: number, ended: (season: Season) => void): Route {
  let current = season;
  const endBefore = (time: number): void => {
    if (current === undefined || time - current.last <= silence) return;
    ended(current);
    current = undefined;
  };
  for (const time of waiting.filter((each) => each <= watermark).sort((a, b) => a - b)) {
    endBefore(time);
    current = current === undefined ? { first: time, last: time, flights: 1, longestGap: 0 } : extended(current, time);
  }
  // What comes from now on is later than the watermark.
  endBefore(watermark + 1);
  return { season: current, waiting: waiting.filter((each) => each > watermark) };
}

function extended({ first, last, flights, longestGap }: Season, time: number): Season {
  return { first, last: time, flights: flights + 1, longestGap: Math.max(longestGap, time - last) };
}

export function seasonLine(route: string, { first, last, flights, longestGap }: Season): SeasonLine {
  return { route, first: iso(first), last: iso(last), flights, longestGapMinutes: longestGap / minutes(1) };
}

function iso(timestamp: number): string {
  return new Date(timestamp).toISOString();
}
