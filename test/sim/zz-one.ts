import { simulateTopology, topologyNamed } from './run-topology.ts';
import { huntFor } from './hunts.ts';
import { switchMutant } from '../../lib/base/mutated.ts';
const [name, first, n, topo] = [process.argv[2] as any, Number(process.argv[3]), Number(process.argv[4]), process.argv[5]];
const { topologies, world } = huntFor(name);
console.log(JSON.stringify(world));
switchMutant(name);
for (const t of topo ? [topo] : topologies) {
  const t0 = performance.now();
  const r = await simulateTopology(topologyNamed(t), {
    world,
    seeds: n,
    firstSeed: first,
    bail: false,
    shrink: false,
    onRun: (run, totals) =>
      process.env.V &&
      console.log(run.seed, run.problems.length, run.faults, totals.restores, totals.virtualMs | 0, (performance.now() - t0) | 0),
  });
  console.log(t, r.runs, 'restores', r.restores, 'chk', r.checkpoints, ((performance.now() - t0) / n) | 0, 'ms/run', r.violations.length);
  for (const v of r.violations)
    console.log(
      '  ',
      v.seed,
      v.problems.map((p) => p.slice(0, 300)),
    );
}
process.exit(0);
