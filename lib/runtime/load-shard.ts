/**
 * A shard into memory: from its record, or from the restore descriptor where the record is of an older attempt.
 *
 * LD1. Read order: record, segments, deltas, base. The version condition of the commit covers whatever changes meanwhile.
 * LD2. Only a message of the new attempt initialises; initialisation is one conditional put that anybody can do again.
 * LD3. Whoever initialises does in the same commit what no message would cause later: starts a source's loop, arms the next due time, and sends
 *      watermark and end of input where the shard has them.
 */
import { mutated } from '../base/mutated.ts';
import { spaceOf, type JobRecord } from '../model/job-record.ts';
import type { InputChannelState, ShardRecord } from '../model/shard-record.ts';
import { splitsKey } from '../model/object-keys.ts';
import { MAX_WATERMARK, MIN_WATERMARK } from '../model/time.ts';
import { applyRows } from '../state/apply-rows.ts';
import { decodeDeltaTables } from '../state/delta-codec.ts';
import { dealSplits } from '../checkpoint/redistribution.ts';
import type { ShardStart } from '../checkpoint/shard-start.ts';
import { startOfShard } from './start-of-shard.ts';
import { segmentsFloor } from '../checkpoint/segments-floor.ts';
import { commit } from './commit.ts';
import { LiveShard } from './live-shard.ts';
import { expandSegments, readAllNamed, readNamed } from './named-objects.ts';
import { newPushProgress } from './push-source.ts';
import type { LingeringRecords } from './segment-content.ts';
import { readSegmentOwn } from './segment.ts';
import { sendEffects } from './send-effects.ts';
import type { Runtime } from './runtime-deps.ts';
import type { ShardTopology } from './topology.ts';
import { parseJson } from '../base/parse-json.ts';

/** The shard as its record of the current attempt has it. */
export async function openShard(runtime: Runtime, job: JobRecord, topology: ShardTopology, record: ShardRecord): Promise<LiveShard> {
  const shard = new LiveShard(runtime, topology, spaceOf(job), record);
  if (shard.backend === null && record.lingering === undefined) return shard;
  if (shard.backend !== null) {
    for await (const { key, bytes, epoch, keyGroups } of readAllNamed(runtime.deps.objects, record.deltas))
      applyRows(shard.backend, decodeDeltaTables(bytes, key), { epoch, keyGroups, open: false });
  }
  await applySegments(runtime, shard);
  return shard;
}

/** What this epoch's commits have changed, and what of theirs still lingers. */
async function applySegments(runtime: Runtime, { backend, outputs, record, topology }: LiveShard): Promise<void> {
  const current = record.segments.find(({ epoch }) => epoch === record.epoch);
  const written: LingeringRecords[] = [];
  const names = current === undefined ? [] : await expandSegments(runtime.deps.objects, current);
  for await (const { key: name, bytes } of readAllNamed(
    runtime.deps.objects,
    names.map((key) => ({ key })),
  )) {
    const { state, lingering } = readSegmentOwn(bytes, name);
    if (backend !== null && state !== null)
      applyRows(backend, decodeDeltaTables(state, name), { epoch: record.epoch, keyGroups: topology.keyGroups, open: true });
    written.push(...lingering);
  }
  outputs.restoreLingering(written, record.lingering ?? []);
}

/** First message of a new attempt: the record is written anew, and with it what no message would cause. */
export async function initialiseShard(
  runtime: Runtime,
  job: JobRecord,
  topology: ShardTopology,
  stored: ShardRecord | undefined,
  witness: string,
): Promise<LiveShard> {
  const start = await startOfShard(runtime, job, topology);
  const record = initialRecord(runtime, job, topology, stored, {
    ...start,
    splits: topology.isSource ? await assignSplits(runtime, topology, start) : null,
  });
  const shard = await openShard(runtime, job, topology, record);
  shard.processingTimeMs = runtime.deps.clock.now();
  if (start.finished) {
    shard.outputs.advance(shard.watermark);
    if (!mutated('end-not-repeated')) shard.outputs.end();
  } else if (topology.isSource && !mutated('no-boot-loop')) {
    shard.selfNumber++;
    shard.self.push({ kind: 'continue', number: shard.selfNumber, dueAtMs: 0 });
  }
  shard.push = newPushProgress(runtime, shard, shard.selfNumber);
  if (start.finished && topology.isSource) {
    const { job: id, uid, shard: index } = topology.address;
    shard.coordinator.push({ kind: 'ended', job: id, attempt: job.attempt, uid, shard: index });
    // A change, as it was in the attempt before: where nobody has anything left to do, only a checkpoint of this attempt can finish the job.
    shard.changed = !mutated('restored-end-changes-nothing');
  }
  const { content } = await commit(runtime, shard, { attempt: job.attempt, witness, epoch: shard.epoch, floor: segmentsFloor(job) });
  await sendEffects(runtime, topology, job.attempt, content);
  return shard;
}

