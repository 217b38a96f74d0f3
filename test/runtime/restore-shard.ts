/** A checkpoint of one shard on the bench, and its restore: what the coordinator does. */
import { encodeDescriptor, encodeManifest } from '../../lib/checkpoint/manifest-codec.ts';
import type { Manifest } from '../../lib/checkpoint/manifest.ts';
import type { CoordinatorMessage } from '../../lib/model/coordinator-message.ts';
import type { ShardSnapshot } from '../../lib/model/shard-record.ts';
import { jobA } from '../contract/sample-records.ts';
import type { ShardBench } from './shard-bench.ts';

export const snapshots = (messages: readonly CoordinatorMessage[]): ShardSnapshot[] =>
  messages.flatMap((message) => (message.kind === 'acknowledgement' ? [message.snapshot] : []));

/** A manifest has all shards; the others' are of no interest here. */
function neighbours(bench: ShardBench, own: ShardSnapshot, known: readonly ShardSnapshot[]): ShardSnapshot[] {
  const others = bench.compiled.plan.vertices.filter(({ uid }) => known.every((one) => one.uid !== uid));
  const nothing = {
    inputs: own.outputs,
    outputs: own.inputs,
    operatorStates: {},
    deltas: [],
    fired: [],
    nextTimer: { event: null, processing: null },
    parts: [],
  };
  return others.map(({ uid }) => ({ ...own, ...nothing, uid, splits: null, finished: false, segments: { recent: [], chained: null } }));
}

function withInFlight(shard: ShardSnapshot, { sent, segment }: InFlight): ShardSnapshot {
  return { ...shard, outputs: sent, inFlight: [{ epoch: shard.checkpoint, recent: [segment], chained: null }] };
}

/** What a neighbour has sent and the shard not received: in that segment. */
interface InFlight {
  readonly uid: string;
  readonly sent: ShardSnapshot['outputs'];
  readonly segment: string;
}

/** Completes a checkpoint, as the coordinator does, and goes on from it in attempt 2. */
export async function restore(
  bench: ShardBench,
  shards: readonly ShardSnapshot[],
  { inFlight, ...changes }: Partial<Manifest> & { readonly inFlight?: InFlight } = {},
): Promise<void> {
  const { plan, planHash } = bench.compiled;
  const { checkpoint } = shards[0]!;
  const manifest: Manifest = {
    format: 1,
    job: jobA,
    jobName: 'count',
    attempt: 1,
    checkpoint,
    kind: 'checkpoint',
    mode: 'exactly-once',
    plan,
    planHash,
    shards: [
      ...shards,
      ...neighbours(bench, shards[0]!, shards).map((shard) => (shard.uid === inFlight?.uid ? withInFlight(shard, inFlight) : shard)),
    ],
    triggeredAtMs: 0,
    completedAtMs: 0,
    ...changes,
  };
  await bench.stores.objects.createIfAbsent('manifest', encodeManifest(manifest));
  const descriptor = { format: 1, job: jobA, attempt: 2, checkpoint, manifest: 'manifest', dropped: [] } as const;
  await bench.stores.objects.createIfAbsent('descriptor', encodeDescriptor(descriptor));
  const retained = [{ id: checkpoint, kind: 'checkpoint', manifest: 'manifest' }] as const;
  await bench.changeJob({
    attempt: 2,
    descriptor: 'descriptor',
    numbered: 9,
    firstEpoch: 10,
    completed: checkpoint,
    floor: checkpoint,
    retained,
  });
  bench.restart();
}
