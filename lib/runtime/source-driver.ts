/**
 * Sources: read splits into the chain, keep positions, watermarks per split, and the loop of numbered messages to itself.
 *
 * SD1. A position is committed with the records that it stands behind.
 * SD2. Only sources throttle: one looks at the depth of every queue reachable from it and sleeps while one is above its limit.
 * SD3. Whoever accepts a continuation or wake-up, even too early, arms the next in the same commit, until all splits have ended. A source that is told of
 *      its input rests instead, once it has found nothing (push-source.ts).
 * SD4. A split's watermark is its strategy's over what it has brought; the shard's is the minimum over its open splits.
 * SD5. A read has found nothing only where no record, no malformed record and no new position came of it: lines that are set aside or skipped are progress,
 *      and the source goes on at once.
 * SD6. While the loop goes on, a channel that gets no records, because they are malformed or filtered away, hears of the watermark now and then.
 */
import { mutated } from '../base/mutated.ts';
import type { BarrierOrder, ControlMessage } from '../model/envelope.ts';
import type { PlannedOperator } from '../model/job-plan.ts';
import { coordinatorQueue, operatorQueue } from '../model/queue-names.ts';
import type { SplitState } from '../model/shard-record.ts';
import { MAX_WATERMARK, MIN_WATERMARK, NO_TIMESTAMP } from '../model/time.ts';
import { encodeValue } from '../model/value-json.ts';
import { timestampAhead } from '../operators/watermark-strategies.ts';
import type { OperatorDefinition, WatermarkStrategy } from '../operators/operator.ts';
import type { LiveShard } from './live-shard.ts';
import { setAsideAtOnce } from './dead-letters.ts';
import { keepLoop, rest, turnOf } from './push-source.ts';
import { runUserCode, userError } from './user-code.ts';
import type { Runtime } from './runtime-deps.ts';

export type OrderVerdict = { readonly kind: 'ignored' } | { readonly kind: 'snapshot'; readonly finished: boolean };

/** An order is the barrier of a source shard. */
export function takeOrder(shard: LiveShard, order: BarrierOrder, aborted: number): OrderVerdict {
  if (order.checkpoint <= shard.settled || order.checkpoint <= aborted) return { kind: 'ignored' };
  if (order.stop === 'drain' && shard.status === 'running') endSource(shard);
  return { kind: 'snapshot', finished: order.stop !== undefined || shard.status !== 'running' };
}

/** Called for a continuation, wake-up or arrival. A kick only makes the shard initialise itself, which starts the one loop that there is. */
export async function readSource(runtime: Runtime, shard: LiveShard, control: ControlMessage): Promise<void> {
  const { settings, registry } = runtime.program;
  const { watermarks } = registry.get(shard.topology.address.uid)!.source!;
  const turn = turnOf(runtime, shard, control);
  if (turn === 'rest') {
    advanceSource(shard, watermarks);
    return rest(shard, watermarks);
  }
  if (turn === 'nothing') return;
  if (await isBackedUp(runtime, shard))
    return mutated('early-wake-arms-nothing') ? undefined : sleep(runtime, shard, settings.backPressureSleepMs);
  const foundMore = await readSplits(runtime, shard, settings.sourceRecordsPerCommit);
  if (Object.values(shard.splits!).every(({ ended }) => ended)) return endSource(shard);
  if (!foundMore || (shard.push !== null && mutated('loop-ends-early')))
    return shard.push === null ? sleep(runtime, shard, settings.sourceIdleMs) : rest(shard, watermarks);
  tellWatermark(runtime, shard);
  shard.selfNumber++;
  shard.self.push({ kind: 'continue', number: shard.selfNumber, dueAtMs: 0 });
  keepLoop(shard);
}

