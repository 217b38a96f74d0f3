import { describe, expect, test } from 'vitest';
import { MemoryKeyedBase } from '../../lib/adapters/memory/keyed-base.ts';
import { operatorUid } from '../../lib/base/ids.ts';
import { keyGroupOf } from '../../lib/model/key-group.ts';
import type { DeltaRef } from '../../lib/model/shard-record.ts';
import { BaseStep } from '../../lib/runtime/base-step.ts';
import type { Runtime } from '../../lib/runtime/runtime-deps.ts';
import { joinDeltaBlocks } from '../../lib/state/delta-codec.ts';
import { encodeDelta } from '../../lib/state/delta-rows.ts';
import { ManualTime } from '../contract/manual-time.ts';
import { setLimits } from './small-limits.ts';
import { rowsOfTables } from '../../lib/model/table-rows.ts';

const operator = operatorUid('count');
const address = (key: string) => ({
  operator,
  state: 'sum',
  keyGroup: keyGroupOf(JSON.stringify(key), 128),
  key: JSON.stringify(key),
  namespace: '',
});

/** Deltas by epoch; one list of `[key, value]` per commit. */
function deltas(epochs: Readonly<Record<number, readonly (readonly (readonly [string, number | undefined])[])[]>>): {
  runtime: Runtime;
  refs: DeltaRef[];
} {
  const objects = new Map<string, Uint8Array>();
  const refs = Object.entries(epochs).map(([epoch, commits]): DeltaRef => {
    const blocks = commits.map((rows) =>
      encodeDelta(rows.map(([key, value]) => ({ ...address(key), value, deleted: value === undefined }))),
    );
    const bytes = joinDeltaBlocks(blocks, 0);
    objects.set(epoch, bytes);
    return { epoch: Number(epoch), key: epoch, rows: commits.flat().length, bytes: bytes.length, keyGroups: { start: 0, end: 127 } };
  });
  return { runtime: { deps: { objects: { read: async (key: string) => objects.get(key) } } } as unknown as Runtime, refs };
}

function newBase(): { base: MemoryKeyedBase; read: (key: string) => Promise<string | undefined> } {
  const base = new MemoryKeyedBase(new ManualTime().clock);
  return { base, read: async (key) => (await base.read('job', [address(key)]))[0] };
}

async function readStep(runtime: Runtime, ready: readonly DeltaRef[]): Promise<BaseStep> {
  const step = new BaseStep(ready);
  while (!step.isRead) await step.read(runtime, new Map());
  return step;
}

async function writeAll(base: MemoryKeyedBase, step: BaseStep, rowsMax = 100): Promise<string[][]> {
  const written: string[][] = [];
  while (!step.isEmpty) {
    const { version, tables } = step.take(rowsMax);
    await base.write('job', version, tables);
    written.push([...rowsOfTables(tables)].map(({ key, value }) => `${key}=${String(value)}`));
  }
  return written.filter((rows) => rows.length > 0);
}

describe('a step of the base', () => {
  test('puts small epochs together, and writes only the last value of a row', async () => {
    const { runtime, refs } = deltas({ 1: [[['a', 1], ['b', 1]]], 2: [[['a', 2]]], 3: [[['b', undefined], ['c', 3]]] }); // prettier-ignore
    const { base, read } = newBase();
    const step = await readStep(runtime, refs);
    expect(step.refs).toEqual(refs);
    expect(await writeAll(base, step)).toEqual([['"a"=2', '"b"=undefined', '"c"=3']]);
    expect([await read('a'), await read('b'), await read('c')]).toEqual(['2', undefined, '3']);
  });

  test('never takes a part of an epoch with another: a later part of it would be older than what stands there', async () => {
    setLimits({ baseRowsReadPerStep: 3 });
    const { runtime, refs } = deltas({ 1: [[['a', 1]]], 2: [[['a', 2], ['b', 2]]] }); // prettier-ignore
    const parts = [refs[0]!, { ...refs[1]!, keyGroups: { start: 0, end: 63 } }, { ...refs[1]!, keyGroups: { start: 64, end: 127 } }];
    expect((await readStep(runtime, parts)).refs).toEqual([refs[0]]);
  });

  test('writes a large delta by itself, commit by commit, no row twice in one write', async () => {
    setLimits({ baseRowsPerStep: 3 });
    const { runtime, refs } = deltas({ 1: [[['a', 1], ['b', 1], ['c', 1]], [['a', 2]]], 2: [[['a', 3]]] }); // prettier-ignore
    const { base, read } = newBase();
    const step = await readStep(runtime, refs);
    expect(step.refs).toEqual([refs[0]]);
    expect(await writeAll(base, step, 2)).toEqual([['"a"=1', '"b"=1'], ['"c"=1'], ['"a"=2']]);
    expect(await read('a')).toBe('2');
  });

  test('that a zombie writes late, in other portions, changes nothing', async () => {
    const { runtime, refs } = deltas({ 1: [[['a', 1], ['b', 1]], [['a', 2]]], 2: [[['a', 3], ['c', 3]]] }); // prettier-ignore
    const portions = async (): Promise<BaseStep[]> => {
      setLimits({ baseRowsPerStep: 2 });
      const alone = await readStep(runtime, refs);
      const next = await readStep(runtime, refs.slice(1));
      setLimits({ baseRowsPerStep: 100 });
      return [alone, next, await readStep(runtime, refs)];
    };
    for (const late of [0, 1, 2]) {
      const { base, read } = newBase();
      for (const step of await portions()) await writeAll(base, step, 1);
      await writeAll(base, (await portions())[late]!, 1);
      expect([await read('a'), await read('b'), await read('c')], `portion ${late}`).toEqual(['3', '1', '3']);
    }
  });
});
