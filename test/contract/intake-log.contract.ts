import * as fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { identityOf } from '../../lib/model/intake-identity.ts';
import type { IntakeEntry, IntakeLog, IntakePartition, NewIntakeEntry } from '../../lib/ports/intake-log.ts';

export const orders: IntakePartition = { intake: 'orders', partition: '000-of-2' };
const other: IntakePartition = { intake: 'orders', partition: '001-of-2' };

export function entryOf(texts: readonly string[], takenAtMs = 1_000): NewIntakeEntry {
  return { takenAtMs, closes: false, records: texts.map((text) => ({ id: identityOf(text), text })) };
}

export async function readAll(log: IntakeLog, partition = orders, recordsMax = 7): Promise<IntakeEntry[]> {
  const all: IntakeEntry[] = [];
  for (let from = 1; ;) {
    const entries = await log.read(partition, from, { recordsMax });
    if (entries.length === 0) return all;
    all.push(...entries);
    from = entries.at(-1)!.number + 1;
  }
}

/** What an intake log promises. `make` gives several writers of the same log. */
export function intakeLogContract(adapter: string, make: () => () => IntakeLog): void {
  describe(`intake log of ${adapter}`, () => {
    let writer: () => IntakeLog;
    let log: IntakeLog;

    beforeEach(() => {
      writer = make();
      log = writer();
    });

    test('entries take the numbers 1, 2, 3 … of their partition and come back as they were', async () => {
      const long = 'ä'.repeat(300_000);
      const written = [
        entryOf(['{"n":1}', 'no JSON', '']),
        { takenAtMs: 5, closes: false, records: [{ id: '', text: 'nobody' }] },
        entryOf([long, 'b'], 7),
      ];
      for (const [index, entry] of written.entries()) expect(await log.append(orders, entry)).toEqual({ number: index + 1 });
      expect(await log.append(other, entryOf(['x']))).toEqual({ number: 1 });
      expect(await readAll(writer())).toEqual(written.map((entry, index) => ({ ...entry, number: index + 1 })));
      expect(await readAll(log, other)).toHaveLength(1);
    });

    test('writers that do not know of each other never share a number, and leave no gap', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 24 }), async (turns) => {
          const fresh = make();
          const writers = [fresh(), fresh(), fresh(), fresh()];
          const numbers = await Promise.all(turns.map((turn, index) => writers[turn]!.append(orders, entryOf([`${index}`]))));
          expect(numbers.map((answer) => (answer as { number: number }).number).sort((a, b) => a - b)).toEqual(turns.map((_, i) => i + 1));
          const entries = await readAll(fresh());
          expect(entries.map(({ number }) => number)).toEqual(turns.map((_, i) => i + 1));
          for (const [index, answer] of numbers.entries())
            expect(entries[(answer as { number: number }).number - 1]!.records[0]!.text).toBe(`${index}`);
        }),
        { numRuns: 10 },
      );
    });

    test('a read brings at least one entry, and no more than asked for', async () => {
      for (let n = 0; n < 6; n++) await log.append(orders, entryOf([`${n}a`, `${n}b`]));
      const numbersOf = async (from: number, recordsMax: number) =>
        (await log.read(orders, from, { recordsMax })).map(({ number }) => number);
      expect(await numbersOf(1, 1)).toEqual([1]);
      expect(await numbersOf(2, 5)).toEqual([2, 3]);
      expect(await numbersOf(5, 100)).toEqual([5, 6]);
      expect(await numbersOf(7, 100)).toEqual([]);
    });

    test('behind an entry that closes it a partition takes nothing, whoever asks', async () => {
      await log.append(orders, entryOf(['a']));
      const late = writer();
      await late.append(orders, entryOf(['b']));
      expect(await log.append(orders, { takenAtMs: 2, records: [], closes: true })).toEqual({ number: 3 });
      for (const one of [log, late, writer()]) expect(await one.append(orders, entryOf(['c']))).toBe('closed');
      expect((await readAll(log)).map(({ closes }) => closes)).toEqual([false, false, true]);
      expect(await log.append(other, entryOf(['d']))).toEqual({ number: 1 });
    });

    test('identities come newest first, as many records and as far back in time as asked for', async () => {
      for (let n = 1; n <= 5; n++) await log.append(orders, entryOf([`${n}a`, `${n}b`], n * 100));
      const numbersOf = async (below: number, recordsMax: number, withinMs = 10_000) =>
        (await log.identities(orders, below, { recordsMax, withinMs })).map(({ number }) => number);
      expect(await log.identities(orders, 2, { recordsMax: 9, withinMs: 0 })).toEqual([
        { number: 1, takenAtMs: 100, ids: [identityOf('1a'), identityOf('1b')] },
      ]);
      expect(await numbersOf(5, 3)).toEqual([4, 3]);
      expect(await numbersOf(6, 100)).toEqual([5, 4, 3, 2, 1]);
      expect(await numbersOf(6, 100, 250)).toEqual([5, 4, 3]);
      expect(await numbersOf(1, 100)).toEqual([]);
      expect(await numbersOf(6, 0)).toEqual([]);
    });

    test('trimming takes the oldest below a number and a time, and numbers go on above', async () => {
      for (let n = 1; n <= 6; n++) await log.append(orders, entryOf(['x'.repeat(n * 20_000)], n * 100));
      expect(await log.trim(orders, { below: 6, takenBeforeMs: 350, entriesMax: 2 })).toBe(2);
      expect(await log.trim(orders, { below: 6, takenBeforeMs: 350, entriesMax: 10 })).toBe(1);
      expect(await log.trim(orders, { below: 4, takenBeforeMs: 10_000, entriesMax: 10 })).toBe(0);
      expect((await log.read(orders, 1, { recordsMax: 100 })).map(({ number }) => number)).toEqual([4, 5, 6]);
      expect(await log.trim(orders, { below: 6, takenBeforeMs: 10_000, entriesMax: 10 })).toBe(2);
      expect(await writer().append(orders, entryOf(['y']))).toEqual({ number: 7 });
    });
  });
}
