import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Fault } from '../../lib/testing/sim/fault.ts';
import { shrinkFaults } from '../../lib/testing/sim/shrink.ts';

const faults = (count: number): Fault[] => Array.from({ length: count }, (_, occurrence) => ({ site: 'a.b.c', occurrence, kind: 'error' }));

describe('making a failing run smaller', () => {
  test('leaves exactly the faults that are needed together, in their order', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 60 }), fc.array(fc.nat(59), { maxLength: 4 }), async (count, wanted) => {
        const all = faults(count);
        const needed = all.filter(({ occurrence }) => wanted.includes(occurrence));
        const fails = async (some: readonly Fault[]): Promise<boolean> => needed.every((fault) => some.includes(fault));
        expect(await shrinkFaults(all, fails)).toEqual(needed);
      }),
    );
  });

  test('ends with faults of which none can be left out, whatever they do to each other', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 30 }), fc.integer(), async (count, salt) => {
        const all = faults(count);
        // Any of several groups will do, and which, hangs on what else is there.
        const fails = async (some: readonly Fault[]): Promise<boolean> =>
          some.length === all.length || (some.length > 0 && (some.reduce((sum, { occurrence }) => sum + occurrence * 7, salt) & 3) === 0);
        const left = await shrinkFaults(all, fails);
        expect(await fails(left)).toBe(true);
        for (const fault of left.length > 1 ? left : []) expect(await fails(left.filter((other) => other !== fault))).toBe(false);
      }),
    );
  });
});
