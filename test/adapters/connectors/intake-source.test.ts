/** The source that reads an intake's log: positions, duplicates, and what it does with a log that is not its own any more. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createIntakeSource } from '../../../lib/adapters/connectors/intake-source.ts';
import { createMemoryIntakeLog } from '../../../lib/adapters/memory/intake-log.ts';
import { sourceFromHttp, sourceFromSqs, type PushOptions } from '../../../lib/index.ts';
import { identityOf } from '../../../lib/model/intake-identity.ts';
import { partitionIds, partitionOf } from '../../../lib/model/intake.ts';
import type { SplitReader } from '../../../lib/ports/connectors.ts';
import type { IntakeLog } from '../../../lib/ports/intake-log.ts';

const split = '000-of-1';
const partition = { intake: 'orders', partition: split };
const specOf = (options: PushOptions = {}) => sourceFromSqs('orders', { partitions: 1, ...options }).connector;

interface Written {
  readonly ids: readonly (number | null)[];
  readonly atMs?: number;
}

async function write(log: IntakeLog, entries: readonly Written[]): Promise<void> {
  let n = 0;
  for (const { ids, atMs = 0 } of entries) {
    const records = ids.map((id) => ({ id: id === null ? '' : identityOf(`${id}`), text: `${id}/${n++}` }));
    await log.append(partition, { takenAtMs: atMs, closes: false, records });
  }
}

/** All there is, in reads of the given sizes; `cold`: each in a process of its own. */
async function readAll(log: IntakeLog, options: PushOptions, sizes: readonly number[], cold = false): Promise<string[]> {
  let reader: SplitReader = createIntakeSource(log);
  const values: string[] = [];
  let position: unknown = null;
  for (let turn = 0; ; turn++) {
    if (cold) reader = createIntakeSource(log);
    const result = await reader.read(specOf(options), split, position, { recordsMax: sizes[turn % sizes.length]! });
    values.push(...(result.values as string[]));
    if (JSON.stringify(result.position) === JSON.stringify(position) || result.ended) return values;
    position = result.position;
  }
}

describe('duplicates', () => {
  test('are the later ones of an identity; without an identity nothing is one', async () => {
    const log = createMemoryIntakeLog();
    await write(log, [{ ids: [1, 2, 1] }, { ids: [null, null] }, { ids: [2, 3] }]);
    expect(await readAll(log, {}, [100])).toEqual(['1/0', '2/1', 'null/3', 'null/4', '3/6']);
  });

  test('are told from what has the same identity and says something else, in however many processes the log is read', async () => {
    const entries = fc.array(fc.array(fc.tuple(fc.nat(3), fc.nat(1)), { maxLength: 4 }), { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(entries, fc.integer({ min: 1, max: 9 }), async (written, size) => {
        const log = createMemoryIntakeLog();
        for (const pairs of written) {
          const records = pairs.map(([id, says]) => ({ id: identityOf(`${id}`, `${says}`), text: `${id} says ${says}` }));
          await log.append(partition, { takenAtMs: 0, closes: false, records });
        }
        const last = new Map<number, number>();
        const expected = written.flat().flatMap(([id, says]): unknown[] => {
          const before = last.get(id);
          last.set(id, says);
          if (before === says) return [];
          return [before === undefined ? `${id} says ${says}` : { conflicting: `${id} says ${says}` }];
        });
        for (const isCold of [false, true]) expect(await readAll(log, {}, [size], isCold)).toEqual(expected);
      }),
      { numRuns: 200 },
    );
  });

  test('are known within the horizon only: so many records, so much time', async () => {
    const log = createMemoryIntakeLog();
    await write(log, [{ ids: [1, 2, 3] }, { ids: [1], atMs: 100 }, { ids: [2], atMs: 101 }, { ids: [2], atMs: 150 }]);
    expect(await readAll(log, { duplicates: { records: 3 } }, [100])).toEqual(['1/0', '2/1', '3/2', '2/5'].slice(0, 3));
    expect(await readAll(log, { duplicates: { records: 2 } }, [100])).toEqual(['1/0', '2/1', '3/2', '1/3', '2/4']);
    expect(await readAll(log, { duplicates: { withinMs: 100 } }, [100])).toEqual(['1/0', '2/1', '3/2', '2/4']);
    expect(await readAll(log, { duplicates: { records: 0 } }, [100])).toHaveLength(6);
  });

  test('are the same ones, in whatever steps and in however many processes the log is read', async () => {
    const entries = fc.array(fc.array(fc.option(fc.nat(6)), { maxLength: 4 }), { maxLength: 12 });
    const sizes = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(entries, sizes, fc.nat(12), async (written, steps, records) => {
        const log = createMemoryIntakeLog();
        await write(log, written.map((ids) => ({ ids }))); // prettier-ignore
        const options = { duplicates: { records } };
        const atOnce = await readAll(log, options, [1_000]);
        expect(await readAll(log, options, steps)).toEqual(atOnce);
        expect(await readAll(log, options, steps, true)).toEqual(atOnce);
        const all = written.flat();
        const expected = all.flatMap((id, at) => {
          const isDuplicate = id !== null && all.slice(Math.max(0, at - records), at).includes(id);
          return isDuplicate ? [] : [`${id}/${at}`];
        });
        expect(atOnce).toEqual(expected);
      }),
      { numRuns: 200 },
    );
  });

  test('are told from the position that a failed try went back to', async () => {
    const log = createMemoryIntakeLog();
    await write(log, [{ ids: [1, 2] }, { ids: [2, 3] }]);
    const reader = createIntakeSource(log);
    const first = await reader.read(specOf(), split, null, { recordsMax: 1 });
    const rest = async (): Promise<unknown[]> => {
      const second = await reader.read(specOf(), split, first.position, { recordsMax: 10 });
      const third = await reader.read(specOf(), split, second.position, { recordsMax: 10 });
      return [...second.values, ...third.values];
    };
    for (let tries = 0; tries < 3; tries++) expect(await rest()).toEqual(['2/1', '3/3']);
    expect(await Promise.all([rest(), rest(), rest()])).toEqual(Array(3).fill(['2/1', '3/3']));
  });
});

