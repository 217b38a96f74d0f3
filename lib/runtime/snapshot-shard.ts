/**
 * A shard's part of a checkpoint: the snapshot ends a commit, what follows the barrier belongs to the next one.
 *
 * SN1. The input position of a channel is its barrier's sequence number, not the last received; where the barrier is overtaken, the last processed: what
 *      waits in the stash is in flight, and of an envelope that is begun, what is left of it.
 * SN2. State at the snapshot = base + `deltas`, in order; the epoch's changes become delta objects, written before the commit that names them.
 * SN3. The barrier is the last element that goes out; the acknowledgement is the last effect.
 * SN4. The snapshot names every part newer than `published`.
 * SN5. Of a checkpoint that may overtake it lists every segment whose envelopes a receiver may not have taken yet, its own last one included.
 */
import { mutated } from '../base/mutated.ts';
import type { Attempt, ChannelId, CheckpointId } from '../base/ids.ts';
import { invariant } from '../base/invariant.ts';
import { limits } from '../base/limits.ts';
import { deltaKey, segmentKey } from '../model/object-keys.ts';
import type { BarrierOptions } from '../model/envelope.ts';
import type { Alignment, DeltaRef, EpochSegments, FiredRange, SegmentList, ShardSnapshot, SinkPart } from '../model/shard-record.ts';
import { addBills } from '../model/bill.ts';
import { MIN_WATERMARK } from '../model/time.ts';
import { announceChange, commit, keptSegments, type Committed } from './commit.ts';
import { mergeEpochs } from './merge-epochs.ts';
import type { LiveShard } from './live-shard.ts';
import type { Runtime } from './runtime-deps.ts';

export interface SnapshotOptions {
  readonly checkpoint: CheckpointId;
  readonly attempt: Attempt;
  readonly witness: string | null;
  readonly floor: number;
  readonly published: CheckpointId;
  /** null for sources: their order is the barrier. */
  readonly alignment: Alignment | null;
  readonly finished: boolean;
  /** Goes on with the barrier. */
  readonly barrier: BarrierOptions;
}

export async function snapshotShard(runtime: Runtime, shard: LiveShard, options: SnapshotOptions): Promise<Committed> {
  const startedAtMs = runtime.deps.clock.now();
  const { checkpoint } = options;
  const epoch = shard.epoch;
  shard.chain.prepareCommit();
  shard.outputs.closeEpoch(checkpoint, shard.idle, options.barrier);
  const added = await writeDeltas(runtime, shard, options);
  shard.deltas = mutated('only-newest-delta') ? added : [...shard.deltas, ...added];
  const own = shard.segments.find((list) => list.epoch === epoch);
  const segments: SegmentList = { recent: own?.recent ?? [], chained: own?.chained ?? null };
  const parts = planParts(runtime, shard, options, segments);
  if (options.finished) shard.status = 'finished';
  announceChange(shard, options);
  const inputs = inputPositions(shard, options);
  const begun = begunEnvelopes(shard, options);
  const tryId = runtime.deps.random.hex(12);
  const kept = keptSegments(shard.segments, options.floor, epoch);
  shard.segments = await mergeEpochs(runtime, shard, kept, { attempt: options.attempt, current: epoch, tryId });
  const inFlight = options.barrier.overtakeAtMs === undefined ? null : beginEpochBehind(shard, options, tryId);
  shard.epoch = checkpoint + 1;
  shard.settled = checkpoint;
  shard.alignment = null;
  shard.replaying = shard.stash.length > 0 && !mutated('stash-not-replayed');
  shard.dirty = mutated('dirty-once');
  shard.changed = false;
  const unpublished = shard.pendingParts.filter((part) => part.checkpoint > options.published);
  shard.pendingParts = mutated('parts-of-aborted-forgotten') ? parts : [...unpublished, ...parts];
  const built = buildSnapshot(runtime, shard, options, { segments, added, inputs, begun, startedAtMs });
  const snapshot: ShardSnapshot = inFlight === null ? built : { ...built, inFlight };
  shard.coordinator.push({
    kind: 'acknowledgement',
    job: snapshot.job,
    attempt: options.attempt,
    uid: snapshot.uid,
    shard: snapshot.shard,
    snapshot,
  });
  const done = await commit(runtime, shard, {
    attempt: options.attempt,
    witness: options.witness,
    tryId,
    endsEpoch: true,
    epoch,
    floor: options.floor,
  });
  if (shard.backend !== null) {
    shard.backend.changes.epochCommitted(shard.epoch);
  }
  return done;
}

async function writeDeltas(runtime: Runtime, shard: LiveShard, { checkpoint, attempt }: SnapshotOptions): Promise<DeltaRef[]> {
  const { backend, topology } = shard;
  if (backend === null || !backend.changes.epochHasChanges) return [];
  const refs: DeltaRef[] = [];
  for (const [part, { rows, bytes, keys }] of backend.changes.writeEpoch(limits.deltaRowsPerPart).entries()) {
    const key = deltaKey(topology.address, attempt, checkpoint, part, runtime.deps.random.hex(12));
    await runtime.deps.objects.createIfAbsent(key, bytes);
    shard.deltaKeys.set(key, keys);
    refs.push({ epoch: checkpoint, key, rows, bytes: bytes.length, keyGroups: topology.keyGroups });
  }
  return refs;
}

