import { expect, test } from 'vitest';
import { channelId } from '../../lib/base/ids.ts';
import { decodeManifest } from '../../lib/checkpoint/manifest-codec.ts';
import { counter, planOf, source } from '../checkpoint/plans.ts';
import { CoordinatorWorld } from './coordinator-world.ts';

const channel = channelId(0, 0, 0);
const list = (epoch: number) => ({ epoch, recent: [`segment-${epoch}`], chained: null });

test('a manifest asks the checkpoint that completed before it where epochs began that the snapshots do not know', async () => {
  const world = new CoordinatorWorld({ plan: planOf({ sources: 1, counters: 1 }), settings: { unaligned: true, alignedTimeoutMs: 0 } });
  await world.start();
  // At 1 everything is received; at 2 the receiver is past what was sent by then, and lacks something of epoch 2.
  world.decorate = (uid, _, checkpoint) => {
    if (uid === source)
      return { outputs: { [channel]: checkpoint === 1 ? 3 : 7 }, ...(checkpoint === 1 ? {} : { inFlight: [list(1), list(2)] }) };
    return uid === counter ? { inputs: { [channel]: checkpoint === 1 ? 3 : 5 } } : {};
  };
  for (let checkpoint = 1; checkpoint <= 2; checkpoint++) {
    await world.dirty();
    await world.advance(2_000);
  }
  const { completed, retained } = await world.record();
  expect(completed).toBe(2);
  const key = retained.at(-1)!.manifest;
  const { shards } = decodeManifest((await world.stores.objects.read(key))!, key);
  expect(shards.flatMap(({ inFlight = [] }) => inFlight.map(({ epoch }) => epoch))).toEqual([2]);
});
