/**
 * The commit: segment first, then one conditional put of the shard record. Nothing before the put is real.
 *
 * CM1. Put if `version` and `attempt` are as loaded; a lost race throws the work away.
 * CM2. A lost answer to our own commit looks like a lost race: the stored try id tells them apart.
 * CM3. Every commit names its witness: the first message of the invocation's batch that was fresh when it began; without one the earlier stays.
 * CM4. The first changing commit of an epoch tells the coordinator, in the same commit.
 */
import { mutated } from '../base/mutated.ts';
import type { Attempt, ChannelId, Epoch } from '../base/ids.ts';
import { invariant } from '../base/invariant.ts';
import { murmur3 } from '../base/murmur3.ts';
import { addBills } from '../model/bill.ts';
import { encodeEnvelope } from '../model/envelope-codec.ts';
import type { PackedRecords } from '../model/packed-records.ts';
import { indexKey, segmentKey } from '../model/object-keys.ts';
import { shardGroup } from '../model/queue-names.ts';
import type { EpochSegments, InputChannelState, SegmentIndex, ShardRecord } from '../model/shard-record.ts';
import type { PackedEnvelope } from './channel-buffer.ts';
import { LostRaceError } from './errors.ts';
import type { LiveShard } from './live-shard.ts';
import type { Runtime } from './runtime-deps.ts';
import { hasEffects, isEmptySegment, type OutgoingEnvelope, type SegmentContent } from './segment-content.ts';
import { encodeSegment } from './segment.ts';

/** Segment names kept in the record before they are folded into an index object. */
const recentSegmentsMax = 16;

export interface CommitOptions {
  readonly attempt: Attempt;
  readonly witness: string | null;
  /** Where the segment's name had to be known before. */
  readonly tryId?: string;
  /** For a snapshot: its delta objects hold the state changes, its parts the sink records. */
  readonly endsEpoch?: boolean;
  /** The epoch that this commit's segment belongs to. */
  readonly epoch: number;
  /** What the record looks like where it is not the shard's working copies. */
  readonly overrides?: Partial<ShardRecord>;
  /** Checkpoints at or below are past for every receiver: their segments' names are dropped. */
  readonly floor: number;
}

export interface Committed {
  readonly content: SegmentContent;
  readonly segment: string | null;
}

export async function commit(runtime: Runtime, shard: LiveShard, options: CommitOptions): Promise<Committed> {
  const { deps } = runtime;
  const { record: previous, topology } = shard;
  const seen = mutated('no-version-condition') ? ((await deps.shards.read(topology.address)) ?? previous) : previous;
  const version = seen.version + 1;
  const tryId = options.tryId ?? deps.random.hex(12);
  const name = segmentKey(topology.address, options.attempt, version, mutated('segment-name-shared') ? 'shared' : tryId);
  announceChange(shard, options);
  shard.chain.prepareCommit();
  const content = takeContent(runtime, shard, options, name);
  const empty = isEmptySegment(content);
  if (!empty && !mutated('segment-after-commit')) await deps.objects.createIfAbsent(name, encodeSegment(content));
  shard.segments = await listSegments(runtime, shard, options, version, tryId, empty ? null : name);
  // With every commit: a process may never take a snapshot, and ends when Lambda likes. What a snapshot counts stands in its acknowledgement.
  const counted = options.endsEpoch === true ? undefined : addBills(previous.counted, deps.bill?.());
  const next = {
    ...nextRecord(shard, options, version, tryId, hasEffects(content) ? name : null),
    ...(counted === undefined ? {} : { counted }),
  };
  const result = await deps.shards.commit(next, { version: seen.version, attempt: seen.attempt });
  if (result.outcome === 'conflict' && result.existing?.tryId !== tryId && !mutated('every-conflict-is-ours'))
    throw new LostRaceError(`${topology.address.uid}[${topology.address.shard}]`);
  if (!empty && mutated('segment-after-commit')) await deps.objects.createIfAbsent(name, encodeSegment(content));
  shard.record = next;
  shard.changed = false;
  shard.mustCommit = false;
  shard.backend?.changes.committed();
  if (shard.deadLetters > 0) deps.metrics.count('deadLetters', shard.deadLetters, { operator: topology.address.uid });
  shard.deadLetters = 0;
  return { content, segment: empty ? null : name };
}

/** Tells the coordinator that the epoch has changes; before a snapshot too, because a savepoint's or an aborted one answers none. */
export function announceChange(shard: LiveShard, options: Pick<CommitOptions, 'attempt'>): void {
  if (!shard.changed || shard.dirty || mutated('never-dirty')) return;
  const { address } = shard.topology;
  shard.dirty = true;
  shard.coordinator.unshift({
    kind: 'dirty',
    job: address.job,
    attempt: options.attempt,
    uid: address.uid,
    shard: address.shard,
    epoch: shard.epoch,
  });
}

