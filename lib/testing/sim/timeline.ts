import type { SimulationResult } from './run-simulation.ts';

/** What happened in a run, for people: seconds, who, what. */
export function timelineOf({ lines, virtualMs }: SimulationResult, problems: readonly string[]): readonly string[] {
  const ends = problems.map((problem) => ({ atMs: virtualMs, who: 'violation', what: problem }));
  return [...lines, ...ends].map(({ atMs, who, what }) => `${(atMs / 1_000).toFixed(3).padStart(9)} s  ${who.padEnd(24)} ${what}`);
}
