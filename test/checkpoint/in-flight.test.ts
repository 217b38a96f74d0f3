import { describe, expect, test } from 'vitest';
import { channelId } from '../../lib/base/ids.ts';
import { checkCompatibility } from '../../lib/checkpoint/compatibility.ts';
import { checkSettings, defaultCheckpointSettings } from '../../lib/checkpoint/checkpoint-settings.ts';
import { completeCheckpoint } from '../../lib/checkpoint/completion.ts';
import { inFlightChannels, inFlightOf } from '../../lib/checkpoint/in-flight.ts';
import { lacksBeginnings, oldestInFlight, trimInFlight } from '../../lib/checkpoint/trim-in-flight.ts';
import { decodeManifest, encodeManifest } from '../../lib/checkpoint/manifest-codec.ts';
import type { Manifest } from '../../lib/checkpoint/manifest.ts';
import { numberCheckpoint } from '../../lib/checkpoint/pending-checkpoint.ts';
import { shardStart } from '../../lib/checkpoint/shard-start.ts';
import type { ShardSnapshot } from '../../lib/model/shard-record.ts';
import { manifestOf, recordOf, settings } from './fixture.ts';
import { counter, planOf, source } from './plans.ts';

const plan = planOf({ counters: 2 });
const edge = plan.edges.find(({ to }) => to === counter)!;
const channel = (from: number, to: number) => channelId(edge.index, from, to);

/** All channels are cut at 7, but for one on which the receiver is at 3; the sender lists three epochs. */
function lagging(changes: Partial<Manifest> = {}): Manifest {
  const list = (epoch: number, after: number): NonNullable<ShardSnapshot['inFlight']>[number] => {
    return { epoch, recent: [`segment-${epoch}`], chained: null, after: { [channel(0, 0)]: after, [channel(0, 1)]: after } };
  };
  const aligned = manifestOf(plan, { unaligned: true, ...changes });
  const shards = aligned.shards.map((snapshot): ShardSnapshot => {
    if (snapshot.uid === counter && snapshot.shard === 0) return { ...snapshot, inputs: { ...snapshot.inputs, [channel(0, 0)]: 3 } };
    if (snapshot.uid === source && snapshot.shard === 0) return { ...snapshot, inFlight: [list(1, 0), list(2, 2), list(3, 5)] };
    return snapshot;
  });
  return { ...aligned, shards };
}

describe('what is in flight', () => {
  test('is what was sent and not received, on channels that can be dealt out again', () => {
    expect(inFlightChannels(lagging())).toMatchObject([{ channel: channel(0, 0), after: 3, upTo: 7 }]);
    expect(inFlightChannels(manifestOf(plan))).toEqual([]);
  });

  test('is listed by its sender without the epochs that every receiver has', () => {
    const shards = trimInFlight(lagging());
    expect(shards.flatMap(({ inFlight = [] }) => inFlight.map(({ epoch }) => epoch))).toEqual([2, 3]);
    expect(oldestInFlight(shards)).toBe(2);
    const aligned = trimInFlight({ plan, shards: lagging().shards.map((snapshot) => ({ ...snapshot, ...manifestOf(plan).shards.find(({ uid, shard }) => uid === snapshot.uid && shard === snapshot.shard)! })) }); // prettier-ignore
    expect(aligned.some(({ inFlight }) => inFlight !== undefined)).toBe(false);
    expect(oldestInFlight(aligned)).toBeNull();
  });

  test('is not looked for in epochs that an older checkpoint, completed meanwhile, lets senders forget', () => {
    // Behind a checkpoint that overtakes nothing a snapshot lists what it keeps without knowing where each epoch began.
    const unknown = lagging().shards.map(({ inFlight, ...rest }) =>
      inFlight === undefined ? rest : { ...rest, inFlight: inFlight.map(({ after: _, ...list }) => list) },
    );
    const olderAt = (checkpoint: number, sent: number) =>
      lagging().shards.map(({ inFlight: _, ...rest }) => ({
        ...rest,
        checkpoint,
        outputs: { [channel(0, 0)]: sent, [channel(0, 1)]: sent },
      }));
    const epochs = (older: readonly ShardSnapshot[]): readonly number[] =>
      trimInFlight({ plan, shards: unknown }, older).flatMap(({ inFlight = [] }) => inFlight.map(({ epoch }) => epoch));
    expect(lacksBeginnings(unknown)).toBe(true);
    expect(lacksBeginnings(lagging().shards)).toBe(false);
    expect(epochs([])).toEqual([1, 2, 3]);
    // The receiver is at 3: past what had been sent by then.
    expect(epochs(olderAt(1, 2))).toEqual([2, 3]);
    expect(epochs(olderAt(2, 3))).toEqual([3]);
    // In flight at the older one too: its epochs are still needed.
    expect(epochs(olderAt(2, 5))).toEqual([1, 2, 3]);
  });

  test('survives as a manifest, which refuses one that lists too little, or a channel that must be aligned', () => {
    const manifest = { ...lagging(), shards: trimInFlight(lagging()) };
    expect(decodeManifest(encodeManifest(manifest), 'key').shards).toEqual(expect.arrayContaining([...manifest.shards]));
    const tooLittle = manifest.shards.map(({ inFlight, ...rest }) =>
      inFlight === undefined ? rest : { ...rest, inFlight: inFlight.slice(1) },
    );
    expect(() => encodeManifest({ ...manifest, shards: tooLittle })).toThrow('is not listed');
    const { unaligned: _, ...aligned } = manifest;
    expect(() => encodeManifest(aligned)).toThrow('is cut at 3 where 7 were sent');
    const forward = { ...plan, edges: plan.edges.map((one) => ({ ...one, partitioner: 'broadcast' as const })) };
    expect(() => encodeManifest({ ...manifest, plan: forward })).toThrow('is cut at 3 where 7 were sent');
  });

  test.each([1, 2, 3, 5])('has every key group on exactly one of %i new shards, and keeps order by sender', (counters) => {
    const manifest = { ...lagging(), shards: trimInFlight(lagging()) };
    const now = planOf({ counters });
    const readers = Array.from({ length: counters }, (_, shard) => inFlightOf(manifest, now, counter, shard));
    // Old shard 0 of 2 owned key groups 0 to 63: whoever owns some of them now reads it, each for its own keys.
    const owners = Array.from({ length: counters }, (_, shard) => Math.ceil((shard * 128) / counters) <= 63);
    expect(readers.map((some) => some.length > 0)).toEqual(owners);
    for (const [sender] of readers.filter((some) => some.length > 0)) {
      expect(sender!.channels).toEqual([{ channel: channel(0, 0), operator: counter, input: 0, byKey: true, after: 3, upTo: 7, begun: 0 }]);
      expect(sender!.segments).toMatchObject([{ epoch: 2 }, { epoch: 3 }]);
    }
    expect(shardStart(manifest, now, counter, 0)).toMatchObject({ finished: false, inFlight: [{ channels: [{ after: 3 }] }] });
  });

  test('goes by the number of the old receiver where it has no key', () => {
    const rebalanced = { ...plan, edges: plan.edges.map((one) => (one === edge ? { ...one, partitioner: 'rebalance' as const } : one)) };
    const manifest = { ...lagging(), plan: rebalanced };
    const counts = [0, 1, 2].map((shard) => inFlightOf(manifest, planOf({ counters: 3 }), counter, shard).length);
    expect(counts).toEqual([1, 0, 0]);
  });

  test('is nothing to a shard whose inputs had all ended: behind the ends only barriers come', () => {
    const shards = lagging().shards.map((snapshot) => (snapshot.uid === counter ? { ...snapshot, finished: true } : snapshot));
    expect(inFlightOf({ plan, shards }, plan, counter, 0)).toEqual([]);
    expect(shardStart({ ...lagging(), shards }, plan, counter, 0).finished).toBe(true);
  });

  test('refuses a job that has not the operator, or not by key', () => {
    const snapshot = { jobName: plan.name, plan, inFlightEdges: [edge] };
    const options = { allowNonRestoredState: false, allowOtherJob: false };
    expect(checkCompatibility(snapshot, plan, options).ok).toBe(true);
    const unkeyed = { ...plan, edges: plan.edges.map((one) => ({ ...one, partitioner: 'rebalance' as const })) };
    const [reason] = checkCompatibility(snapshot, unkeyed, options).reasons;
    expect(reason).toMatchObject({ code: 'IN_FLIGHT_NOT_MAPPED', operator: counter });
  });
});

