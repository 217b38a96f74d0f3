/**
 * One invocation's work on one shard: its messages in order, in as many commits as it takes.
 *
 * PM1. A commit hangs on a fresh message of the current attempt in the batch, or finishes work that the record shows as unfinished.
 * PM2. Before the first commit, whatever causes it, the last segment's effects are sent again if any message was received before or is a duplicate,
 *      or the record shows unfinished work, or the batch holds the record's witness.
 * PM3. Success is reported only when the record has the batch consumed, no unfinished work, and that version's outputs sent.
 * PM4. Messages of an older attempt are dropped: they initialise nothing and commit nothing.
 * PM5. Processing time advances only with a fresh message, and only an invocation with one takes the orders of the job record.
 * PM6. It stops between two commits while there is time for one: what it has not done comes again, and is found by the record or by being fresh.
 */
import { mutated } from '../base/mutated.ts';
import { limits } from '../base/limits.ts';
import type { ControlKind, ControlMessage, EnvelopeHeader } from '../model/envelope.ts';
import type { JobRecord } from '../model/job-record.ts';
import type { Alignment, ShardRecord } from '../model/shard-record.ts';
import type { ReceivedMessage } from '../ports/message-queue.ts';
import { nextOrder } from './barrier/overtaking.ts';
import { segmentsFloor } from '../checkpoint/segments-floor.ts';
import { isNewArrival, markArrival } from './arrivals.ts';
import { commit, type CommitOptions } from './commit.ts';
import { advanceBase, isOverdue, baseLags } from './advance-base.ts';
import { judgeControl, judgeSequence } from './input-gate.ts';
import type { LiveShard } from './live-shard.ts';
import { readNamed } from './named-objects.ts';
import { fireDue } from './fire-timers.ts';
import { finishIfEnded } from './process-elements.ts';
import { receiveEnvelope, release, replayStash, type ReceiveOutcome } from './receive-envelopes.ts';
import { replayInFlight } from './replay-in-flight.ts';
import { resendEffects, sendEffects } from './send-effects.ts';
import { readSegmentEnvelope } from './segment.ts';
import { snapshotShard, type SnapshotOptions } from './snapshot-shard.ts';
import { createInterlude, mayHaveOrders } from './interlude.ts';
import { sweepMaps } from './sweep-maps.ts';
import { takeOrder, readSource } from './source-driver.ts';
import type { Runtime } from './runtime-deps.ts';
import { armBase, armFlush, armTimer } from './wake-ups.ts';
import { OutOfTimeError, WorkTime } from './work-time.ts';

export type ParsedMessage = { readonly received: ReceivedMessage } & (
  | { readonly kind: 'data'; readonly header: EnvelopeHeader; readonly claimed: boolean }
  | { readonly kind: 'control'; readonly control: ControlMessage }
);

/** A message's own mark: by it a commit names its witness. */
export function markOf(message: ParsedMessage): string {
  if (message.kind === 'data') return `d:${message.header.channel}:${message.header.sequence}`;
  const { kind, number, split } = message.control;
  return split === undefined ? `c:${kind}:${number}` : `c:${kind}:${split}:${number}`;
}

/** All messages are of the shard's and the job's attempt. */
export async function processMessages(
  runtime: Runtime,
  job: JobRecord,
  shard: LiveShard,
  messages: readonly ParsedMessage[],
  readJob: () => Promise<JobRecord> = () => Promise.resolve(job),
): Promise<void> {
  const work = new ShardWork(runtime, job, shard, messages, readJob);
  await work.run();
}

/** Of a shard that was just opened: what is stored, without its note about suspected records (careful.ts). The messages come again. */
export async function takeNoteBack(runtime: Runtime, job: JobRecord, shard: LiveShard, messages: readonly ParsedMessage[]): Promise<void> {
  shard.suspects = null;
  await new ShardWork(runtime, job, shard, messages, () => Promise.resolve(job)).commitAsItIs();
}

function isFresh(shard: LiveShard, message: ParsedMessage): boolean {
  if (message.kind === 'control') return isNews(shard, message.control);
  return judgeSequence(shard.input(message.header.channel).sequence, message.header.sequence) !== 'duplicate';
}

function isNews(shard: LiveShard, control: ControlMessage): boolean {
  if (control.kind === 'arrived') return isNewArrival(shard, control);
  return judgeControl(shard.control, control.kind, control.number) === 'next';
}

