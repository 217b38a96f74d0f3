/** A record that ends every process that works on it, in a world in which processes end for other reasons too. */
import { expect, test } from 'vitest';
import { simulateTopology, topologyNamed } from './run-topology.ts';
import seeds from './seeds.json' with { type: 'json' };

const seedsEach = 40;

test.each(['ending', 'ending-overtaken'])(
  'a record that ends its process is set aside, and no other, whatever else ends processes: %s',
  { timeout: 180_000 },
  async (name) => {
    const { violations, runs, faults, restores } = await simulateTopology(topologyNamed(name), { seeds: seedsEach });
    expect(violations).toEqual([]);
    expect(runs).toBe(seedsEach);
    expect(faults / runs).toBeGreaterThan(10);
    expect(restores / runs).toBeGreaterThan(0.3);
  },
);

test('runs that once failed, of topologies that no other test goes through, are right', { timeout: 60_000 }, async () => {
  const known = seeds.filter(({ topology }) => ['ordered', 'set-aside', 'ending', 'ending-overtaken'].includes(topology));
  expect(known).toHaveLength(5);
  for (const { topology, seed } of known) {
    const { violations } = await simulateTopology(topologyNamed(topology), { seeds: 1, firstSeed: seed });
    expect(violations, `${topology}, seed ${seed}, which once failed`).toEqual([]);
  }
});
