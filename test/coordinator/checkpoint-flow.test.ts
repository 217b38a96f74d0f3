import { describe, expect, test } from 'vitest';
import { decodeManifest } from '../../lib/checkpoint/manifest-codec.ts';
import { job } from '../checkpoint/fixture.ts';
import { planOf, sink, source } from '../checkpoint/plans.ts';
import { CoordinatorWorld } from './coordinator-world.ts';

describe('a checkpoint', () => {
  test('waits for the interval after the first change, completes, publishes and leaves an idle job alone', async () => {
    const world = new CoordinatorWorld();
    await world.start();
    await world.advance(10_000);
    expect((await world.record()).numbered).toBe(0);
    await world.dirty();
    await world.advance(900);
    expect((await world.record()).numbered).toBe(0);
    await world.advance(200);
    const record = await world.record();
    expect(record).toMatchObject({
      numbered: 1,
      completed: 1,
      published: 1,
      floor: 1,
      pending: [],
      counts: { completed: 1, failed: 0, restored: 0 },
    });
    expect(world.collect.published()).toEqual(['record of 1']);
    const manifest = decodeManifest((await world.stores.objects.read(record.retained[0]!.manifest))!, 'it');
    expect(manifest).toMatchObject({ checkpoint: 1, kind: 'checkpoint', job });
    await world.advance(60_000);
    expect((await world.record()).numbered).toBe(1);
  });

  test('takes three states of its flow', async () => {
    const world = new CoordinatorWorld();
    await world.start();
    const seen: string[] = [];
    const save = world.stores.flows.save.bind(world.stores.flows);
    world.stores.flows.save = async (execution) => {
      if (execution.flow === 'checkpoint' && seen.at(-1) !== execution.state) seen.push(execution.state);
      await save(execution);
    };
    await world.boot();
    await world.dirty();
    await world.advance(2_000);
    expect(seen).toEqual(['WaitForInterval', 'Trigger', 'Complete']);
  });

  test('keeps to the interval while changes go on', async () => {
    const world = new CoordinatorWorld();
    await world.start();
    await world.dirty();
    for (let i = 0; i < 10; i++) {
      await world.advance(1_000);
      await world.dirty();
    }
    const { completed, retained, floor } = await world.record();
    expect(completed).toBeGreaterThanOrEqual(9);
    expect(completed).toBeLessThanOrEqual(10);
    expect(retained.map(({ id }) => id)).toEqual([completed - 1, completed]);
    expect(floor).toBe(completed - 1);
    expect(world.collect.published()).toHaveLength(completed);
  });

  test('starts at once when all sources have ended, and finishes the job when every shard has', async () => {
    const world = new CoordinatorWorld({ settings: { intervalMs: 3_600_000 } });
    await world.start();
    await world.dirty();
    world.finished = true;
    for (const shard of [0, 1]) await world.tell({ kind: 'ended', job, attempt: 1, uid: source, shard });
    await world.advance(100);
    expect(await world.record()).toMatchObject({ status: 'FINISHED', completed: 1, published: 1 });
    await world.advance(7_200_000);
    expect((await world.record()).numbered).toBe(1);
  });

  test('is not complete before the last shard has acknowledged, in whatever order and however often they do', async () => {
    const world = new CoordinatorWorld();
    await world.start();
    world.mute.add(sink);
    await world.dirty();
    await world.advance(1_100);
    expect(await world.record()).toMatchObject({ completed: 0, numbered: 1 });
    const [last] = (await world.snapshots(1, 1)).filter(({ uid }) => uid === sink);
    for (let i = 0; i < 3; i++) await world.tell({ kind: 'acknowledgement', job, attempt: 1, uid: sink, shard: 0, snapshot: last! });
    await world.settle();
    expect(await world.record()).toMatchObject({ completed: 1, published: 1 });
    expect([...world.publications.values()]).toEqual([1]);
    expect(await world.stores.acknowledgements.present(job, 1, 1)).toEqual([]);
  });

  test('that is alone in its way does not wait, and a shard that reports late is not believed', async () => {
    const world = new CoordinatorWorld({ plan: planOf({ counters: 1, sources: 1 }) });
    await world.start();
    await world.dirty();
    await world.advance(1_100);
    const late = (await world.snapshots(1, 1))[0]!;
    await world.tell({ kind: 'acknowledgement', job, attempt: 1, uid: late.uid, shard: late.shard, snapshot: late });
    await world.tell({ kind: 'dirty', job, attempt: 0, uid: sink, shard: 0, epoch: 2 });
    await world.advance(5_000);
    expect(await world.record()).toMatchObject({ completed: 1, numbered: 1, dirtyEpoch: 1 });
    expect(await world.stores.acknowledgements.list(job, 1, 1)).toEqual([]);
  });
});
