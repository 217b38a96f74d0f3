import { describe, expect, test } from 'vitest';
import { abortCheckpoint } from '../../lib/coordinator/abort-checkpoint.ts';
import { restoreCheckpoint } from '../../lib/coordinator/restore-requests.ts';
import { resumeJob } from '../../lib/coordinator/resume-job.ts';
import { descriptorKey } from '../../lib/model/object-keys.ts';
import { checkpointFlowName } from '../../lib/coordinator/start-checkpoint.ts';
import { job } from '../checkpoint/fixture.ts';
import { counter, sink, source } from '../checkpoint/plans.ts';
import { CoordinatorWorld } from './coordinator-world.ts';

/** Each the shortest run in which leaving a rule out loses, doubles or wedges. */
async function started(): Promise<CoordinatorWorld> {
  const world = new CoordinatorWorld();
  await world.start();
  return world;
}

async function checkpoint(world: CoordinatorWorld): Promise<void> {
  await world.dirty();
  await world.advance(1_100);
}

/** Publication fails until it is let through again. */
async function withoutPublication(world: CoordinatorWorld): Promise<() => Promise<void>> {
  const publish = world.collect.publish.bind(world.collect);
  world.collect.publish = async () => Promise.reject(new Error('the bucket is gone'));
  await world.boot();
  return async () => {
    world.collect.publish = publish;
    await world.boot();
  };
}

const chosen = { job, trigger: 'r', publishedSeen: null, newPlan: null, allowNonRestoredState: false, allowOtherJob: false } as const;

describe('the coordinator', () => {
  test('completes a checkpoint whose last acknowledgement came before there was a token to answer', async () => {
    const world = await started();
    for (const uid of [source, counter, sink]) world.mute.add(uid);
    for (const snapshot of await world.snapshots(1, 1)) await world.stores.acknowledgements.put(snapshot);
    await checkpoint(world);
    expect(await world.record()).toMatchObject({ completed: 1, published: 1 });
  });

  test('removes what a given-up attempt has staged, and late or twice, nothing of the new one', async () => {
    const world = await started();
    await checkpoint(world);
    world.mute.add(counter);
    await checkpoint(world);
    await restoreCheckpoint(world.deps, { ...chosen, checkpoint: 'newest' });
    await world.advance(1_000);
    await checkpoint(world);
    expect(await world.record()).toMatchObject({ attempt: 2, firstEpoch: 3, pending: [{ id: 3 }] });
    await resumeJob(world.deps, { job, attempt: 2 });
    expect(world.collect.staged()).toHaveLength(1);
    const late = (await world.snapshots(2, 3)).filter(({ uid }) => uid === counter);
    for (const snapshot of late)
      await world.tell({ kind: 'acknowledgement', job, attempt: 2, uid: counter, shard: snapshot.shard, snapshot });
    await world.settle();
    expect(await world.record()).toMatchObject({ completed: 3, published: 3 });
    expect(world.collect.published()).toEqual(['record of 1', 'record of 3']);
  });

  test('does not count a failure twice when the step that aborts is repeated, or comes late', async () => {
    const world = await started();
    await checkpoint(world);
    const before = await world.record();
    const flow = checkpointFlowName({ ...before, completed: 0 }, false);
    for (const phase of ['trigger', 'complete'] as const) {
      await abortCheckpoint(world.deps, { job, flow, phase, error: { Error: 'CHECKPOINT_EXPIRED', Cause: 'late' } });
    }
    expect(await world.record()).toEqual(before);
  });

  test('starts another execution where the one of that name has died', async () => {
    const world = await started();
    await world.dirty();
    const name = checkpointFlowName(await world.record(), false);
    const flow = (await world.stores.flows.read(name))!;
    expect(flow).toMatchObject({ status: 'RUNNING', state: 'WaitForInterval' });
    await world.stores.flows.save({ ...flow, status: 'FAILED' });
    await world.boot();
    await world.advance(5_000);
    expect((await world.record()).numbered).toBe(0);
    await world.tell({ kind: 'dirty', job, attempt: 1, uid: sink, shard: 0, epoch: 1 });
    await world.advance(2_000);
    expect(await world.record()).toMatchObject({ completed: 1, failures: 0 });
  });

  test('publishes newer output before it goes back to an older checkpoint', async () => {
    const world = await started();
    await checkpoint(world);
    const heal = await withoutPublication(world);
    await checkpoint(world);
    expect(await world.record()).toMatchObject({ completed: 2, published: 1 });
    await heal();
    await restoreCheckpoint(world.deps, { ...chosen, checkpoint: 1 });
    await world.advance(3_000);
    expect(await world.record()).toMatchObject({ attempt: 2, completed: 1, published: 2 });
    expect(world.collect.published()).toEqual(['record of 1', 'record of 2']);
    expect([...world.publications.values()]).toEqual([1, 1]);
  });

  test('publishes every completed checkpoint by its own manifest: after a restore the next one does not name its parts', async () => {
    const world = await started();
    const heal = await withoutPublication(world);
    await checkpoint(world);
    world.decorate = (uid) => (uid === sink ? { parts: [] } : {});
    await checkpoint(world);
    expect(await world.record()).toMatchObject({ completed: 2, published: 0, retained: [{ id: 1 }, { id: 2 }] });
    await heal();
    await world.advance(3_000);
    expect(await world.record()).toMatchObject({ completed: 2, published: 2 });
    expect(world.collect.published()).toEqual(['record of 1']);
  });

  test('keeps a checkpoint that is not published although newer ones would retire it', async () => {
    const world = new CoordinatorWorld({ settings: { retained: 1 } });
    await world.start();
    const heal = await withoutPublication(world);
    for (let n = 0; n < 3; n++) await checkpoint(world);
    expect((await world.record()).retained.map(({ id }) => id)).toEqual([1, 2, 3]);
    await heal();
    await world.advance(3_000);
    expect(await world.record()).toMatchObject({ published: 3, retained: [{ id: 3 }], floor: 3 });
    expect(world.collect.published()).toEqual(['record of 1', 'record of 2', 'record of 3']);
  });

  test('does not let a completed restore of the newest be one of something older', async () => {
    const world = await started();
    await checkpoint(world);
    const { createIfAbsent } = world.stores.objects;
    const prefix = descriptorKey(job, 2, '');
    const descriptors: string[] = [];
    let goOn: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (goOn = resolve));
    // The descriptor names the checkpoint that was chosen, and the switch follows: between the two another one completes.
    world.stores.objects.createIfAbsent = async (key, bytes) => {
      if (key.startsWith(prefix) && descriptors.push(key.slice(prefix.length)) === 1) await held;
      return createIfAbsent.call(world.stores.objects, key, bytes);
    };
    await restoreCheckpoint(world.deps, { ...chosen, checkpoint: 'newest' });
    await world.settle();
    expect(descriptors).toEqual(['r-1']);
    await checkpoint(world);
    expect(await world.record()).toMatchObject({ attempt: 1, completed: 2 });
    goOn();
    await world.advance(5_000);
    // Chosen once more, and another one.
    expect(descriptors).toEqual(['r-1', 'r-2']);
    const record = await world.record();
    expect(record).toMatchObject({ attempt: 2, completed: 2 });
    expect(record.completed).toBe(record.retained.at(-1)!.id);
    expect(world.collect.published()).toEqual(Array.from({ length: record.completed }, (_, n) => `record of ${n + 1}`));
  });
});
