import { describe, expect, test } from 'vitest';
import type { MutantName } from '../../lib/base/mutated.ts';
import { huntMutants } from '../../scripts/sim-mutants.ts';
import { huntFor } from './hunts.ts';
import { simulateTopology, topologyNamed } from './run-topology.ts';

/** Of each part of the protocol one; all of them are `npm run sim:mutants`. */
const quick: readonly MutantName[] = [
  'no-version-condition',
  'resend-never',
  'duplicates-taken',
  'group-in-one-call',
  'first-barrier-cuts',
  'only-newest-delta',
  'base-above-floor',
  'finished-unpublished',
  'numbers-reused',
  'end-not-repeated',
  'lingering-unwritten',
];

describe('the simulator can fail', () => {
  test.each(quick)('it notices that a rule is broken: %s', { timeout: 60_000 }, async (name) => {
    const { killed, list } = await huntMutants({ names: [name], secondsMax: 40 });
    expect(killed, list[0]!.rule).toBe(1);
  });

  test('the same runs show nothing while all rules are kept', { timeout: 60_000 }, async () => {
    for (const name of quick) {
      const { topologies, world, known = [topologies[0]!, 1] } = huntFor(name);
      const { violations } = await simulateTopology(topologyNamed(known[0]), { world, seeds: 1, firstSeed: known[1] });
      expect(violations, name).toEqual([]);
    }
  });
});
