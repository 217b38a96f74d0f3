import { describe, expect, test } from 'vitest';
import type { CheckpointId } from '../../lib/base/ids.ts';
import { decodeDescriptor } from '../../lib/checkpoint/manifest-codec.ts';
import { restoreCheckpoint } from '../../lib/coordinator/restore-requests.ts';
import { readPlan } from '../../lib/coordinator/coordinator-deps.ts';
import type { JobPlan } from '../../lib/model/job-plan.ts';
import { readMessage } from '../../lib/model/envelope-codec.ts';
import { operatorQueue } from '../../lib/model/queue-names.ts';
import { job, settings } from '../checkpoint/fixture.ts';
import { counter, planOf, sink, source } from '../checkpoint/plans.ts';
import { CoordinatorWorld, type Crash } from './coordinator-world.ts';

interface Wanted {
  readonly checkpoint?: CheckpointId | 'newest';
  readonly publishedSeen?: CheckpointId | null;
  readonly plan?: JobPlan;
  readonly allowNonRestoredState?: boolean;
  readonly trigger?: string;
}

async function restore(world: CoordinatorWorld, wanted: Wanted = {}): Promise<void> {
  const { checkpoint = 'newest', publishedSeen = null, plan, allowNonRestoredState = false, trigger = 'r1' } = wanted;
  const newPlan = plan === undefined ? null : { plan, planHash: 'new', settings };
  await restoreCheckpoint(world.deps, { job, trigger, checkpoint, publishedSeen, newPlan, allowNonRestoredState, allowOtherJob: false });
  await world.settle();
}

async function failureOf(world: CoordinatorWorld, trigger = 'r1'): Promise<string | undefined> {
  return (await world.stores.operations.read(job, trigger))?.failure?.message;
}

/** Two completed checkpoints, both retained. */
async function running(): Promise<CoordinatorWorld> {
  const world = new CoordinatorWorld();
  await world.start();
  for (let n = 0; n < 2; n++) {
    await world.dirty();
    await world.advance(1_100);
  }
  expect((await world.record()).retained.map(({ id }) => id)).toEqual([1, 2]);
  return world;
}