/** Names the parts that this epoch's sink records will be staged as, and orders the staging. */
function planParts(runtime: Runtime, shard: LiveShard, options: SnapshotOptions, segments: SegmentList): SinkPart[] {
  const { address, vertex } = shard.topology;
  const parts: SinkPart[] = [];
  for (const { uid: operator, connector } of vertex.operators) {
    const records = (shard.sinkRecords[operator] ?? 0) + shard.chain.sinkRecordCount(operator);
    if (connector === undefined || records === 0) continue;
    const committer = runtime.deps.connectors.sinks[connector.connector];
    invariant(committer !== undefined, 'SN4', `no committer for sink connector ${connector.connector}`, { operator });
    const { checkpoint, attempt } = options;
    const place = committer.locate(connector, { job: address.job, attempt, operator, checkpoint, shard: address.shard, number: 0 });
    parts.push({ operator, shard: address.shard, checkpoint, number: 0, ...place, records, bytes: 0 });
    shard.stage.push({ operator, checkpoint, number: 0, segments });
  }
  shard.sinkRecords = {};
  return parts;
}

/** Of a barrier that is overtaken: in the stash a channel's first envelope is the first that has not been processed to its end. */
function inputPositions(shard: LiveShard, { alignment }: SnapshotOptions): Record<ChannelId, number> {
  const positions: Record<ChannelId, number> = { ...alignment?.barriers };
  for (const [id, { sequence }] of shard.inputs) {
    if (mutated('position-last-received') || (mutated('stash-not-in-flight') && !(id in positions))) positions[id] = sequence;
    if (id in positions) continue;
    const first = shard.stash.find(({ channel }) => channel === id);
    positions[id] = first === undefined ? sequence : first.sequence - 1;
  }
  return positions;
}

/** Records that are processed of the envelope behind an input position. */
function begunEnvelopes(shard: LiveShard, { alignment }: SnapshotOptions): Record<ChannelId, number> {
  const begun: Record<ChannelId, number> = {};
  if (mutated('half-envelope-cut')) return begun;
  for (const id of shard.inputs.keys()) {
    const first = shard.stash.find(({ channel }) => channel === id);
    if (first !== undefined && first.processed > 0 && !(id in (alignment?.barriers ?? {}))) begun[id] = first.processed;
  }
  return begun;
}

/** The segments up to the snapshot's own, which only the commit writes; and what follows begins at the positions of now. */
function beginEpochBehind(shard: LiveShard, { checkpoint, attempt }: SnapshotOptions, tryId: string): EpochSegments[] {
  const { epoch, topology, record } = shard;
  const last = segmentKey(topology.address, attempt, record.version + 1, tryId);
  const known = mutated('older-epochs-unlisted') ? [] : shard.segments;
  const closing = known.find((list) => list.epoch === epoch) ?? { epoch, recent: [], chained: null };
  const after = sentUpTo(shard);
  shard.segments = [...shard.segments, { epoch: checkpoint + 1, recent: [], chained: null, after }];
  return [
    ...known.filter((list) => list !== closing),
    { ...closing, recent: mutated('own-segment-unlisted') ? closing.recent : [...closing.recent, last] },
  ].sort((a, b) => a.epoch - b.epoch);
}

function sentUpTo(shard: LiveShard): Record<ChannelId, number> {
  const positions: Record<ChannelId, number> = {};
  for (const [id, { sequence }] of Object.entries(shard.outputs.positions())) positions[id as ChannelId] = sequence;
  return positions;
}

interface SnapshotFacts {
  readonly segments: SegmentList;
  readonly added: readonly DeltaRef[];
  readonly inputs: Readonly<Record<ChannelId, number>>;
  readonly begun: Readonly<Record<ChannelId, number>>;
  readonly startedAtMs: number;
}

function buildSnapshot(runtime: Runtime, shard: LiveShard, options: SnapshotOptions, facts: SnapshotFacts): ShardSnapshot {
  const { segments, added, inputs, begun, startedAtMs } = facts;
  const nowMs = runtime.deps.clock.now();
  const { alignment } = options;
  const bill = addBills(shard.record.counted, runtime.deps.bill?.());
  const isOvertaken = alignment !== null && Object.keys(alignment.barriers).length < shard.inputs.size;
  return {
    ...shard.topology.address,
    version: shard.record.version + 1,
    attempt: options.attempt,
    checkpoint: options.checkpoint,
    inputs,
    ...(Object.keys(begun).length === 0 ? {} : { begun }),
    outputs: sentUpTo(shard),
    splits: shard.splits,
    operatorStates: shard.chain.states(),
    deltas: shard.deltas,
    fired: firedRanges(shard),
    nextTimer: shard.nextTimers(),
    parts: shard.pendingParts,
    finished: options.finished,
    segments,
    recordsIn: shard.recordsIn,
    recordsOut: shard.record.recordsOut + shard.outputs.records,
    stats: {
      deltaBytes: added.reduce((sum, ref) => sum + ref.bytes, 0),
      stateBytes: shard.deltas.reduce((sum, ref) => sum + ref.bytes, 0),
      alignmentMs: alignment === null ? 0 : nowMs - alignment.startedAtMs,
      snapshotMs: nowMs - startedAtMs,
      takenAtMs: nowMs,
      ...(alignment?.processedBytes === undefined ? {} : { processedBytes: alignment.processedBytes }),
      ...(isOvertaken ? { unaligned: true } : {}),
    },
    ...(bill === undefined ? {} : { bill }),
  };
}

/** What the restore brought and the watermark has not passed yet, above what this shard has fired. */
function firedRanges(shard: LiveShard): FiredRange[] {
  const own: FiredRange[] = shard.watermark === MIN_WATERMARK ? [] : [{ keyGroups: shard.topology.keyGroups, firedUpTo: shard.watermark }];
  return [...own, ...shard.fired];
}
