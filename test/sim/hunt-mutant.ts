/** One rule of the protocol is broken, and seeds are run until one of them shows it; what failed is made smaller. */
import { mutantRules, switchMutant, type MutantName } from '../../lib/base/mutated.ts';
import type { Violation } from '../../lib/testing/sim/simulation-report.ts';
import { huntFor, type Hunt } from './hunts.ts';
import { simulateTopology, topologyNamed } from './run-topology.ts';

export interface HuntedMutant {
  readonly mutant: MutantName;
  readonly rule: string;
  readonly killed: boolean;
  readonly topology: string | null;
  readonly seed: number | null;
  /** Until it was killed, and how long they took. */
  readonly runs: number;
  readonly seconds: number;
  /** How many of the run's faults are left when it has been made smaller; null: not killed, or not tried. */
  readonly faults: number | null;
  readonly problem: string | null;
  /** Runs that fail though every rule is kept. */
  readonly alarms: readonly string[];
}

export interface HuntOptions {
  readonly secondsMax?: number;
  /** Without the run that is known to show it. */
  readonly search?: boolean;
  /** Where a search goes on after a kill: for so many of them, as long as there is time, and the smallest is kept. */
  readonly best?: number;
  /** Runs for making one kill smaller; 0 = none. */
  readonly shrinkRuns?: number;
}

type Found = Pick<HuntedMutant, 'topology' | 'seed' | 'faults' | 'problem' | 'runs' | 'seconds'>;

export async function huntMutant(mutant: MutantName, options: HuntOptions = {}): Promise<HuntedMutant> {
  const { secondsMax = 30, search = false, best = 1, shrinkRuns = 150 } = options;
  const hunt = huntFor(mutant);
  const alarms: string[] = [];
  const kills: Found[] = [];
  const begunAt = performance.now();
  const secondsSince = (): number => Math.round(performance.now() - begunAt) / 1_000;
  let runs = 0;
  for (const [topology, seed] of candidates(hunt, search)) {
    if (secondsSince() > secondsMax) break;
    runs++;
    const violation = await run(mutant, hunt, topology, seed, 0);
    if (violation === undefined) continue;
    // A run that shows something anyway says nothing about the mutant, but much about what the mutant is in.
    const anyway = await run(null, hunt, topology, seed, 0);
    if (anyway !== undefined) {
      alarms.push(`${topology} ${seed} under the circumstances of ${mutant} fails without any mutant: ${anyway.problems[0]}`);
      continue;
    }
    const killed = { topology, seed, runs, seconds: secondsSince(), problem: violation.problems[0]! };
    const small = shrinkRuns === 0 ? undefined : await run(mutant, hunt, topology, seed, shrinkRuns);
    kills.push({ ...killed, faults: small?.faults.length ?? null });
    if (kills.length >= best || (small?.faults.length ?? 0) === 0) break;
  }
  const [kept] = kills.toSorted((a, b) => (a.faults ?? 0) - (b.faults ?? 0));
  const none: Found = { topology: null, seed: null, faults: null, problem: null, runs, seconds: secondsSince() };
  return { mutant, rule: mutantRules[mutant], killed: kept !== undefined, ...(kept ?? none), alarms };
}

/** First what is known, then seed by seed over the topologies. */
function* candidates({ topologies, known }: Hunt, search: boolean): Iterable<readonly [string, number]> {
  if (known !== undefined && !search) yield known;
  for (let seed = 1; ; seed++) for (const topology of topologies) yield [topology, seed];
}

async function run(
  name: MutantName | null,
  { world }: Hunt,
  topology: string,
  firstSeed: number,
  shrink: number,
): Promise<Violation | undefined> {
  switchMutant(name);
  try {
    const { violations } = await simulateTopology(topologyNamed(topology), { world, seeds: 1, firstSeed, shrink: shrink > 0 && shrink });
    return violations[0];
  } finally {
    switchMutant(null);
  }
}

/** The middle one of what killing each has left; where there are two, the larger. */
export function medianFaults(list: readonly Pick<HuntedMutant, 'faults'>[]): number {
  const all = list.flatMap(({ faults }) => (faults === null ? [] : [faults])).sort((a, b) => a - b);
  return all[Math.floor(all.length / 2)] ?? Number.NaN;
}
