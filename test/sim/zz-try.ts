import { simulateTopology, topologyNamed } from './run-topology.ts';
const [first, n, names, world] = [
  Number(process.argv[2]),
  Number(process.argv[3]),
  process.argv[4]!.split(','),
  JSON.parse(process.argv[5] ?? '{}'),
];
for (const name of names) {
  const t0 = performance.now();
  const r = await simulateTopology(topologyNamed(name), { seeds: n, firstSeed: first, bail: false, shrink: false, world });
  console.log(
    name,
    r.runs,
    'faults',
    r.faults,
    'rest',
    r.restores,
    'chk',
    r.checkpoints,
    Math.round((performance.now() - t0) / n),
    'ms/run',
  );
  for (const v of r.violations)
    console.log(
      '  ',
      v.seed,
      v.problems.map((p) => p.slice(0, 400)),
    );
}
process.exit(0);