function initialRecord(
  runtime: Runtime,
  job: JobRecord,
  topology: ShardTopology,
  stored: ShardRecord | undefined,
  start: ShardStart,
): ShardRecord {
  const inputs: Record<string, InputChannelState> = {};
  for (const { id } of topology.inputs) inputs[id] = { sequence: 0, watermark: MIN_WATERMARK, idle: false, ended: false, barrier: 0 };
  return {
    ...topology.address,
    // The commit's condition is on what is stored now; the new attempt is set by the commit itself.
    version: stored?.version ?? 0,
    attempt: stored?.attempt ?? job.attempt,
    tryId: '',
    witness: null,
    status: start.finished ? 'ended' : 'running',
    epoch: job.firstEpoch,
    // Checkpoints numbered before the restore are over, whatever late barrier may still come.
    settled: job.firstEpoch - 1,
    processingTimeMs: runtime.deps.clock.now(),
    inputs,
    outputs: {},
    control: {},
    selfNumber: 0,
    watermark: start.finished ? MAX_WATERMARK : MIN_WATERMARK,
    fired: start.fired,
    splits: start.splits,
    operatorStates: start.operatorStates,
    nextTimer: start.nextTimer,
    alignment: null,
    stash: { replaying: false, envelopes: [] },
    ...(start.inFlight.length === 0 || mutated('in-flight-not-replayed') ? {} : { replay: { segments: 0, envelopes: 0 } }),
    segments: [],
    lastSegment: null,
    // By epoch: the base advances from the oldest on. Several old shards' deltas are of different key groups, so their order among themselves is free.
    deltas: [...start.deltas].sort((a, b) => a.epoch - b.epoch),
    // Whatever the base holds is at or below the floor; how far exactly only matters for what may leave memory.
    baseEpoch: job.descriptor === null ? -1 : 0,
    pendingParts: [],
    sinkRecords: {},
    dirty: false,
    recordsIn: start.recordsIn,
    recordsOut: start.recordsOut,
    ...(stored?.counted === undefined ? {} : { counted: stored.counted }),
  };
}

/** From nothing: the listing is written down once, so that all shards of the source agree on it whatever changes meanwhile. */
async function assignSplits(runtime: Runtime, topology: ShardTopology, start: ShardStart): Promise<ShardStart['splits']> {
  const nowMs = runtime.deps.clock.now();
  // Silence counts from here: what a split did before the restore says nothing about it now.
  if (start.splits !== null)
    return Object.fromEntries(Object.entries(start.splits).map(([split, state]) => [split, { ...state, activeAtMs: nowMs }]));
  const { address, vertex } = topology;
  const connector = vertex.operators[0]!.connector!;
  const { objects, connectors } = runtime.deps;
  const key = splitsKey(address.job, address.uid);
  if ((await objects.read(key)) === undefined) {
    const listed = await connectors.sources[connector.connector]!.splits(connector);
    await objects.createIfAbsent(key, Buffer.from(JSON.stringify([...listed].sort()), 'utf8'));
  }
  const bytes = await readNamed(objects, key);
  const all = parseJson(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')) as string[];
  const mine = dealSplits(all, address.shard, vertex.parallelism);
  return Object.fromEntries(
    mine.map((split) => [split, { position: null, ended: false, maxTimestamp: MIN_WATERMARK, activeAtMs: nowMs, records: 0 }]),
  );
}
