/**
 * `npm run sim`: the simulator over all topologies of test/sim, for as many seeds or as long as is asked.
 *
 * A failing seed is told with the fewest faults that make it fail, and as the line that repeats it; it belongs into test/sim/seeds.json.
 */
import { cover } from '../test/sim/crash-coverage/cover.ts';
import { CrashCoverage } from '../test/sim/crash-coverage/crash-coverage.ts';
import { codeToCover } from '../test/sim/crash-coverage/port-calls.ts';
import { simulateTopology, topologyNamed } from '../test/sim/run-topology.ts';
import { hardTopologies } from '../test/sim/hard-topologies.ts';
import { topologies, type Topology } from '../test/sim/topologies.ts';
import { minutesOf, refuseOptions, scriptOptions, wholeNumber } from './script-options.ts';
import { simMutants } from './sim-mutants.ts';

const all = [...topologies, ...hardTopologies];

const help = `npm run sim -- [--seeds 100] [--first-seed 1] [--topology name] [--minutes n] [--keep-going] [--hashes] [--no-coverage] [--json]

--seeds       runs of each topology          --minutes   go on with further seeds for so long
--topology    only that one: ${all.map(({ name }) => name).join(', ')}
--no-coverage   without crash coverage: what the seeds have not hit is hit by further runs (npm run sim:coverage); with --topology never
--hashes      print the hash of every run: the same seed gives the same, with every Node
--mutants     break each rule of the protocol in turn, until a run shows it: npm run sim -- --mutants --help
`;

const asksForMutants = process.argv.includes('--mutants');
const { values } = scriptOptions(
  help,
  {
    seeds: { type: 'string', default: '100' },
    'first-seed': { type: 'string', default: '1' },
    topology: { type: 'string' },
    minutes: { type: 'string' },
    'keep-going': { type: 'boolean', default: false },
    hashes: { type: 'boolean', default: false },
    'no-coverage': { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
  asksForMutants ? { args: [] } : {},
);
if (values.topology !== undefined && !all.some(({ name }) => name === values.topology))
  refuseOptions(`there is no topology ${values.topology}`);
const seeds = wholeNumber('seeds', values.seeds);
const minutes = values.minutes === undefined ? 0 : minutesOf(values.minutes);

interface Told {
  readonly topology: string;
  readonly seed: number;
  readonly problems: readonly string[];
  readonly faults: number;
  readonly timeline: readonly string[];
}

const ending = new AbortController();
// What has been found so far is told; a second Ctrl-C ends at once.
process.once('SIGINT', () => ending.abort());

const totals = { runs: 0, faults: 0, restores: 0, savepoints: 0, continued: 0, checkpoints: 0, calls: 0, virtualHours: 0 };
const violations: Told[] = [];
const coverage = values.topology !== undefined || values.hashes || values['no-coverage'] ? null : new CrashCoverage(codeToCover().calls);
const coverageRunsMax = 600;

if (asksForMutants) await simMutants(process.argv.slice(2));
else await main();

async function main(): Promise<void> {
  const startedAt = performance.now();
  const endsAt = startedAt + minutes * 60_000;
  const wanted = values.topology === undefined ? all : [topologyNamed(values.topology)];
  let firstSeed = wholeNumber('first-seed', values['first-seed'], 0);
  do {
    for (const topology of wanted) if (!ending.signal.aborted) await go(topology, firstSeed);
    firstSeed += seeds;
  } while (!ending.signal.aborted && performance.now() < endsAt && (violations.length === 0 || values['keep-going']));
  const covered = await completed();
  const seconds = Math.round((performance.now() - startedAt) / 1_000);
  if (values.json) console.log(JSON.stringify({ ...totals, violations: violations.length, ...covered, list: violations, seconds }));
  else if (!values.hashes) console.log(`${JSON.stringify(totals)} in ${seconds} s, ${violations.length} violations`);
  process.exitCode = violations.length + covered.missing.length === 0 ? 0 : 1;
}

/** What the seeds have not hit, hit on purpose; null where it was not measured. */
async function completed(): Promise<{ readonly crashCoverage: number | null; readonly missing: readonly string[] }> {
  if (coverage === null) return { crashCoverage: null, missing: [] };
  const bySeeds = coverage.report().fraction;
  const { runs, faults, violations: more } = await cover(coverage, { runsMax: coverageRunsMax, signal: ending.signal });
  totals.runs += runs;
  totals.faults += faults;
  for (const { scenario, seed, problems, faults: fewest, timeline } of more) {
    violations.push({ topology: scenario, seed, problems, faults: fewest.length, timeline });
    console.error(`${scenario}, seed ${seed}: ${problems.join('; ')}\n${timeline.join('\n')}\nAgain: npm run sim:coverage`);
  }
  const { fraction, missing, hit, pairs } = coverage.report();
  if (!values.json) {
    for (const pair of missing) console.log(`missing: ${pair}`);
    console.log(
      `crash coverage: ${hit} of ${pairs} pairs, ${Math.round(100 * bySeeds)} % of them by the seeds, the others in ${runs} runs`,
    );
  }
  return { crashCoverage: fraction, missing };
}

async function go(topology: Topology, firstSeed: number): Promise<void> {
  const { name } = topology;
  const report = await simulateTopology(topology, {
    seeds,
    firstSeed,
    bail: !values['keep-going'],
    ...(coverage === null ? {} : { world: { watch: (drawn) => coverage.watch(drawn) } }),
    signal: ending.signal,
    onRun: ({ seed, hash, problems, happened }) => {
      if (problems.length === 0) coverage?.credit(happened);
      if (values.hashes) console.log(`${name} ${seed} ${hash}`);
    },
  });
  totals.runs += report.runs;
  totals.faults += report.faults;
  totals.restores += report.restores;
  totals.savepoints += report.savepoints;
  totals.continued += report.continued;
  totals.checkpoints += report.checkpoints;
  totals.calls += report.calls;
  totals.virtualHours = Math.round((totals.virtualHours + report.virtualMs / 3_600_000) * 100) / 100;
  for (const { seed, problems, faults, timeline } of report.violations) {
    violations.push({ topology: name, seed, problems, faults: faults.length, timeline });
    console.error(`${name}, seed ${seed}: ${problems.join('; ')}\n${timeline.join('\n')}`);
    console.error(`Again: npm run sim -- --topology ${name} --first-seed ${seed} --seeds 1\n`);
  }
  if (!values.hashes) console.error(`${name}: seeds ${firstSeed} to ${firstSeed + report.runs - 1}, ${totals.runs} runs in all`);
}
