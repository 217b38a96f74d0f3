/**
 * `npm run sim`: the simulator over all topologies of test/sim, for as many seeds or as long as is asked.
 *
 * A failing seed is told with the fewest faults that make it fail, and as the line that repeats it; it belongs into test/sim/seeds.json.
 */
import { parseArgs } from 'node:util';
import { simulateTopology, topologyNamed } from '../test/sim/run-topology.ts';
import { hardTopologies } from '../test/sim/hard-topologies.ts';
import { topologies, type Topology } from '../test/sim/topologies.ts';

const all = [...topologies, ...hardTopologies];

const help = `npm run sim -- [--seeds 100] [--first-seed 1] [--topology name] [--minutes n] [--keep-going] [--hashes] [--json]

--seeds       runs of each topology          --minutes   go on with further seeds for so long
--topology    only that one: ${all.map(({ name }) => name).join(', ')}
--hashes      print the hash of every run: the same seed gives the same, with every Node
`;

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '100' },
    'first-seed': { type: 'string', default: '1' },
    topology: { type: 'string' },
    minutes: { type: 'string' },
    'keep-going': { type: 'boolean', default: false },
    hashes: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  },
});

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

if (values.help) console.log(help);
else await main();

async function main(): Promise<void> {
  const startedAt = performance.now();
  const endsAt = values.minutes === undefined ? startedAt : startedAt + Number(values.minutes) * 60_000;
  const wanted = values.topology === undefined ? all : [topologyNamed(values.topology)];
  let firstSeed = Number(values['first-seed']);
  do {
    for (const topology of wanted) if (!ending.signal.aborted) await go(topology, firstSeed);
    firstSeed += Number(values.seeds);
  } while (!ending.signal.aborted && performance.now() < endsAt && (violations.length === 0 || values['keep-going']));
  const seconds = Math.round((performance.now() - startedAt) / 1_000);
  if (values.json) console.log(JSON.stringify({ ...totals, violations: violations.length, list: violations, seconds }));
  else if (!values.hashes) console.log(`${JSON.stringify(totals)} in ${seconds} s, ${violations.length} violations`);
  process.exitCode = violations.length === 0 ? 0 : 1;
}

async function go(topology: Topology, firstSeed: number): Promise<void> {
  const { name } = topology;
  const report = await simulateTopology(topology, {
    seeds: Number(values.seeds),
    firstSeed,
    bail: !values['keep-going'],
    signal: ending.signal,
    onRun: ({ seed, hash }) => {
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
