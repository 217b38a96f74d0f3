import { describe, expect, test } from 'vitest';
import { collectGarbage } from '../../lib/coordinator/collect-garbage.ts';
import { stopWithSavepoint } from '../../lib/coordinator/savepoint-requests.ts';
import { sweep } from '../../lib/coordinator/sweep.ts';
import { decodeManifest } from '../../lib/checkpoint/manifest-codec.ts';
import { descriptorKey, exportKey, manifestKey, planKey } from '../../lib/model/object-keys.ts';
import type { ShardRecord } from '../../lib/model/shard-record.ts';
import { shardRecord } from '../contract/sample-records.ts';
import { deltaOf, job } from '../checkpoint/fixture.ts';
import { counter, planOf, sink } from '../checkpoint/plans.ts';
import { CoordinatorWorld } from './coordinator-world.ts';

const prefix = `jobs/${job}/`;

async function names(world: CoordinatorWorld): Promise<readonly string[]> {
  return (await world.stores.objects.list(prefix)).map(({ key }) => key.slice(prefix.length)).sort();
}

async function put(world: CoordinatorWorld, ...keys: readonly string[]): Promise<void> {
  for (const key of keys) await world.stores.objects.createIfAbsent(prefix + key, Buffer.from('x'));
}

describe('the collector', () => {
  test('keeps what a root names, chains included, and removes the rest once it is old', async () => {
    const world = new CoordinatorWorld({ plan: planOf({ counters: 1, sources: 1 }), settings: { retained: 1 } });
    await world.start();
    const delta = (epoch: number) => deltaOf(counter, 0, 1, epoch);
    world.decorate = (uid, _, checkpoint) =>
      uid === counter
        ? { deltas: [delta(checkpoint)], segments: { recent: [`${prefix}segments/of-manifest-${checkpoint}`], chained: null } }
        : {};
    await put(world, ...[1, 2, 3].flatMap((n) => [delta(n).key.slice(prefix.length), `segments/of-manifest-${n}`]));
    for (let n = 0; n < 2; n++) {
      await world.dirty();
      await world.advance(1_100);
    }
    world.mute.add(sink);
    await world.dirty();
    await world.advance(1_100);
    await put(
      world,
      'segments/lost',
      'deltas/lost',
      'indexes/lost',
      'segments/last',
      'segments/stashed',
      'segments/recent',
      'segments/chained',
      'failures/1-x',
      'splits/s',
    );
    await world.stores.objects.createIfAbsent(
      `${prefix}indexes/one`,
      Buffer.from(JSON.stringify({ previous: `${prefix}indexes/two`, segments: [`${prefix}segments/chained`] })),
    );
    await world.stores.objects.createIfAbsent(`${prefix}indexes/two`, Buffer.from(JSON.stringify({ previous: null, segments: [] })));
    for (const [attempt, trigger] of [
      [1, 'done'],
      [2, 'coming'],
      [2, 'refused'],
    ] as const)
      await put(world, descriptorKey(job, attempt, `${trigger}-2`).slice(prefix.length));
    await world.stores.operations.create({
      job,
      trigger: 'coming',
      kind: 'restore',
      version: 1,
      status: 'IN_PROGRESS',
      request: {},
      progress: {},
      location: null,
      failure: null,
      createdAtMs: 0,
      changedAtMs: 0,
    });
    await put(world, exportKey(job, 'ended', 0).slice(prefix.length));
    const record: ShardRecord = {
      ...shardRecord({ job, uid: counter, shard: 0, attempt: 1, version: 1 }),
      lastSegment: `${prefix}segments/last`,
      stash: {
        replaying: false,
        envelopes: [{ channel: '0/0>0' as never, sequence: 1, segment: `${prefix}segments/stashed`, index: 0, processed: 0 }],
      },
      segments: [{ epoch: 3, recent: [`${prefix}segments/recent`], chained: `${prefix}indexes/one` }],
      deltas: [],
    };
    await world.stores.shards.commit(record, { version: 0, attempt: 0 });
    await collectGarbage(world.deps, { job });
    expect(await names(world)).toContain('segments/lost');
    await world.advance(30_000);
    await put(world, 'segments/young');
    await world.advance(31_000);
    const { removed } = await collectGarbage(world.deps, { job });
    expect(removed).toBeGreaterThan(0);
    const left = await names(world);
    for (const kept of [
      'segments/last',
      'segments/stashed',
      'segments/recent',
      'segments/chained',
      'indexes/one',
      'indexes/two',
      'segments/young',
      'failures/1-x',
      'splits/s',
      // The retained checkpoint and the pending one.
      'segments/of-manifest-2',
      delta(2).key.slice(prefix.length),
      'segments/of-manifest-3',
      delta(3).key.slice(prefix.length),
      manifestKey(job, 1, 2).slice(prefix.length),
      descriptorKey(job, 2, 'coming-2').slice(prefix.length),
    ]) {
      expect(left).toContain(kept);
    }
    for (const gone of [
      'segments/lost',
      'deltas/lost',
      'indexes/lost',
      'segments/of-manifest-1',
      delta(1).key.slice(prefix.length),
      manifestKey(job, 1, 1).slice(prefix.length),
      descriptorKey(job, 1, 'done-2').slice(prefix.length),
      descriptorKey(job, 2, 'refused-2').slice(prefix.length),
      exportKey(job, 'ended', 0).slice(prefix.length),
    ]) {
      expect(left).not.toContain(gone);
    }
    expect(left.some((name) => name.startsWith(planKey(job, '').slice(prefix.length)))).toBe(true);
  });

  test('takes no notice of what an older attempt has left in a record: its objects may be gone', async () => {
    const world = new CoordinatorWorld({ plan: planOf({ counters: 1, sources: 1 }) });
    await world.start();
    await put(world, 'segments/abandoned');
    const record: ShardRecord = {
      ...shardRecord({ job, uid: counter, shard: 0, attempt: 1, version: 1 }),
      lastSegment: `${prefix}segments/abandoned`,
      segments: [{ epoch: 3, recent: [], chained: `${prefix}indexes/collected-while-the-plan-had-fewer-shards` }],
    };
    await world.stores.shards.commit(record, { version: 0, attempt: 0 });
    const before = (await world.stores.jobs.read(job))!;
    await world.stores.jobs.replace({ ...before, attempt: 2, version: before.version + 1 }, before.version);
    await world.advance(61_000);
    await collectGarbage(world.deps, { job });
    expect(await names(world)).not.toContain('segments/abandoned');
  });

  test('removes what sinks keep among the objects once its checkpoint is published, and what an import has staged never', async () => {
    const world = new CoordinatorWorld({ plan: planOf({ counters: 1, sources: 1 }) });
    await world.start();
    await world.dirty();
    await world.advance(1_100);
    expect(await world.record()).toMatchObject({ published: 1 });
    const part = (attempt: number, checkpoint: number): string => `sinks/.${job}-${attempt}-rows-00000${checkpoint}-0-0.staged`;
    const gone = [part(1, 1), `${part(1, 1)}.delivered`, `${part(1, 1)}.upto-2000`];
    const kept = [part(1, 2), `${part(1, 2)}.upto-2000`, part(0, 1), `sinks/.${job}.0123-0-rows-000001-0-0.staged`, 'sinks/other'];
    await put(world, ...gone, ...kept);
    await collectGarbage(world.deps, { job });
    expect(await names(world), 'somebody may be at work with them').toEqual(expect.arrayContaining(gone));
    await world.advance(61_000);
    await collectGarbage(world.deps, { job });
    const left = (await names(world)).filter((name) => name.startsWith('sinks/'));
    expect(left).toEqual([...kept].sort());
  });

  test('runs by itself while checkpoints are made, once per span of time', async () => {
    const world = new CoordinatorWorld();
    await world.start();
    const started: string[] = [];
    const create = world.stores.flows.create.bind(world.stores.flows);
    world.stores.flows.create = async (execution) => {
      if (execution.flow === 'collect') started.push(execution.name);
      return create(execution);
    };
    await world.boot();
    for (let n = 0; n < 30; n++) {
      await world.dirty();
      await world.advance(60_000);
    }
    expect(started.length).toBeGreaterThanOrEqual(2);
    expect(started.length).toBeLessThanOrEqual(4);
    expect((await names(world)).filter((name) => name.startsWith('manifests/')).length).toBeLessThan(16);
  });
});

