/**
 * Envelopes into a shard: gate, alignment, stash, replay. One call brings the shard up to the next point at which a commit must be made.
 *
 * RE1. While a stash is being replayed nothing newer is taken: per channel the order of arrival is kept.
 * RE2. A held envelope is consumed (its position is committed) and stands in the stash by reference: the sender's segment and index.
 * RE3. An abort is learned from the job record, by an invocation that holds a fresh message; what was held is released as a stash to replay.
 * RE4. Timers that a watermark has made due fire before the barrier behind it: where one commit cannot take them all, the barrier waits in the stash.
 *      A snapshot that left some would show their windows as closed and not yet fired, and a late record would fire them too early after a restore.
 * RE5. What is put back into the stash stands before everything of its channel that is there already: a replay may hold what followed it.
 */
import { mutated } from '../base/mutated.ts';
import { invariant } from '../base/invariant.ts';
import { decodeEnvelope, readMessage } from '../model/envelope-codec.ts';
import type { EnvelopeHeader, StreamEvent } from '../model/envelope.ts';
import type { Alignment, StashedEnvelope } from '../model/shard-record.ts';
import { isHeld, onBarrier } from './barrier/aligner.ts';
import { mayOvertake } from './barrier/overtaking.ts';
import { gapError } from './errors.ts';
import { judgeSequence } from './input-gate.ts';
import type { LiveShard } from './live-shard.ts';
import { readNamed } from './named-objects.ts';
import { processEvent, processRecords } from './process-elements.ts';
import type { Runtime } from './runtime-deps.ts';
import { readSegmentEnvelope } from './segment.ts';

/** `snapshot`: all barriers have come, or those that have may overtake the rest; the commit must be a snapshot. `released`: an alignment ended without one; the stash must be replayed first. */
export type ReceiveOutcome =
  { readonly kind: 'continue' } | { readonly kind: 'snapshot'; readonly alignment: Alignment } | { readonly kind: 'released' };

const goOn: ReceiveOutcome = { kind: 'continue' };

export async function receiveEnvelope(
  runtime: Runtime,
  shard: LiveShard,
  header: EnvelopeHeader,
  body: Uint8Array,
): Promise<ReceiveOutcome> {
  const input = shard.input(header.channel);
  const verdict = judgeSequence(input.sequence, header.sequence);
  if (verdict === 'duplicate') return goOn;
  if (verdict === 'gap') throw gapError(header.channel, input.sequence, header.sequence);
  invariant(!shard.replaying, 'RE1', 'an envelope is taken while older ones wait to be replayed', { channel: header.channel });
  input.sequence = header.sequence;
  if (isHeld(shard.alignment, header.channel)) {
    shard.stash.push({ channel: header.channel, sequence: header.sequence, segment: header.segment, index: header.index, processed: 0 });
    shard.changed = true;
    return goOn;
  }
  return processEnvelope(runtime, shard, header, body, 0);
}

async function processEnvelope(
  runtime: Runtime,
  shard: LiveShard,
  header: EnvelopeHeader,
  body: Uint8Array,
  processed: number,
): Promise<ReceiveOutcome> {
  const input = shard.input(header.channel);
  const envelope = decodeEnvelope(body);
  if (shard.alignment !== null && processed === 0) countProcessed(shard, shard.alignment, body.length);
  const nowMs = (): number => runtime.deps.clock.now();
  shard.place = { kind: 'record', channel: header.channel, sequence: header.sequence, index: processed };
  let at = processed;
  for (const placed of header.events) {
    if (placed.at < processed) continue;
    at = await processRecords(shard, input, envelope, at, placed.at, nowMs);
    if (shard.mustCommit || at < placed.at) return putOff(shard, header, at);
    if (placed.event.kind === 'barrier') {
      invariant(at === header.records, 'E2', 'a barrier is the last element of its envelope', {
        channel: header.channel,
        sequence: header.sequence,
      });
      return shard.dueTimers() === null || mutated('barrier-before-timers')
        ? takeBarrier(runtime, shard, header, placed.event)
        : putOff(shard, header, header.records);
    }
    await processEvent(shard, input, placed);
    if (shard.mustCommit) return putOff(shard, header, at);
  }
  at = await processRecords(shard, input, envelope, at, header.records, nowMs);
  return shard.mustCommit || at < header.records ? putOff(shard, header, at) : goOn;
}

/** What Flink calls the data that is processed during the alignment. */
function countProcessed(shard: LiveShard, alignment: Alignment, bytes: number): void {
  shard.alignment = { ...alignment, processedBytes: (alignment.processedBytes ?? 0) + bytes };
}

/** An ended channel still brings barriers. */
function channelsAwaited({ inputs }: LiveShard): number {
  return mutated('ended-not-awaited') ? [...inputs.values()].filter(({ ended }) => !ended).length : inputs.size;
}