describe('a position', () => {
  test('lies behind the entries that it has passed, and only these', async () => {
    const { hasPassed } = createIntakeSource(createMemoryIntakeLog());
    expect([hasPassed!(null, 1), hasPassed!({ next: 2, index: 0 }, 1), hasPassed!({ next: 2, index: 5 }, 2)]).toEqual([false, true, false]);
  });

  test('at the end of a closed log ends the split', async () => {
    const log = createMemoryIntakeLog();
    await write(log, [{ ids: [1] }]);
    await log.append(partition, { takenAtMs: 0, closes: true, records: [] });
    const reader = createIntakeSource(log);
    expect(await reader.read(specOf(), split, null, { recordsMax: 9 })).toMatchObject({ values: ['1/0'], ended: true });
  });

  test('whose entry has been trimmed is an error that names what is left', async () => {
    const log = createMemoryIntakeLog();
    await write(log, [1, 2, 3, 4].map((id) => ({ ids: [id] }))); // prettier-ignore
    await log.trim(partition, { below: 3, takenBeforeMs: 1, entriesMax: 9 });
    const at = (next: number) => createIntakeSource(log).read(specOf(), split, { next, index: 0 }, { recordsMax: 9 });
    await expect(at(1)).rejects.toMatchObject({ code: 'SLUICE-INTAKE-GONE', facts: { wanted: 1, oldest: 3 } });
    await expect(at(2)).rejects.toMatchObject({ code: 'SLUICE-INTAKE-GONE' });
    expect((await at(3)).values).toEqual(['3/2', '4/3']);
  });

  test('beyond the end, or of another log, is refused', async () => {
    const log = createMemoryIntakeLog();
    await write(log, [{ ids: [1] }]);
    const at = (position: unknown, name = split) => createIntakeSource(log).read(specOf(), name, position, { recordsMax: 9 });
    expect((await at({ next: 2, index: 0 })).values).toEqual([]);
    await expect(at({ next: 3, index: 0 })).rejects.toMatchObject({ code: 'SLUICE-POSITION-INVALID' });
    await expect(at({ row: 3 })).rejects.toMatchObject({ code: 'SLUICE-POSITION-INVALID' });
    await expect(at(null, '000-of-2')).rejects.toMatchObject({ code: 'SLUICE-POSITION-INVALID' });
  });
});

test('a key has one partition of those that are the source’s splits', async () => {
  const { connector } = sourceFromHttp('orders', { partitions: 3 });
  const splits = await createIntakeSource(createMemoryIntakeLog()).splits(connector);
  expect(splits).toEqual(partitionIds(3));
  const met = new Set(Array.from({ length: 100 }, (_, n) => partitionOf(`key ${n}`, 3)));
  expect([...met].sort()).toEqual([...splits]);
  expect(partitionOf('key 1', 3)).toBe(partitionOf('key 1', 3));
});
