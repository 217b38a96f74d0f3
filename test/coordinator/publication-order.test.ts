/** In which order parts become visible: what a queue shows cannot be put right afterwards. */
import { expect, test } from 'vitest';
import type { SinkPart } from '../../lib/model/shard-record.ts';
import { planOf, sink } from '../checkpoint/plans.ts';
import { CoordinatorWorld } from './coordinator-world.ts';

test('parts of one shard are published one after the other, oldest first, and those of several shards side by side', async () => {
  const world = new CoordinatorWorld({ plan: planOf({ counters: 1, sources: 1 }) });
  const part = (shard: number, checkpoint: number): SinkPart => {
    const name = `${shard}/${checkpoint}`;
    return { operator: sink, shard, checkpoint, number: 0, staged: name, target: name, records: 1, bytes: 1 };
  };
  const parts = [0, 1].flatMap((shard) => [1, 2, 3].map((checkpoint) => part(shard, checkpoint)));
  world.decorate = (uid) => (uid === sink ? { parts } : {});
  const underWay = new Set<string>();
  const begun: string[] = [];
  let together = 0;
  world.collect.publish = async (_spec, { target, shard }, by) => {
    expect([...underWay].filter((other) => other.startsWith(`${shard}/`))).toEqual([]);
    expect(by).toMatchObject({ job: (await world.record()).job, createdAtMs: (await world.record()).createdAtMs });
    begun.push(target);
    underWay.add(target);
    together = Math.max(together, underWay.size);
    await new Promise((resolve) => setImmediate(resolve));
    underWay.delete(target);
    return 'published';
  };
  await world.start();
  await world.dirty();
  await world.advance(1_100);
  expect(begun.filter((name) => name.startsWith('0/'))).toEqual(['0/1', '0/2', '0/3']);
  expect(begun.filter((name) => name.startsWith('1/'))).toEqual(['1/1', '1/2', '1/3']);
  expect(together).toBe(2);
});