describe('a restore in place', () => {
  test('of the newest checkpoint begins a new attempt above every number given, wakes every shard and goes on', async () => {
    const world = await running();
    const kicked: string[] = [];
    const sendBatch = world.stores.queue.sendBatch.bind(world.stores.queue);
    world.stores.queue.sendBatch = async (queue, messages) => {
      const control = messages.map(({ body }) => (queue.includes('#') ? null : readMessage(body)));
      for (const message of control)
        if (message?.kind === 'control' && message.control.kind === 'kick') kicked.push(`${queue} ${message.control.attempt}`);
      return sendBatch(queue, messages);
    };
    world.mute.add(counter);
    await world.dirty();
    await world.advance(1_100);
    await restore(world);
    world.mute.clear();
    const record = await world.record();
    expect(record).toMatchObject({
      status: 'RUNNING',
      attempt: 2,
      completed: 2,
      published: 2,
      firstEpoch: 4,
      numbered: 3,
      aborted: 3,
      pending: [],
    });
    const descriptor = decodeDescriptor((await world.stores.objects.read(record.descriptor!))!, 'it');
    expect(descriptor).toMatchObject({ attempt: 2, checkpoint: 2, manifest: record.retained.at(-1)!.manifest });
    expect(kicked).toHaveLength(6);
    expect(new Set(kicked)).toEqual(new Set([source, counter, sink].map((uid) => `${operatorQueue(job, uid)} 2`)));
    // What the given-up attempt had staged is gone.
    expect(world.collect.staged()).toEqual([]);
    await world.dirty();
    await world.advance(1_100);
    expect(await world.record()).toMatchObject({ completed: 4, published: 4 });
    expect(world.collect.published()).toEqual(['record of 1', 'record of 2', 'record of 4']);
  });

  test('of an older checkpoint forgets the newer one', async () => {
    const world = await running();
    await restore(world, { checkpoint: 1, publishedSeen: 2 });
    expect(await world.record()).toMatchObject({ attempt: 2, completed: 1, published: 2, retained: [{ id: 1 }], floor: 1 });
    await world.dirty();
    await world.advance(1_100);
    expect(await world.record()).toMatchObject({ completed: 3, retained: [{ id: 1 }, { id: 3 }] });
  });

  test('is refused where more has been published than the preview showed, and nothing changes', async () => {
    const world = await running();
    const before = await world.record();
    await restore(world, { checkpoint: 1, publishedSeen: 1 });
    expect(await failureOf(world)).toContain('more output has been published since the preview');
    expect(await world.record()).toEqual(before);
  });

  test('is refused where its checkpoint is no longer retained', async () => {
    const world = await running();
    await world.dirty();
    await world.advance(1_100);
    await restore(world, { checkpoint: 1 });
    expect(await failureOf(world)).toContain('checkpoint 1 is no longer retained');
  });

  test('under another plan names everything that does not fit, and leaves the running job untouched', async () => {
    const world = await running();
    const before = await world.record();
    const states = [{ name: 'total', kind: 'list' as const, ttlMs: 5 }];
    const plan = planOf({ name: 'renamed', counterStates: states });
    const withoutSink = { ...plan, vertices: plan.vertices.filter(({ uid }) => uid !== sink), edges: plan.edges.slice(0, 1) };
    await restore(world, { plan: withoutSink });
    const message = (await failureOf(world))!;
    for (const part of ['of job counting, this is job renamed', 'state of operator results', 'was value state and is list state'])
      expect(message).toContain(part);
    expect(await world.record()).toEqual(before);
  });

  test('under another plan changes parallelism, adopts the max parallelism and drops state only by word', async () => {
    const world = await running();
    const plan = planOf({ counters: 5, maxParallelism: 256 });
    await restore(world, { plan, trigger: 'wider' });
    const record = await world.record();
    expect(record).toMatchObject({ attempt: 2, planHash: 'new', status: 'RUNNING' });
    const stored = await readPlan(world.deps, record.plan);
    expect(stored.plan.vertices.find(({ uid }) => uid === counter)).toMatchObject({ parallelism: 5, maxParallelism: 128 });
    const without = { ...plan, vertices: plan.vertices.filter(({ uid }) => uid !== sink), edges: plan.edges.slice(0, 1) };
    await restore(world, { plan: without, trigger: 'dropped', allowNonRestoredState: true });
    const after = await world.record();
    expect(after).toMatchObject({ attempt: 3 });
    expect(decodeDescriptor((await world.stores.objects.read(after.descriptor!))!, 'it').dropped).toEqual([sink]);
  });

  test('of a failed job brings it back', async () => {
    const world = await running();
    const failure = { code: 'X', message: 'boom', hint: '', operator: counter, shard: 0, facts: {}, atMs: 1 };
    await world.tell({ kind: 'failed', job, attempt: 1, uid: counter, shard: 0, failure });
    await world.settle();
    expect((await world.record()).status).toBe('FAILED');
    await restore(world);
    expect(await world.record()).toMatchObject({ status: 'RUNNING', attempt: 2, failure: null });
  });

  test('asked for twice at once is one new attempt', async () => {
    const world = await running();
    await Promise.all(['a', 'b'].map((trigger) => restore(world, { trigger })));
    await world.advance(5_000);
    expect((await world.record()).attempt).toBe(2);
    const outcomes = await Promise.all(['a', 'b'].map((trigger) => failureOf(world, trigger)));
    expect(outcomes.filter((message) => message === undefined)).toHaveLength(1);
    expect(outcomes.filter((message) => message?.includes('another restore came first'))).toHaveLength(1);
  });

  test.each(['before', 'after'] as const)('by a process that dies %s any of its port calls happens once', async (when) => {
    for (let atCall = 0; ; atCall++) {
      const world = await running();
      const crash: Crash = { atCall, when };
      await world.boot(crash);
      await Promise.race([restore(world, { checkpoint: 1 }), world.process.death]);
      await world.advance(1_000);
      const { dead } = world.process;
      await world.boot();
      await restore(world, { checkpoint: 1 });
      await world.advance(20_000);
      expect(await world.record(), `call ${atCall}`).toMatchObject({ attempt: 2, status: 'RUNNING', completed: 1, retained: [{ id: 1 }] });
      expect(await failureOf(world), `call ${atCall}`).toBeUndefined();
      expect((await world.stores.operations.read(job, 'r1'))?.status, `call ${atCall}`).toBe('COMPLETED');
      if (!dead) {
        expect(atCall).toBeGreaterThan(25);
        return;
      }
    }
  });
});