describe('the orders', () => {
  const unaligned = { ...settings, unaligned: true, alignedTimeoutMs: 30 };
  const request = { kind: 'checkpoint', flow: 'f', token: 't' } as const;

  test('of checkpoints and savepoints say when barriers overtake; a stop never does', () => {
    const orderOf = (kind: 'checkpoint' | 'savepoint' | 'stop-savepoint', some = unaligned) => {
      const transition = numberCheckpoint(recordOf(), { ...request, kind }, some, 1_000);
      return transition.outcome === 'changed' ? transition.record.pending[0]!.overtakeAtMs : transition;
    };
    expect(orderOf('checkpoint')).toBe(1_030);
    expect(orderOf('savepoint')).toBe(1_030);
    expect(orderOf('stop-savepoint')).toBeUndefined();
    expect(orderOf('checkpoint', { ...settings, alignedTimeoutMs: 30 })).toBeUndefined();
  });

  test('leave behind what senders must keep, until a checkpoint completes with nothing in flight', () => {
    const entry = { id: 5, kind: 'checkpoint', flow: 'f', token: null, triggeredAtMs: 0, deadlineMs: 9 } as const;
    const record = recordOf({ numbered: 5, pending: [entry], aborted: 4 });
    const complete = (inFlightFrom: number | null) =>
      completeCheckpoint(record, { checkpoint: 5, manifest: 'm', retainedCount: 1, nothingToPublish: true, inFlightFrom }, 10);
    expect(complete(3)).toMatchObject({ record: { inFlightFrom: 3, floor: 5 } });
    expect(complete(null)).not.toHaveProperty('record.inFlightFrom');
  });

  test('of a savepoint that ends behind a newer checkpoint change nothing of what senders keep', () => {
    const entry = { id: 5, kind: 'savepoint', flow: 'f', token: null, triggeredAtMs: 0, deadlineMs: 9 } as const;
    const retained = [{ id: 6, kind: 'checkpoint', manifest: 'newer' }] as const;
    const record = recordOf({ numbered: 6, pending: [entry], completed: 6, published: 6, retained, floor: 5, inFlightFrom: 6, aborted: 4 });
    const completion = { checkpoint: 5, manifest: 'm', retainedCount: 1, nothingToPublish: true, inFlightFrom: null };
    expect(completeCheckpoint(record, completion, 10)).toMatchObject({ record: { inFlightFrom: 6, floor: 5 } });
  });

  test('need exactly-once', () => {
    expect(() => checkSettings({ ...defaultCheckpointSettings, unaligned: true, mode: 'at-least-once' })).toThrow(
      'unaligned needs mode exactly-once',
    );
    expect(checkSettings({ ...defaultCheckpointSettings, unaligned: true, maxConcurrent: 3 })).toMatchObject({ maxConcurrent: 3 });
  });
});
