import { describe, expect, test } from 'vitest';
import type { MutantName } from '../../lib/base/mutated.ts';
import { huntMutant, medianFaults, type HuntedMutant } from './hunt-mutant.ts';
import seeds from './mutant-seeds.json' with { type: 'json' };

/** Of each part of the protocol some, by the runs that are known to show them; all of them are `npm run sim -- --mutants`. */
const quick: readonly MutantName[] = [
  'duplicates-taken',
  'first-barrier-cuts',
  'only-newest-delta',
  'unsent-before-next',
  'refusal-ignored',
  'pin-never',
  'floor-is-newest',
  'own-segment-unlisted',
  'put-off-dropped',
  'lingers-for-ever',
];
const long = process.env['SIM_LONG'] === '1';
const chosen = long ? (Object.keys(seeds) as MutantName[]) : quick;
/** Left after making a kill smaller: more than that nobody can follow. */
const faultsMedianMax = 4;
const hunted: HuntedMutant[] = [];

describe('the simulator can fail', () => {
  test.each(chosen)('a run shows that a rule is broken, and nothing while it is kept: %s', { timeout: 60_000 }, async (name) => {
    const found = await huntMutant(name, { secondsMax: 40, shrinkRuns: long ? 150 : 20 });
    hunted.push(found);
    expect(found.killed, found.rule).toBe(true);
    expect(found.alarms).toEqual([]);
  });

  test('what is left of a failing run can be followed', () => {
    expect(hunted).toHaveLength(chosen.length);
    expect(medianFaults(hunted)).toBeLessThanOrEqual(faultsMedianMax);
  });
});