function showsUnfinishedWork({ status, stash, replay, nextTimer, watermark, processingTimeMs }: ShardRecord): boolean {
  const isDue = (next: number | null, time: number): boolean => status === 'running' && next !== null && next <= time;
  return stash.replaying || replay !== undefined || isDue(nextTimer.event, watermark) || isDue(nextTimer.processing, processingTimeMs);
}

class ShardWork {
  readonly #runtime: Runtime;
  #job: JobRecord;
  readonly #shard: LiveShard;
  readonly #messages: readonly ParsedMessage[];
  readonly #witness: string | null;
  readonly #time: WorkTime;
  #committedAtRecords: number;
  /** Nothing has come since the shard asked to be woken for the base's sake. */
  #isQuiet = false;

  constructor(runtime: Runtime, job: JobRecord, shard: LiveShard, messages: readonly ParsedMessage[], readJob: () => Promise<JobRecord>) {
    this.#runtime = runtime;
    this.#job = job;
    this.#shard = shard;
    this.#messages = messages;
    const fresh = messages.find((message) => isFresh(shard, message));
    this.#witness = fresh === undefined ? null : markOf(fresh);
    this.#committedAtRecords = shard.recordsIn;
    this.#time = new WorkTime(runtime.deps.timeLeft);
    shard.orderDue = false;
    shard.interlude = createInterlude(runtime, shard, {
      isFresh: this.#witness !== null,
      readJob,
      onJob: (seen) => (this.#job = seen),
    });
  }

  async commitAsItIs(): Promise<void> {
    if (!mutated('suspects-taken-back-unsent')) await this.#resend();
    await this.#commitAndSend();
  }

  async run(): Promise<void> {
    const shard = this.#shard;
    if (this.#mustResend()) await this.#resend();
    if (this.#witness !== null || mutated('clock-decides')) {
      this.#takeTimeAndAborts();
      if (mayHaveOrders(shard, this.#job)) await this.#takeOrders();
    }
    await this.#finishUnfinished();
    if (this.#witness === null && !mutated('clock-decides')) {
      // The last step of what was unfinished: the messages are reported done, so nobody may come for it again.
      if (showsUnfinishedWork(shard.record)) await this.#commitRest();
      return;
    }
    for (const message of this.#messages) {
      const isNew = isFresh(this.#shard, message);
      // Behind the commit a fresh message is left, by which the batch is known not to be done.
      if (isNew && this.#time.isNearlyUp()) await this.#commitStep();
      await this.#take(message, message === this.#messages.at(-1));
      if (isNew) this.#time.step();
    }
    if (mutated('replay-last') && this.#messages.some(({ kind }) => kind === 'data')) await this.#finishReplay();
    await this.#commitRest();
  }

  async #resend(): Promise<void> {
    const { topology, record } = this.#shard;
    if (record.lastSegment !== null) await resendEffects(this.#runtime, topology, record.attempt, record.lastSegment);
  }

  #mustResend(): boolean {
    const { record } = this.#shard;
    if (mutated('resend-never')) return false;
    if (this.#shard.hasUnfinishedWork()) return true;
    if (mutated('resend-only-for-unfinished')) return false;
    return this.#messages.some(
      (message) => message.received.receiveCount > 1 || !isFresh(this.#shard, message) || markOf(message) === record.witness,
    );
  }

  #takeTimeAndAborts(): void {
    const shard = this.#shard;
    shard.processingTimeMs = Math.max(shard.processingTimeMs, this.#runtime.deps.clock.now());
    if (shard.backend !== null) shard.backend.processingTimeMs = shard.processingTimeMs;
    if (shard.alignment !== null && this.#job.aborted >= shard.alignment.checkpoint) release(shard, shard.alignment.checkpoint);
  }

  /** Ahead of the stash and of the batch: that is what is overtaken. */
  async #takeOrders(): Promise<void> {
    const shard = this.#shard;
    if (!mutated('replay-last')) await this.#finishReplay();
    for (;;) {
      const { alignment, settled, keyless, processingTimeMs: nowMs } = shard;
      const verdict = nextOrder({ pending: this.#job.pending, alignment, settled, keyless, nowMs });
      if (verdict.kind === 'nothing') return;
      if (verdict.kind === 'give-up') release(shard, verdict.checkpoint);
      else if (shard.dueTimers() !== null) await this.#fireDue();
      else if (shard.mustCommit) await this.#commitAndSend();
      else await this.#takeOrder(verdict.alignment);
    }
  }

  async #takeOrder(alignment: Alignment): Promise<void> {
    if (!this.#shard.topology.isSource) return this.#apply({ kind: 'snapshot', alignment });
    const finished = this.#shard.status !== 'running';
    await this.#snapshot({ checkpoint: alignment.checkpoint, alignment: null, finished, barrier: alignment });
  }

  /** In-flight data of the restore, in as many commits as it takes. */
  async #finishReplay(): Promise<void> {
    const shard = this.#shard;
    while (shard.replay !== null) {
      await replayInFlight(this.#runtime, this.#job, shard, limits.sourceRecordsPerCommit);
      while (shard.dueTimers() !== null) await this.#fireDue();
      if (shard.replay !== null) await this.#commitStep();
      else if (shard.mustCommit) await this.#commitAndSend();
    }
  }

  async #fireDue(): Promise<void> {
    const shard = this.#shard;
    shard.place = null;
    await fireDue(shard);
    if (shard.dueTimers() !== null) await this.#commitStep();
    else if (shard.mustCommit) await this.#commitAndSend();
  }

  /** Due timers, what the restore left, then the stash, in as many commits as it takes. */
  async #finishUnfinished(): Promise<void> {
    const shard = this.#shard;
    for (;;) {
      if (shard.orderDue) {
        shard.orderDue = false;
        this.#takeTimeAndAborts();
        await this.#takeOrders();
      } else if (shard.dueTimers() !== null) {
        await this.#fireDue();
      } else if (shard.replay !== null && !mutated('replay-last')) {
        await this.#finishReplay();
      } else if (shard.replaying) {
        await this.#apply(await replayStash(this.#runtime, shard, limits.sourceRecordsPerCommit));
        if (shard.replaying) await this.#commitStep();
      } else {
        return;
      }
    }
  }

  /** What the last one brings is committed with the rest of the work: a commit before it would leave a batch without a sign that the rest is missing. */
  async #take(message: ParsedMessage, isLast: boolean): Promise<void> {
    if (message.kind === 'control') return this.#takeControl(message.control);
    const { header } = message;
    // Before its body is fetched: of a duplicate it may have been collected.
    if (!isFresh(this.#shard, message)) return;
    await this.#look();
    const body = message.claimed ? await this.#claim(header) : message.received.body;
    await this.#apply(await receiveEnvelope(this.#runtime, this.#shard, header, body));
    await this.#finishUnfinished();
    if (!isLast && this.#shard.recordsIn - this.#committedAtRecords >= recordsPerCommitMax) await this.#commitAndSend();
  }

  /** Between two envelopes as between two records. */
  async #look(): Promise<void> {
    const { interlude } = this.#shard;
    if (interlude?.begin() !== true) return;
    await interlude.hold();
    await this.#finishUnfinished();
  }

  async #claim(header: EnvelopeHeader): Promise<Uint8Array> {
    return readSegmentEnvelope(await readNamed(this.#runtime.deps.objects, header.segment), header.index, header.segment);
  }

  async #apply(outcome: ReceiveOutcome): Promise<void> {
    if (this.#shard.mustCommit) return this.#commitAndSend();
    if (outcome.kind !== 'snapshot') return;
    finishIfEnded(this.#shard);
    const finished = this.#shard.status !== 'running';
    const { alignment } = outcome;
    await this.#snapshot({ checkpoint: alignment.checkpoint, alignment, finished, barrier: alignment });
  }

  async #snapshot(part: Pick<SnapshotOptions, 'checkpoint' | 'alignment' | 'finished' | 'barrier'>): Promise<void> {
    const { published, attempt } = this.#job;
    // It may be the batch's last commit.
    armTimer(this.#shard);
    const options = { ...part, attempt, witness: this.#witness, floor: segmentsFloor(this.#job), published };
    const { content } = await snapshotShard(this.#runtime, this.#shard, options);
    await sendEffects(this.#runtime, this.#shard.topology, attempt, content);
    this.#committedAtRecords = this.#shard.recordsIn;
    // Whoever waits for the acknowledgement goes first.
    await this.#runtime.deps.turn?.();
  }

  async #takeControl(control: ControlMessage): Promise<void> {
    const shard = this.#shard;
    if (!isNews(shard, control)) return;
    if (control.kind === 'arrived') markArrival(shard, control);
    else shard.control[control.kind] = control.number;
    // Also one that comes too early has come: what is still not due needs another.
    if (control.kind === 'wake') {
      shard.armedAtMs = null;
      shard.restArmedAtMs = null;
      this.#isQuiet = shard.baseArmedAtRecords === shard.recordsIn;
      shard.baseArmedAtRecords = null;
    }
    if (control.kind === 'flush') shard.flushArmedAtMs = null;
    if (control.kind === 'order' && control.order !== undefined) {
      const verdict = takeOrder(shard, control.order, this.#job.aborted);
      const { order } = control;
      if (verdict.kind === 'snapshot') {
        await this.#snapshot({ checkpoint: order.checkpoint, alignment: null, finished: verdict.finished, barrier: order });
      }
    } else if (readingKinds.has(control.kind) && shard.topology.isSource && shard.status === 'running') {
      await readSource(this.#runtime, shard, control);
    }
  }

  async #commitRest(): Promise<void> {
    const shard = this.#shard;
    finishIfEnded(shard);
    if (!shard.self.some(({ kind }) => kind === 'continue')) shard.outputs.flushWatermarks(shard.idle, shard.processingTimeMs);
    await sweepMaps(shard);
    armTimer(shard);
    armFlush(shard);
    armBase(shard, this.#runtime.deps.clock, { floor: this.#job.floor, isQuiet: this.#isQuiet });
    await this.#commitAndSend();
    // After the batch's own commit, so that no record waits for the base.
    await this.#advanceBase();
    this.#evict();
  }

  /** Before the shard is left, warm, to whoever comes next. */
  #evict(): void {
    const { stateCacheKeys, stateCacheEntries } = this.#runtime.program.settings;
    this.#shard.backend?.evict(stateCacheKeys, stateCacheEntries);
  }

  async #advanceBase(): Promise<void> {
    const options = { floor: this.#job.floor, isQuiet: this.#isQuiet };
    const wholeStep = isOverdue(this.#shard, options.floor);
    for (let slices = this.#isQuiet ? quietSlicesMax : 1; slices > 0 || wholeStep;) {
      const outcome = await advanceBase(this.#runtime, this.#shard, options);
      if (outcome === 'nothing') return;
      if (outcome === 'done') await this.#commitAdvance();
      else {
        slices--;
        // Only this process knows what the slice cost: thousands of writes, against one.
        if (this.#runtime.deps.bill !== undefined) await this.#commitAndSend();
      }
      if (outcome === 'done' && wholeStep) return;
    }
  }

  /** Caught up on a quiet stream: another checkpoint is due, because a restore from the last one would still read the deltas. */
  async #commitAdvance(): Promise<void> {
    if (this.#isQuiet && !baseLags(this.#shard)) this.#shard.changed = true;
    await this.#commitAndSend();
  }

  /** With more to do. PM6. */
  async #commitStep(): Promise<void> {
    if (mutated('stops-uncommitted') && this.#time.isNearlyUp()) throw new OutOfTimeError();
    await this.#commitAndSend();
    this.#time.step();
    if (!this.#time.isNearlyUp()) return;
    this.#evict();
    throw new OutOfTimeError();
  }

  async #commitAndSend(): Promise<void> {
    const shard = this.#shard;
    const { attempt } = this.#job;
    shard.outputs.flushRecords(shard.processingTimeMs);
    const options: CommitOptions = { attempt, witness: this.#witness, epoch: shard.epoch, floor: segmentsFloor(this.#job) };
    const { content } = await commit(this.#runtime, shard, options);
    if (mutated('unsent-before-next') && shard.hasUnfinishedWork()) return;
    await sendEffects(this.#runtime, shard.topology, attempt, content);
    this.#committedAtRecords = shard.recordsIn;
  }
}

const readingKinds: ReadonlySet<ControlKind> = new Set(['continue', 'wake', 'arrived']);

/** One commit's records at most, so that a retry is bounded too. */
const recordsPerCommitMax = 65_536;
/** Slices for the base in one invocation while no records come. */
const quietSlicesMax = 8;
