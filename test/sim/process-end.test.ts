/** A record that ends every process that works on it, in a world in which processes end for other reasons too. */
import { expect, test } from 'vitest';
import { simulateTopology, topologyNamed } from './run-topology.ts';

const seeds = 40;

test.each(['ending', 'ending-overtaken'])(
  'a record that ends its process is set aside, and no other, whatever else ends processes: %s',
  { timeout: 180_000 },
  async (name) => {
    const { violations, runs, faults, restores } = await simulateTopology(topologyNamed(name), { seeds });
    expect(violations).toEqual([]);
    expect(runs).toBe(seeds);
    expect(faults / runs).toBeGreaterThan(10);
    expect(restores / runs).toBeGreaterThan(0.3);
  },
);