function takeContent(runtime: Runtime, shard: LiveShard, options: CommitOptions, name: string): SegmentContent {
  const content: SegmentContent = {
    envelopes: shard.outputs.take().map((envelope, index) => address(runtime, envelope, index, options, name)),
    // What a snapshot takes with it stands in its delta objects.
    state: options.endsEpoch === true ? null : (shard.backend?.changes.writeCommit() ?? null),
    sinks: shard.chain.takeSinkRecords(),
    stage: shard.stage,
    self: shard.self,
    coordinator: shard.coordinator,
    lingering: shard.outputs.takeLingering(),
  };
  if (options.endsEpoch !== true)
    for (const [uid, records] of content.sinks) shard.sinkRecords[uid] = (shard.sinkRecords[uid] ?? 0) + records.length;
  shard.stage = [];
  shard.self = [];
  shard.coordinator = [];
  return content;
}

const noRecords: PackedRecords = { payload: new Uint8Array(0), compressed: false };

function address(runtime: Runtime, envelope: PackedEnvelope, index: number, options: CommitOptions, segment: string): OutgoingEnvelope {
  const { attempt } = options;
  const { channel, sequence, records, events } = envelope;
  const header = { job: runtime.program.job, attempt, channel, sequence, epoch: options.epoch, segment, index, records, events };
  return {
    queue: envelope.queue,
    group: shardGroup(envelope.shard, attempt),
    deduplicationId: deduplicationId(runtime.program.job, attempt, channel, sequence),
    body: encodeEnvelope(header, envelope.packed ?? noRecords),
  };
}

/** At most 128 characters whatever the channel's name; SQS's memory of it is a saving, never the guarantee. */
export function deduplicationId(job: string, attempt: Attempt, channel: string, sequence: number): string {
  const life = mutated('dedup-id-without-attempt') ? 0 : attempt;
  const text = `${job}|${life}|${channel}|${sequence}`;
  return `${murmur3(text).toString(16)}-${murmur3(`#${text}`).toString(16)}-${life}-${sequence}`;
}

async function listSegments(
  runtime: Runtime,
  shard: LiveShard,
  options: CommitOptions,
  version: number,
  tryId: string,
  name: string | null,
): Promise<readonly EpochSegments[]> {
  const kept = keptSegments(shard.segments, options.floor, options.epoch);
  if (name === null) return kept;
  const list = kept.find(({ epoch }) => epoch === options.epoch) ?? { epoch: options.epoch, recent: [], chained: null };
  const recent = [...list.recent, name];
  const others = kept.filter(({ epoch }) => epoch !== options.epoch);
  if (recent.length <= recentSegmentsMax) return [...others, { ...list, recent }];
  const key = indexKey(shard.topology.address, options.attempt, version, tryId);
  const index: SegmentIndex = { previous: list.chained, segments: recent };
  await runtime.deps.objects.createIfAbsent(key, Buffer.from(JSON.stringify(index), 'utf8'));
  return [...others, { ...list, recent: [], chained: key }];
}

/** Epochs that somebody may still need. */
export function keptSegments(segments: readonly EpochSegments[], floor: number, current: Epoch): readonly EpochSegments[] {
  return segments.filter(({ epoch }) => epoch > floor || epoch === current || mutated('segments-for-ever'));
}

function nextRecord(shard: LiveShard, options: CommitOptions, version: number, tryId: string, lastSegment: string | null): ShardRecord {
  const { record: previous } = shard;
  invariant(options.attempt >= previous.attempt, 'CM1', 'a commit never goes back to an older attempt', {
    attempt: options.attempt,
    stored: previous.attempt,
  });
  const lingering = shard.outputs.lingering();
  invariant(options.endsEpoch !== true || lingering.length === 0, 'LO1', 'a snapshot leaves something behind that lingers', { lingering });
  const inputs: Record<ChannelId, InputChannelState> = {};
  for (const [id, { sequence, watermark, idle, ended, barrier }] of shard.inputs)
    inputs[id] = { sequence, watermark, idle, ended, barrier };
  return {
    ...shard.topology.address,
    version,
    attempt: options.attempt,
    tryId,
    witness: mutated('no-witness') ? null : (options.witness ?? previous.witness),
    status: shard.status,
    epoch: shard.epoch,
    settled: shard.settled,
    processingTimeMs: shard.processingTimeMs,
    inputs,
    outputs: shard.outputs.positions(),
    ...(lingering.length === 0 ? {} : { lingering }),
    control: { ...shard.control },
    selfNumber: shard.selfNumber,
    ...(shard.push === null ? {} : { push: shard.push }),
    watermark: shard.watermark,
    fired: shard.fired,
    splits: shard.splits,
    operatorStates: shard.chain.states(),
    nextTimer: shard.nextTimers(),
    alignment: shard.alignment,
    stash: { replaying: shard.replaying, envelopes: [...shard.stash] },
    ...(shard.replay === null ? {} : { replay: shard.replay }),
    segments: shard.segments,
    ...(shard.suspects === null ? {} : { suspects: shard.suspects }),
    lastSegment,
    deltas: shard.deltas,
    baseEpoch: shard.baseEpoch,
    pendingParts: shard.pendingParts,
    sinkRecords: { ...shard.sinkRecords },
    dirty: shard.dirty,
    recordsIn: shard.recordsIn,
    recordsOut: previous.recordsOut + shard.outputs.takeRecordCount(),
    ...options.overrides,
  };
}
