/** What a checkpoint costs: gathered with its acknowledgements, kept in its manifest, told in the history. */
import { beforeEach, describe, expect, test } from 'vitest';
import { decodeManifest } from '../../lib/checkpoint/manifest-codec.ts';
import type { Manifest } from '../../lib/checkpoint/manifest.ts';
import type { Bill } from '../../lib/model/bill.ts';
import { job } from '../checkpoint/fixture.ts';
import { counter, sink, source } from '../checkpoint/plans.ts';
import type { CoordinatorDeps } from '../../lib/coordinator/coordinator-deps.ts';
import { CoordinatorWorld } from './coordinator-world.ts';

let world: CoordinatorWorld;

beforeEach(async () => {
  world = new CoordinatorWorld();
  await world.start();
});

/** Each bill that is taken from the coordinator counts one call. */
function coordinatorCounts(): void {
  const bill: CoordinatorDeps['bill'] = () => ({ 'dynamodb.GetItem': 1 });
  Object.assign(world.deps, { bill });
}

const shardsCount = (bill: Bill): void =>
  void (world.decorate = (uid, _shard, checkpoint) => ({ bill, recordsIn: uid === source ? checkpoint * 1_000 : 7 }));

async function manifest(): Promise<Manifest> {
  const { retained } = await world.record();
  const { manifest: key } = retained.at(-1)!;
  return decodeManifest((await world.stores.objects.read(key))!, key);
}

async function checkpoint(): Promise<void> {
  await world.dirty();
  await world.advance(1_500);
}

describe('the bill of a checkpoint', () => {
  test('is what its shards counted, what the coordinator counted, and four transitions', async () => {
    shardsCount({ 's3.PutObject': 1, 's3.PutObject.class-1': 1 });
    coordinatorCounts();
    await checkpoint();
    const { bill, shards } = await manifest();
    // One for each acknowledgement that is stored, and one for the manifest.
    expect(bill).toEqual({
      's3.PutObject': shards.length,
      's3.PutObject.class-1': shards.length,
      'dynamodb.GetItem': shards.length + 1,
      'states.Transition': 4,
    });
    expect(shards.every((snapshot) => snapshot.bill === undefined)).toBe(true);
  });

  test('stands in the history, beside what the sources have read', async () => {
    shardsCount({ 's3.PutObject': 1 });
    coordinatorCounts();
    await checkpoint();
    const entries = await world.stores.history.read(job);
    const { bill } = await manifest();
    const sources = world.plan.vertices.find(({ uid }) => uid === source)!.parallelism;
    expect(entries.find(({ kind }) => kind === 'checkpoint')).toMatchObject({ bill, records: 1_000 * sources });
  });

  test('of one that failed has what came of it', async () => {
    shardsCount({ 's3.PutObject': 1 });
    world.mute.add(counter);
    await world.dirty();
    await world.advance(1_500);
    await world.expire(1);
    const entries = await world.stores.history.read(job);
    const failed = entries.find(({ kind }) => kind === 'checkpoint');
    const others = world.plan.vertices
      .filter(({ uid }) => uid === source || uid === sink)
      .reduce((sum, { parallelism }) => sum + parallelism, 0);
    expect(failed).toMatchObject({ failure: { reason: 'CHECKPOINT_EXPIRED' }, bill: { 's3.PutObject': others } });
    expect(failed).not.toHaveProperty('records');
  });

  test('is none where nothing is billed, and the manifest is as it always was', async () => {
    await checkpoint();
    expect(await manifest()).not.toHaveProperty('bill');
    const [entry] = (await world.stores.history.read(job)).filter(({ kind }) => kind === 'checkpoint');
    expect(entry).not.toHaveProperty('bill');
    expect(entry).not.toHaveProperty('records');
  });
});
