import { beforeEach, expect, test, vi } from 'vitest';
import type * as simulations from '../../lib/testing/sim/run-simulation.ts';
import type { SimulationResult } from '../../lib/testing/sim/run-simulation.ts';
import { simulateTopology, topologyNamed } from './run-topology.ts';

/** As `simulate` got them: a report does not say what became of a run in which nothing was wrong. */
const results: SimulationResult[] = [];

vi.mock('../../lib/testing/sim/run-simulation.ts', async (original) => {
  const { runSimulation } = await original<typeof simulations>();
  return {
    runSimulation: async (...options: Parameters<typeof runSimulation>) => {
      const result = await runSimulation(...options);
      results.push(result);
      return result;
    },
  };
});

beforeEach(() => void results.splice(0));

const damageOf = ({ lines }: SimulationResult): readonly string[] => lines.flatMap(({ who, what }) => (who === 'somebody' ? [what] : []));
const seeds = 40;
let failedInAll = 0;

test.each(['keyed', 'exchanges', 'window', 'poison'])(
  'where an object is lost, or half of it, the job goes back, or ends and says so, and shows nothing wrong: %s',
  { timeout: 300_000 },
  async (name) => {
    const { violations, runs } = await simulateTopology(topologyNamed(name), { seeds, world: { damaging: true, healedMs: 60_000 } });
    expect(violations).toEqual([]);
    expect(runs).toBe(seeds);
    expect(results).toHaveLength(seeds);
    const damaged = results.filter((result) => damageOf(result).length > 0);
    const torn = damaged.filter((result) => damageOf(result)[0]!.startsWith('leaves half of'));
    const failed = results.filter(({ hasFailed }) => hasFailed);
    // Measured: 23 to 25 of 40, 13 of them torn; in the others the job was at its end before. 1, 3, 3 and 4 ended FAILED, all others went on right.
    expect(torn.length).toBeGreaterThanOrEqual(4);
    expect(damaged.length - torn.length).toBeGreaterThanOrEqual(4);
    expect(damaged.filter(({ hasFailed }) => !hasFailed).length).toBeGreaterThanOrEqual(8);
    // Nothing else makes a job fail here.
    expect(failed.filter((result) => !damaged.includes(result))).toEqual([]);
    failedInAll += failed.length;
  },
);

test('these were also objects without which a job cannot go on', () => {
  // Measured: 11.
  expect(failedInAll).toBeGreaterThanOrEqual(3);
});
