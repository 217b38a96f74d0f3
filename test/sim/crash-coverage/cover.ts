/**
 * Runs scenarios until nothing is missing. Each call that still lacks a fault gets one, several in a run: so few runs show much, and what is rare is reached
 * behind what went wrong before it.
 */
import type { Decisions } from '../../../lib/testing/sim/decisions.ts';
import type { FaultSource } from '../../../lib/testing/sim/fault.ts';
import type { Violation } from '../../../lib/testing/sim/simulation-report.ts';
import { simulateTopology, topologyNamed } from '../run-topology.ts';
import type { CrashCoverage, Wanted } from './crash-coverage.ts';
import type { PortCall } from './port-calls.ts';
import { scenarios as allScenarios, type Scenario } from './scenarios.ts';

export interface CoverOptions {
  readonly runsMax: number;
  readonly firstSeed?: number;
  readonly scenarios?: readonly Scenario[];
  readonly signal?: AbortSignal;
  readonly onRun?: (told: { readonly scenario: string; readonly runs: number; readonly gained: number }) => void;
}

export interface Covered {
  readonly runs: number;
  readonly faults: number;
  readonly violations: readonly (Violation & { readonly scenario: string })[];
}

/** In one run. More would keep it from getting anywhere. */
const faultsMax = 12;
const share = 0.3;
/** At one call: what fails again and again is given up, as it should be. */
const inARowMax = 2;
/** In a run, on average: such a call is hit whenever it comes. */
const rareTimes = 2;
/** A run has so many calls, mostly: it begins somewhere, so that all of its parts get their faults. */
const callsUsual = 900;
/** How much of what a scenario has shown before counts, beside what it showed last. */
const memory = 0.5;

export async function cover(coverage: CrashCoverage, options: CoverOptions): Promise<Covered> {
  const { runsMax, firstSeed = 1, scenarios = allScenarios, signal, onRun } = options;
  const violations: Covered['violations'][number][] = [];
  const seen = new Map<PortCall, number>();
  const chosen = scenarios.map((scenario) => ({ scenario, runs: 0, yields: Number.POSITIVE_INFINITY }));
  let runs = 0;
  let faults = 0;
  for (; runs < runsMax && coverage.report().missing.length > 0 && signal?.aborted !== true;) {
    // The one that has shown most of late for what it costs; and everybody has a turn now and then.
    const next = runs % 5 === 4 ? chosen.toSorted((a, b) => a.runs - b.runs)[0]! : chosen.toSorted((a, b) => b.yields - a.yields)[0]!;
    const { scenario } = next;
    const before = coverage.report().hit;
    const watch = (drawn: FaultSource, decisions: Decisions): FaultSource =>
      hungry({ coverage, also: scenario.also, seen, runs }, drawn, decisions);
    const report = await simulateTopology(topologyNamed(scenario.topology), {
      seeds: 1,
      firstSeed: firstSeed + next.runs++,
      world: { ...scenario.world, watch },
      onRun: ({ problems, happened }) => {
        if (problems.length === 0) coverage.credit(happened);
      },
    });
    violations.push(...report.violations.map((violation) => ({ ...violation, scenario: scenario.name })));
    runs++;
    faults += report.faults;
    const gained = coverage.report().hit - before;
    const yielded = gained / report.calls;
    next.yields = Number.isFinite(next.yields) ? memory * next.yields + (1 - memory) * yielded : yielded;
    onRun?.({ scenario: scenario.name, runs, gained });
  }
  return { runs, faults, violations };
}

interface Hungry {
  readonly coverage: CrashCoverage;
  readonly also: Scenario['also'];
  /** How often each call has been seen, in all runs. */
  readonly seen: Map<PortCall, number>;
  readonly runs: number;
}

function hungry({ coverage, also = {}, seen, runs }: Hungry, drawn: FaultSource, decisions: Decisions): FaultSource {
  let taken = 0;
  let calls = 0;
  const from = decisions.chance('hungry at once', 0.25) ? 0 : decisions.below('hungry from', callsUsual);
  const takenBy = new Map<PortCall, number>();
  const at: Wanted['at'] = (call, missing, site) => {
    calls++;
    const timesSeen = (seen.get(call) ?? 0) + 1;
    seen.set(call, timesSeen);
    const already = takenBy.get(call) ?? 0;
    if (already >= inARowMax) return undefined;
    const isRare = timesSeen < runs * rareTimes;
    if (missing.length > 0 && (isRare || (calls > from && decisions.chance('hungry', share)))) {
      taken++;
      takenBy.set(call, already + 1);
      return decisions.pick('hungry for', missing);
    }
    const [kind, chance] = also[site] ?? [];
    return kind !== undefined && decisions.chance(`also/${site}`, chance!) ? kind : undefined;
  };
  return coverage.watch(drawn, { at, isSated: () => taken >= faultsMax });
}