/** Whether any split has moved on. */
async function readSplits(runtime: Runtime, shard: LiveShard, recordsMax: number): Promise<boolean> {
  const operator = shard.topology.vertex.operators[0]!;
  const definition = runtime.program.registry.get(operator.uid)!;
  const open = Object.entries(shard.splits!).filter(([, { ended }]) => !ended);
  let foundMore = false;
  for (const [split, state] of open) {
    const budget = Math.max(1, Math.floor(recordsMax / open.length));
    const { state: next, found } = await readSplit(runtime, shard, operator, definition, split, state, budget);
    shard.splits = { ...shard.splits, [split]: next };
    shard.recordsIn += next.records - state.records;
    if (found > 0 || next.ended || !isSamePosition(next.position, state.position)) foundMore = true;
  }
  if (foundMore) shard.changed = true;
  advanceSource(shard, definition.source!.watermarks);
  return foundMore;
}

async function readSplit(
  runtime: Runtime,
  shard: LiveShard,
  operator: PlannedOperator,
  definition: OperatorDefinition,
  split: string,
  state: SplitState,
  recordsMax: number,
): Promise<{ readonly state: SplitState; /** Records, malformed ones too. */ readonly found: number }> {
  const connector = operator.connector!;
  const reader = runtime.deps.connectors.sources[connector.connector]!;
  const { values, position, ended, malformed = [] } = await reader.read(connector, split, state.position, { recordsMax });
  // Bad lines that the user chose to look at go out beside the records.
  for (const record of malformed) shard.chain.sideOutput(operator.uid, 'malformed').emit(record, NO_TIMESTAMP);
  shard.place = { kind: 'source', split, position: state.position, index: 0 };
  const { max: maxTimestamp, emitted } = emitAll(shard, definition, values, state.maxTimestamp, () => runtime.deps.clock.now());
  shard.place = null;
  // Only what has an event time counts: to whoever waits for this split's, one is idle that brings malformed records alone, or such as are set aside.
  const activeAtMs = emitted > 0 ? shard.processingTimeMs : state.activeAtMs;
  const next = { position, ended, maxTimestamp, activeAtMs, records: state.records + values.length };
  return { state: next, found: values.length + malformed.length };
}

/** By what it says: a reader that found nothing may hand back another object. */
function isSamePosition(left: unknown, right: unknown): boolean {
  return left === right || encodeValue(left) === encodeValue(right);
}

/** The hot loop of every source. */
function emitAll(
  shard: LiveShard,
  definition: OperatorDefinition,
  values: readonly unknown[],
  maxSoFar: number,
  nowMs: () => number,
): { readonly max: number; readonly emitted: number } {
  const { decode, watermarks } = definition.source!;
  const { timestampOf, aheadMaxMs } = watermarks;
  const latest = aheadMaxMs === null ? Infinity : nowMs() + aheadMaxMs;
  const output = shard.chain.sourceOutput();
  shard.chain.active = definition.uid;
  let max = maxSoFar;
  let emitted = 0;
  let i = 0;
  // From here on the record is in the chain, and what fails is no longer only the source's.
  let isOut = false;
  for (; i < values.length; i++) {
    try {
      for (; i < values.length; i++) {
        isOut = false;
        const value = decode === undefined ? values[i] : decode(values[i]);
        const timestamp = timestampOf === undefined ? NO_TIMESTAMP : timestampOf(value);
        if (timestamp > latest) throw timestampAhead(timestamp, latest, nowMs());
        if (timestamp > max) max = timestamp;
        isOut = true;
        emitted++;
        output.emit(value, timestamp);
      }
    } catch (error) {
      const problem = userError(shard, error, values[i], i);
      if (isOut) throw problem;
      setAsideAtOnce(shard, problem, { input: 0, record: values[i], timestamp: NO_TIMESTAMP }, nowMs());
      shard.chain.active = definition.uid;
    }
  }
  return { max, emitted };
}