describe('the sweep', () => {
  test('wakes shards of the attempt that nobody has woken, and ends when nothing is left', async () => {
    const world = new CoordinatorWorld({ plan: planOf({ counters: 1, sources: 1 }) });
    await world.start();
    await world.settle();
    await world.stores.shards.commit(shardRecord({ job, uid: counter, shard: 0, attempt: 1, version: 1 }), { version: 0, attempt: 0 });
    const sent: string[] = [];
    const sendBatch = world.stores.queue.sendBatch.bind(world.stores.queue);
    world.stores.queue.sendBatch = async (queue, messages) => {
      sent.push(...messages.map(() => queue.slice(job.length + 1)));
      return sendBatch(queue, messages);
    };
    expect(await sweep(world.deps, { job })).toMatchObject({ again: false });
    expect(sent.sort()).toEqual(['numbers', 'results']);
  });

  test('publishes what a dead flow has completed', async () => {
    const world = new CoordinatorWorld();
    await world.start();
    const publish = world.collect.publish.bind(world.collect);
    world.collect.publish = async () => Promise.reject(new Error('the bucket is gone'));
    await world.boot();
    await world.dirty();
    await world.advance(1_500);
    expect(await world.record()).toMatchObject({ completed: 1, published: 0, retained: [{ id: 1 }] });
    world.collect.publish = publish;
    await world.boot({ atCall: 1_000_000, when: 'before' });
    expect(await sweep(world.deps, { job })).toMatchObject({ again: false });
    expect(await world.record()).toMatchObject({ completed: 1, published: 1 });
    expect(world.collect.published()).toEqual(['record of 1']);
  });

  test('lets go of what a dead exporter held', async () => {
    const world = new CoordinatorWorld();
    await world.start();
    await world.dirty();
    await world.advance(1_100);
    const record = await world.record();
    const pin = { checkpoint: 1, kind: 'savepoint' as const, flow: 'savepoint-of-nobody', manifest: record.retained[0]!.manifest };
    await world.stores.jobs.replace({ ...record, version: record.version + 1, pins: [pin] }, record.version);
    await sweep(world.deps, { job });
    expect((await world.record()).pins).toEqual([]);
  });

  test('brings a job back whose stop has died after its order', async () => {
    const world = new CoordinatorWorld();
    await world.start();
    await world.dirty();
    await world.advance(1_100);
    world.mute.add(sink);
    await stopWithSavepoint(world.deps, { job, trigger: 'lost', directory: 'target', stop: 'suspend' });
    await world.advance(100);
    const [pending] = (await world.record()).pending;
    expect(pending).toMatchObject({ kind: 'stop-savepoint' });
    const flow = (await world.stores.flows.read(pending!.flow))!;
    await world.stores.flows.save({ ...flow, status: 'FAILED' });
    await world.boot();
    world.mute.clear();
    await sweep(world.deps, { job });
    await world.settle();
    expect(await world.record()).toMatchObject({ status: 'RUNNING', attempt: 2, completed: 1, pending: [] });
    expect((await world.stores.operations.read(job, 'lost'))?.failure?.message).toBe('the flow of the stop has ended');
  });

  test('is armed before the work that it guards, and once per span', async () => {
    const world = new CoordinatorWorld();
    await world.start();
    expect(await world.stores.flows.running()).toMatchObject([{ flow: 'sweep' }]);
    for (let n = 0; n < 5; n++) {
      await world.dirty();
      await world.advance(60_000);
    }
    expect((await world.stores.flows.running()).filter(({ flow }) => flow === 'sweep')).toHaveLength(1);
    await world.advance(2 * 3_600_000);
    expect(await world.stores.flows.running()).toEqual([]);
    const manifest = (await world.record()).retained.at(-1)!.manifest;
    expect(decodeManifest((await world.stores.objects.read(manifest))!, 'it').checkpoint).toBe(5);
  });
});
