import { simulate } from '../../lib/testing/sim/simulate.ts';
import { topologies } from './topologies.ts';
const first = Number(process.argv[2] ?? 1), n = Number(process.argv[3] ?? 1), only = process.argv[4];
for (const t of topologies) {
  if (only && t.name !== only) continue;
  const t0 = performance.now();
  const r = await simulate(t.job(1), { seeds: n, firstSeed: first, bail: false, expected: { 'out-sink': t.expected['out']!.map((l) => JSON.parse(l)) } });
  const { violations, ...totals } = r;
  console.log(t.name, totals, Math.round((performance.now() - t0) / n), 'ms/run');
  for (const v of violations) console.log(v.seed, v.problems.map((p) => p.slice(0, 500)), v.faults.length, v.timeline.join('\n'));
}
process.exit(0);