function advanceSource(shard: LiveShard, strategy: WatermarkStrategy): void {
  if (strategy.kind === 'none') return;
  let minimum = MAX_WATERMARK;
  let open = 0;
  for (const { ended, maxTimestamp, activeAtMs } of Object.values(shard.splits!)) {
    if (ended) continue;
    open++;
    const isIdle = strategy.idleMs > 0 && shard.processingTimeMs - activeAtMs >= strategy.idleMs;
    if (!isIdle && maxTimestamp < minimum) minimum = maxTimestamp;
  }
  shard.idle = minimum === MAX_WATERMARK && open > 0;
  if (minimum === MAX_WATERMARK || minimum === MIN_WATERMARK) return;
  // Flink: a watermark t says that no record at or below t comes any more; one of the same millisecond may.
  const watermark = minimum - strategy.outOfOrdernessMs - 1;
  if (watermark <= shard.watermark) return;
  shard.watermark = watermark;
  runUserCode(shard, () => shard.chain.watermark(watermark));
  shard.outputs.advance(watermark);
}

/**
 * Watermarks ride with records, and what lacks one is sent when the loop rests. Through a long stretch whose records are dropped it does not rest, and
 * the windows downstream would stay open until its end.
 */
function tellWatermark(runtime: Runtime, shard: LiveShard): void {
  const now = runtime.deps.clock.monotonic();
  shard.watermarkToldAt ??= now;
  if (now < shard.watermarkToldAt + watermarkEveryMs) return;
  shard.watermarkToldAt = now;
  shard.outputs.flushWatermarks(shard.idle, shard.processingTimeMs);
}

/** Flink's default. */
const watermarkEveryMs = 200;

/** No more records, for ever. */
function endSource(shard: LiveShard): void {
  const { job, uid, shard: index } = shard.topology.address;
  shard.watermark = MAX_WATERMARK;
  runUserCode(shard, () => {
    shard.chain.watermark(MAX_WATERMARK);
    shard.chain.finish();
  });
  shard.outputs.flushRecords();
  shard.outputs.advance(MAX_WATERMARK);
  shard.outputs.end();
  shard.status = 'ended';
  shard.changed = true;
  shard.coordinator.push({ kind: 'ended', job, attempt: shard.record.attempt, uid, shard: index });
}

function sleep(runtime: Runtime, shard: LiveShard, forMs: number): void {
  shard.selfNumber++;
  shard.self.push({ kind: 'wake', number: shard.selfNumber, dueAtMs: runtime.deps.clock.now() + forMs });
  keepLoop(shard);
}

async function isBackedUp(runtime: Runtime, shard: LiveShard): Promise<boolean> {
  const { program, deps } = runtime;
  const now = deps.clock.monotonic();
  if (now < shard.backlogCheckedAt + program.settings.backlogCheckMs && !shard.backedUp) return false;
  shard.backlogCheckedAt = now;
  shard.backedUp = false;
  for (const { uid, parallelism } of reachable(runtime, shard)) {
    const depth = await deps.messages.depth(operatorQueue(program.job, uid));
    if (depth > program.settings.backlogMessagesPerShard * parallelism) shard.backedUp = true;
  }
  if (!shard.backedUp && (await deps.messages.depth(coordinatorQueue(program.job))) > coordinatorBacklogMax) shard.backedUp = true;
  return shard.backedUp;
}

/** Acknowledgements waiting: far above what a healthy coordinator leaves. */
const coordinatorBacklogMax = 10_000;

function reachable(runtime: Runtime, shard: LiveShard): { uid: PlannedOperator['uid']; parallelism: number }[] {
  const { plan } = runtime.program;
  const seen = new Set<string>([shard.topology.address.uid]);
  for (let grown = true; grown;) {
    grown = false;
    for (const edge of plan.edges) {
      if (seen.has(edge.from) && !seen.has(edge.to)) {
        seen.add(edge.to);
        grown = true;
      }
    }
  }
  return plan.vertices.filter(({ uid }) => uid !== shard.topology.address.uid && seen.has(uid));
}
