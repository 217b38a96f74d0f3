import { describe, expect, test } from 'vitest';
import type { MutantName } from '../../lib/base/mutated.ts';
import { huntMutants } from '../../scripts/sim-mutants.ts';

/** Of each part of the protocol one; all of them are `npm run sim:mutants`. */
const quick: readonly MutantName[] = [
  'no-version-condition',
  'resend-never',
  'duplicates-taken',
  'group-in-one-call',
  'first-barrier-cuts',
  'only-newest-delta',
  'base-above-floor',
  'numbers-reused',
  'unsent-before-next',
  'refusal-ignored',
  'lingering-unwritten',
];

describe('the simulator can fail', () => {
  test.each(quick)('a run shows that a rule is broken, and nothing while it is kept: %s', { timeout: 60_000 }, async (name) => {
    const { killed, list } = await huntMutants({ names: [name], secondsMax: 40 });
    expect(killed, list[0]!.rule).toBe(1);
  });
});
