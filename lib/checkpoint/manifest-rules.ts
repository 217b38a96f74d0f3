/** The rules M1–M3 of manifest-codec.ts. Broken ones mean that the cut is no cut: restoring from it would lose or double records. */
import { channelId, type ChannelId } from '../base/ids.ts';
import { invariant } from '../base/invariant.ts';
import type { PlannedEdge } from '../model/job-plan.ts';
import { vertexOf } from '../model/job-plan.ts';
import type { DeltaRef, ShardSnapshot } from '../model/shard-record.ts';
import { expectedShards, missingShards } from './completeness.ts';
import { inFlightChannels, isOvertaken, type InFlightChannel } from './in-flight.ts';
import type { Manifest } from './manifest.ts';

export function assertManifest(manifest: Manifest): void {
  const { plan, shards, checkpoint } = manifest;
  const missing = missingShards(plan, shards);
  invariant(missing.length === 0, 'M1', `checkpoint ${checkpoint} lacks ${missing.map(({ uid, shard }) => `${uid}/${shard}`).join(', ')}`);
  invariant(
    shards.length === expectedShards(plan).length,
    'M1',
    `checkpoint ${checkpoint} has ${shards.length} snapshots, more than the plan has shards`,
  );
  for (const snapshot of shards) {
    const own = snapshot.job === manifest.job && snapshot.attempt === manifest.attempt && snapshot.checkpoint === checkpoint;
    invariant(own, 'M1', `the snapshot of ${snapshot.uid}/${snapshot.shard} is of another checkpoint`, {
      of: { job: snapshot.job, attempt: snapshot.attempt, checkpoint: snapshot.checkpoint },
    });
    assertDeltas(snapshot, vertexOf(plan, snapshot.uid).maxParallelism);
  }
  const positions = new Map(shards.map((snapshot) => [`${snapshot.uid}/${snapshot.shard}`, snapshot]));
  for (const edge of plan.edges) assertCut(manifest, edge, positions);
  for (const channel of manifest.unaligned === true ? inFlightChannels(manifest) : []) assertListed(channel, positions);
}

function assertListed({ channel, edge, from, after }: InFlightChannel, snapshots: ReadonlyMap<string, ShardSnapshot>): void {
  const [oldest] = snapshots.get(`${edge.from}/${from}`)!.inFlight ?? [];
  const listed = oldest !== undefined && (oldest.after?.[channel] ?? 0) <= after;
  invariant(listed, 'IF2', `what is in flight on channel ${channel} above ${after} is not listed`, { channel, after });
}

function assertDeltas({ uid, shard, deltas, checkpoint }: ShardSnapshot, maxParallelism: number): void {
  deltas.forEach((delta: DeltaRef, index) => {
    const ordered = delta.epoch <= checkpoint && delta.epoch >= (deltas[index - 1]?.epoch ?? 0);
    invariant(ordered, 'M3', `delta ${delta.key} of ${uid}/${shard} is of epoch ${delta.epoch}, in checkpoint ${checkpoint}`);
    const { start, end } = delta.keyGroups;
    invariant(
      start >= 0 && start <= end && end < maxParallelism,
      'M3',
      `delta ${delta.key} is of key groups ${start} to ${end} of ${maxParallelism}`,
    );
  });
}

function assertCut(
  { plan, mode, checkpoint, unaligned }: Manifest,
  edge: PlannedEdge,
  snapshots: ReadonlyMap<string, ShardSnapshot>,
): void {
  const senders = vertexOf(plan, edge.from).parallelism;
  const receivers = vertexOf(plan, edge.to).parallelism;
  for (let from = 0; from < senders; from++) {
    const sender = snapshots.get(`${edge.from}/${from}`)!;
    for (let to = 0; to < receivers; to++) {
      const channel: ChannelId = channelId(edge.index, from, to);
      const sent = sender.outputs[channel] ?? 0;
      const received = snapshots.get(`${edge.to}/${to}`)!.inputs[channel] ?? 0;
      const mayLag = mode !== 'exactly-once' || (unaligned === true && isOvertaken(edge));
      const sound = mayLag ? received <= sent : received === sent;
      invariant(sound, 'M2', `channel ${channel} is cut at ${received} where ${sent} were sent, in checkpoint ${checkpoint}`, {
        channel,
        sent,
        received,
      });
    }
  }
}
