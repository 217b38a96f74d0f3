import { expect, test } from 'vitest';
import { simulateTopology, topologyNamed } from './run-topology.ts';
import seeds from './seeds.json' with { type: 'json' };

/** All topologies together: at least 2,000 runs (docs/testing.md has the budget). */
const seedsEach = Number(process.env['SIM_SEEDS'] ?? 210);
const firstSeed = Number(process.env['SIM_FIRST'] ?? 1);

/** Vitest runs files side by side, tests of one file after each other. */
export function testTopologies(...names: readonly string[]): void {
  test.each(names)('what is visible is right, whatever fails and wherever it is restored: %s', { timeout: 900_000 }, async (name) => {
    const known = seeds.filter(({ topology }) => topology === name);
    for (const { seed } of known) {
      const { violations } = await simulateTopology(topologyNamed(name), { seeds: 1, firstSeed: seed });
      expect(violations, `seed ${seed}, which once failed`).toEqual([]);
    }
    const report = await simulateTopology(topologyNamed(name), { seeds: seedsEach, firstSeed });
    expect(report.violations).toEqual([]);
    expect(report.runs).toBe(seedsEach);
    expect(report.faults).toBeGreaterThan(seedsEach);
  });
}
