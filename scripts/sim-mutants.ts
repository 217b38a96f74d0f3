/**
 * Can the simulator fail? Each rule of the protocol is broken in turn (lib/base/mutated.ts), and seeds are run until one of them shows it.
 *
 *   node scripts/sim-mutants.ts [--json] [--seconds N] [--search] [NAME …]
 *
 * `--search`: without the seeds that are known to show it.
 */
import { parseArgs } from 'node:util';
import { mutantRules, switchMutant, type MutantName } from '../lib/base/mutated.ts';
import type { SimulateOptions } from '../lib/testing/sim/simulate.ts';
import { huntFor } from '../test/sim/hunts.ts';
import { simulateTopology, topologyNamed } from '../test/sim/run-topology.ts';

export interface HuntedMutant {
  readonly name: MutantName;
  readonly rule: string;
  readonly killed: boolean;
  readonly topology: string | null;
  readonly seed: number | null;
  readonly seconds: number;
  readonly problem: string | null;
}

export interface MutantReport {
  readonly mutants: number;
  readonly killed: number;
  readonly list: readonly HuntedMutant[];
  /** Runs that fail though every rule is kept. */
  readonly alarms: readonly string[];
}

export interface HuntOptions {
  readonly names?: readonly MutantName[];
  /** For one mutant. */
  readonly secondsMax?: number;
  /** Without the seeds that are known to show it. */
  readonly search?: boolean;
  readonly onMutant?: (mutant: HuntedMutant) => void;
}

export const mutantNames = Object.keys(mutantRules) as readonly MutantName[];

export async function huntMutants({ names = mutantNames, onMutant, ...options }: HuntOptions = {}): Promise<MutantReport> {
  const list: HuntedMutant[] = [];
  const alarms: string[] = [];
  for (const name of names) {
    const found = await hunt(name, options, alarms);
    onMutant?.(found);
    list.push(found);
  }
  return { mutants: list.length, killed: list.filter(({ killed }) => killed).length, list, alarms };
}

async function hunt(name: MutantName, { secondsMax = 30, search = false }: HuntOptions, alarms: string[]): Promise<HuntedMutant> {
  const { topologies, known, world } = huntFor(name);
  const begunAt = performance.now();
  const secondsSince = (): number => Math.round(performance.now() - begunAt) / 1_000;
  const result = { name, rule: mutantRules[name] };
  for (const [topology, firstSeed] of candidates(topologies, search ? undefined : known)) {
    if (secondsSince() > secondsMax) break;
    const problem = await problemOf(name, topology, firstSeed, world);
    if (problem === undefined) continue;
    // A run that shows something anyway says nothing about the mutant, but much about what the mutant is in.
    const anyway = await problemOf(null, topology, firstSeed, world);
    if (anyway !== undefined) {
      alarms.push(`${topology} ${firstSeed} under the circumstances of ${name} fails without any mutant: ${anyway}`);
      continue;
    }
    return { ...result, killed: true, topology, seed: firstSeed, seconds: secondsSince(), problem };
  }
  return { ...result, killed: false, topology: null, seed: null, seconds: secondsSince(), problem: null };
}

/** First what is known, then seed by seed over the topologies. */
function* candidates(topologies: readonly string[], known: readonly [string, number] | undefined): Iterable<readonly [string, number]> {
  if (known !== undefined) yield known;
  for (let seed = 1; ; seed++) for (const topology of topologies) yield [topology, seed];
}

async function problemOf(
  name: MutantName | null,
  topology: string,
  firstSeed: number,
  world: SimulateOptions['world'] & object,
): Promise<string | undefined> {
  switchMutant(name);
  try {
    const { violations } = await simulateTopology(topologyNamed(topology), { world, seeds: 1, firstSeed, shrink: false });
    return violations[0]?.problems[0];
  } finally {
    switchMutant(null);
  }
}

function line({ name, rule, killed, topology, seed, seconds, problem }: HuntedMutant, verbose: boolean): string {
  const by = killed ? `${topology} ${seed}` : 'SURVIVED';
  return `${name.padEnd(31)} ${by.padEnd(18)} ${seconds.toFixed(1).padStart(5)} s  ${rule}${verbose && problem !== null ? `\n    ${problem.slice(0, 300)}` : ''}`;
}

if (process.argv[1] === import.meta.filename) {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { json: { type: 'boolean' }, verbose: { type: 'boolean' }, seconds: { type: 'string' }, search: { type: 'boolean' } },
  });
  const report = await huntMutants({
    ...(positionals.length === 0 ? {} : { names: positionals as MutantName[] }),
    ...(values.seconds === undefined ? {} : { secondsMax: Number(values.seconds) }),
    search: values.search === true,
    ...(values.json === true ? {} : { onMutant: (mutant) => console.log(line(mutant, values.verbose === true)) }),
  });
  if (values.json === true) console.log(JSON.stringify(report));
  else
    console.log(
      `${report.killed} of ${report.mutants} killed in ${report.list.reduce((sum, { seconds }) => sum + seconds, 0).toFixed(1)} s`,
    );
  for (const alarm of report.alarms) console.error(`ALARM ${alarm}`);
  process.exitCode = report.killed === report.mutants && report.alarms.length === 0 ? 0 : 1;
}
