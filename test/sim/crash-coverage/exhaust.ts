/**
 * Every single fault of a scripted run: its calls are numbered, and then it is run once for each call and each kind of fault that can make a difference there.
 *
 * EH1. Up to its fault each of these runs is the first one, call by call; so the call is there, and is hit.
 */
import type { CallFault, Fault, FaultSource } from '../../../lib/testing/sim/fault.ts';
import type { SimulatedCircumstances, SimulateOptions } from '../../../lib/testing/sim/simulate-options.ts';
import type { Violation } from '../../../lib/testing/sim/simulation-report.ts';
import { simulateTopology, topologyNamed } from '../run-topology.ts';
import type { CrashCoverage } from './crash-coverage.ts';
import { differentKindsOf } from './fault-kinds.ts';
import type { Scenario } from './scenarios.ts';

export interface Pair {
  readonly site: string;
  readonly occurrence: number;
  readonly kind: CallFault;
  /** Where the call stands in the code. */
  readonly call: string;
}

export interface Exhausted {
  readonly pairs: number;
  readonly runs: number;
  readonly hit: number;
  /** Who stood still and did not become a zombie, because nothing was left for others to do; some still stood when the job had ended. */
  readonly alone: number;
  readonly missing: readonly string[];
  readonly violations: readonly (Violation & { readonly scenario: string })[];
}

export interface ExhaustOptions {
  /** Of the pairs only each `of`-th, from `part` on (0 = the first). */
  readonly part?: number;
  readonly of?: number;
  readonly signal?: AbortSignal;
  readonly onRun?: (runs: number, pairs: number) => void;
}

const seed = 1;

/** All that can happen to the scripted run of a scenario. */
async function pairsOf(coverage: CrashCoverage, scenario: Scenario): Promise<readonly Pair[]> {
  const pairs: Pair[] = [];
  const at = (site: string, occurrence: number): undefined => {
    const call = coverage.callHere();
    if (call === undefined) return undefined;
    for (const kind of differentKindsOf(call.method)) pairs.push({ site, occurrence, kind, call: call.name });
  };
  const { violations } = await run(scenario, { watch: (drawn) => ({ ...drawn, at }) });
  if (violations.length > 0) throw new Error(`${scenario.name} fails without any fault: ${violations[0]!.problems.join('; ')}`);
  return pairs;
}

export async function exhaust(coverage: CrashCoverage, scenario: Scenario, options: ExhaustOptions = {}): Promise<Exhausted> {
  const { part = 0, of = 1, signal, onRun } = options;
  const pairs = (await pairsOf(coverage, scenario)).filter((_, i) => i % of === part);
  const missing: string[] = [];
  const violations: Exhausted['violations'][number][] = [];
  let [runs, hit, alone] = [0, 0, 0];
  for (const pair of pairs) {
    if (signal?.aborted === true) break;
    let became: Fault['kind'] | undefined;
    let taken = 0;
    const only = (drawn: FaultSource): FaultSource =>
      coverage.watch({
        ...drawn,
        at: (site, occurrence) => (site === pair.site && occurrence === pair.occurrence ? pair.kind : undefined),
        service: () => undefined,
      });
    const report = await run(scenario, { watch: only }, ({ problems, happened, faults }) => {
      became = happened[0]?.kind;
      taken = faults;
      if (problems.length === 0) coverage.credit(happened);
    });
    violations.push(...report.violations.map((violation) => ({ ...violation, scenario: scenario.name })));
    if (report.violations.length > 0 || taken === 0) missing.push(`${pair.call} (${pair.site} #${pair.occurrence}) × ${pair.kind}`);
    else hit++;
    if (pair.kind.startsWith('zombie') && became?.startsWith('zombie') !== true) alone++;
    onRun?.(++runs, pairs.length);
  }
  return { pairs: pairs.length, runs, hit, alone, missing, violations };
}

function run(scenario: Scenario, watch: Pick<SimulatedCircumstances, 'watch'>, onRun?: SimulateOptions['onRun']) {
  const world = { ...scenario.world, ...watch };
  return simulateTopology(topologyNamed(scenario.topology), {
    seeds: 1,
    firstSeed: seed,
    world,
    ...(onRun === undefined ? {} : { onRun }),
  });
}
