import seeds from './mutant-seeds.json' with { type: 'json' };
import { huntFor } from './hunts.ts';
import { simulateTopology, topologyNamed } from './run-topology.ts';
let bad = 0;
for (const name of Object.keys(seeds)) {
  const { world, known } = huntFor(name as never);
  const r = await simulateTopology(topologyNamed(known![0]), { world, seeds: 1, firstSeed: known![1], shrink: false });
  if (r.violations.length > 0) {
    bad++;
    console.log(
      name,
      known,
      r.violations[0]!.problems.map((p) => p.slice(0, 200)),
    );
  }
}
console.log('bad', bad, 'of', Object.keys(seeds).length);
process.exit(0);
