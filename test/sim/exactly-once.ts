import { expect, test } from 'vitest';
import type { SimulatedRun, SimulationReport } from '../../lib/testing/sim/simulation-report.ts';
import { simulateTopology, topologyNamed } from './run-topology.ts';
import seeds from './seeds.json' with { type: 'json' };

/** All topologies together: at least 2,000 runs (docs/testing.md has the budget). */
const seedsEach = Number(process.env['SIM_SEEDS'] ?? 210);
const firstSeed = Number(process.env['SIM_FIRST'] ?? 1);

/** So many seeds apart one is run once more: even and odd ones, which have small limits or not. */
const twiceEvery = 75;

async function hashOf(name: string, seed: number): Promise<string> {
  let found = '';
  await simulateTopology(topologyNamed(name), { seeds: 1, firstSeed: seed, onRun: ({ hash }) => void (found = hash) });
  return found;
}

/** Fewer seeds say little about how much comes of a seed. */
const enough = 100;

/**
 * Of each run on average. Measured over 210 seeds of each topology: 27 to 63 faults, 0.74 to 0.88 restores, 0.22 to 0.43 savepoints, 3.9 to
 * 5 checkpoints; after 0.21 to 0.36 of the runs a job went on from a savepoint.
 */
function expectMuchHappened({ runs, ...totals }: SimulationReport): void {
  const least = { faults: 10, restores: 0.3, savepoints: 0.08, continued: 0.08, checkpoints: 1.5 } as const;
  for (const [name, each] of Object.entries(least)) expect(totals[name as keyof typeof least] / runs, name).toBeGreaterThan(each);
}

/** Vitest runs files side by side, tests of one file after each other. */
export function testTopologies(...names: readonly string[]): void {
  test.each(names)(
    'what is visible is right, whatever fails and wherever it is restored, and a seed is the same run twice: %s',
    { timeout: 900_000 },
    async (name) => {
      const known = seeds.filter(({ topology }) => topology === name);
      for (const { seed } of known) {
        const { violations } = await simulateTopology(topologyNamed(name), { seeds: 1, firstSeed: seed });
        expect(violations, `seed ${seed}, which once failed`).toEqual([]);
      }
      const hashes = new Map<number, string>();
      const onRun = ({ seed, hash }: SimulatedRun): void => void hashes.set(seed, hash);
      const report = await simulateTopology(topologyNamed(name), { seeds: seedsEach, firstSeed, onRun });
      expect(report.violations).toEqual([]);
      expect(report.runs).toBe(seedsEach);
      if (seedsEach >= enough) expectMuchHappened(report);
      expect(new Set(hashes.values()).size).toBe(seedsEach);
      for (let seed = firstSeed; seed < firstSeed + seedsEach; seed += twiceEvery) {
        const again = await hashOf(name, seed);
        expect(again, `seed ${seed}, run once more after all others`).toBe(hashes.get(seed));
      }
    },
  );
}