function takeBarrier(runtime: Runtime, shard: LiveShard, header: EnvelopeHeader, barrier: Barrier): ReceiveOutcome {
  const { channel, sequence } = header;
  const { checkpoint } = barrier;
  const input = shard.input(channel);
  input.barrier = Math.max(input.barrier, checkpoint);
  const facts = { current: shard.alignment, settled: shard.settled, channels: channelsAwaited(shard), sequence };
  const verdict = onBarrier({ ...barrier, ...facts, channel, nowMs: runtime.deps.clock.now() });
  switch (verdict.kind) {
    case 'ignored':
      return goOn;
    case 'aligning':
      shard.alignment = verdict.alignment;
      return mayOvertakeNow(shard, verdict.alignment) ? { kind: 'snapshot', alignment: verdict.alignment } : goOn;
    case 'aligned':
      return { kind: 'snapshot', alignment: verdict.alignment };
    case 'waiting':
      stashAgain(shard, { channel, sequence, segment: header.segment, index: header.index, processed: header.records });
      shard.alignment = verdict.alignment;
      shard.changed = true;
      return goOn;
    case 'superseded':
      // What is held waits for the older number: it is met again in the replay, before what followed it on its channel.
      stashAgain(shard, { channel, sequence, segment: header.segment, index: header.index, processed: header.records });
      if (mutated('superseded-dropped')) shard.stash = shard.stash.filter((held) => held.channel === channel);
      release(shard, verdict.declined);
      decline(shard, verdict.declined);
      return { kind: 'released' };
  }
}

type Barrier = Extract<StreamEvent, { readonly kind: 'barrier' }>;

function mayOvertakeNow({ keyless, processingTimeMs }: LiveShard, alignment: Alignment): boolean {
  return mayOvertake({ alignment, keyless, nowMs: processingTimeMs });
}

/**
 * What is left of the envelope is met again when nothing is due any more, behind an order, or in the next commit. An event that stands there may have been taken already:
 * it says nothing new then. Also where nothing is left: it is the sign that the batch's last commit is still to come.
 */
function putOff(shard: LiveShard, { channel, sequence, segment, index }: EnvelopeHeader, processed: number): ReceiveOutcome {
  if (mutated('put-off-dropped')) return goOn;
  const rest = { channel, sequence, segment, index, processed };
  // What has been noted down as suspected is the next that is tried, or two channels would note and put off each other for ever.
  if (shard.care === null) stashAgain(shard, rest);
  else shard.stash.unshift(rest);
  shard.replaying = true;
  shard.changed = true;
  return { kind: 'released' };
}

/** Ahead of what followed it on its channel: in a replay that stands in the stash already (RE5). */
function stashAgain(shard: LiveShard, envelope: StashedEnvelope): void {
  const next = shard.stash.findIndex(({ channel }) => channel === envelope.channel);
  shard.stash.splice(next < 0 || mutated('put-back-behind') ? shard.stash.length : next, 0, envelope);
}

function decline(shard: LiveShard, checkpoint: number): void {
  const { job, uid, shard: index } = shard.topology.address;
  const from = { job, attempt: shard.record.attempt, uid, shard: index };
  shard.coordinator.push({ ...from, kind: 'declined', checkpoint, reason: 'CHECKPOINT_DECLINED_SUBSUMED' });
}

/** Ends the alignment without a snapshot; what was held is to be replayed. */
export function release(shard: LiveShard, checkpoint: number): void {
  shard.alignment = null;
  shard.settled = Math.max(shard.settled, checkpoint);
  shard.replaying = shard.stash.length > 0;
  shard.changed = true;
}

/** Works off the stash, up to `recordsMax` records or to where a commit must be made. */
export async function replayStash(runtime: Runtime, shard: LiveShard, recordsMax: number): Promise<ReceiveOutcome> {
  const startedWith = shard.recordsIn;
  while (shard.recordsIn - startedWith < recordsMax && shard.dueTimers() === null) {
    const isFree = ({ channel }: StashedEnvelope): boolean => !isHeld(shard.alignment, channel);
    const next = mutated('newest-stashed-first') ? shard.stash.findLastIndex(isFree) : shard.stash.findIndex(isFree);
    if (next < 0) {
      shard.replaying = false;
      return goOn;
    }
    const [stashed] = shard.stash.splice(next, 1);
    shard.changed = true;
    const body = readSegmentEnvelope(await readNamed(runtime.deps.objects, stashed!.segment), stashed!.index, stashed!.segment);
    const message = readMessage(body);
    invariant(message.kind === 'data', 'RE2', 'a stashed envelope is a control message', { stashed });
    const { header } = message;
    invariant(header.channel === stashed!.channel && header.sequence === stashed!.sequence, 'RE2', 'a stashed envelope is another one', {
      stashed,
    });
    const outcome = await processEnvelope(runtime, shard, header, body, stashed!.processed);
    if (outcome.kind !== 'continue') return outcome;
  }
  return goOn;
}
