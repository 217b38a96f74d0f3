import { expect, test } from 'vitest';
import { simulateTopology, topologyNamed } from './run-topology.ts';

/** A lost segment is met only by who sends again, a lost manifest by who restores: what is rare comes from many runs. */
test.each(['keyed', 'exchanges', 'window', 'poison'])(
  'where an object is lost, or half of it, the job goes back, or ends and says so, and shows nothing wrong: %s',
  { timeout: 300_000 },
  async (name) => {
    const { violations, runs } = await simulateTopology(topologyNamed(name), { seeds: 40, world: { damaging: true, healedMs: 60_000 } });
    expect(violations).toEqual([]);
    expect(runs).toBe(40);
  },
);
