/**
 * One invocation of a vertex's function: up to ten messages of any mix of shards in, the ids of those that must come again out.
 *
 * OF1. In a group everything from the first failed message on is failed; other groups are untouched.
 * OF2. A failed try drops the shard from memory; one that has stopped behind a commit, for want of time, has not failed.
 * OF3. An error counts only after job record and shard record have been read again and are unchanged: a zombie reads a mixture.
 * OF4. A function whose code is not the job record's leaves the messages where they are; of its own code it takes the plan that the record names.
 * OF5. One shard is in one invocation's hands: in one process another may come for what has become visible while it was worked on for long.
 */
import { mutated } from '../base/mutated.ts';
import { canonicalJson } from '../base/canonical-json.ts';
import { errorCode, errorMessage } from '../base/errors.ts';
import { decodeStoredPlan } from '../checkpoint/stored-plan.ts';
import type { JobFailure } from '../model/coordinator-message.ts';
import { encodeCoordinatorMessage } from '../model/coordinator-message.ts';
import { readMessage } from '../model/envelope-codec.ts';
import type { JobRecord } from '../model/job-record.ts';
import { codeOf } from '../model/plan-hash.ts';
import { coordinatorQueue } from '../model/queue-names.ts';
import type { Attempt, OperatorUid } from '../base/ids.ts';
import type { ShardRecord } from '../model/shard-record.ts';
import type { ReceivedMessage } from '../ports/message-queue.ts';
import { readNamed } from './named-objects.ts';
import { poisonOf, type Poison } from './poison.ts';
import { LostRaceError, NotNowError } from './errors.ts';
import { describeFailure, failureKind } from './failed-batch.ts';
import { initialiseShard, openShard } from './load-shard.ts';
import type { LiveShard } from './live-shard.ts';
import { markOf, processMessages, takeNoteBack, type ParsedMessage } from './process-messages.ts';
import { restartPauseMs } from './restart-pause.ts';
import type { Runtime } from './runtime-deps.ts';
import { shardTopology, type ShardTopology } from './topology.ts';
import { OutOfTimeError, WorkTime } from './work-time.ts';

/** Elements set aside in one invocation, and the share of its time that this may take: each costs the work since the last commit once more. */
const poisonMax = 64;
const poisonShare = 1 / 3;

/** Tells whoever holds the messages to leave them alone for so long. */
export type Postpone = (messageIds: readonly string[], pauseMs: number) => void;

/** As a try knew it last; undefined where it failed before it had read that. */
interface Seen {
  readonly attempt: Attempt | undefined;
  /** Of the shard record. */
  readonly version: number | undefined;
}

interface FailedTry {
  readonly messages: readonly ReceivedMessage[];
  readonly seen: Seen;
  readonly error: unknown;
  readonly postpone: Postpone;
}

interface Reported {
  readonly failure: JobFailure;
  readonly mayRestart: boolean;
  readonly attempt: Attempt;
  readonly shard: number;
}

export class OperatorFunction {
  #runtime: Runtime;
  readonly #uid: OperatorUid;
  readonly #topologies = new Map<number, ShardTopology>();
  readonly #warm = new Map<number, LiveShard>();
  /** What the try in hand goes by; the job record may be read anew in the midst of it. */
  readonly #tried = new Map<number, Seen>();
  readonly #inHand = new Set<number>();
  /** Shards whose last try failed. */
  readonly #troubled = new Set<number>();
  #job: JobRecord | undefined;
  #jobReadAt = Number.NEGATIVE_INFINITY;

  constructor(runtime: Runtime, uid: OperatorUid) {
    this.#runtime = runtime;
    this.#uid = uid;
  }

  /** Message ids that failed: they become visible again, after their pause where one is asked for; everything else may be deleted. */
  async handle(messages: readonly ReceivedMessage[], postpone: Postpone = () => undefined): Promise<readonly string[]> {
    const groups = new Map<string, ReceivedMessage[]>();
    for (const message of messages) {
      const group = groups.get(message.group);
      if (group === undefined) groups.set(message.group, [message]);
      else group.push(message);
    }
    const failed: string[] = [];
    const time = new WorkTime(this.#runtime.deps.timeLeft);
    for (const group of this.#inTurn([...groups.values()])) {
      failed.push(...(time.isNearlyUp() ? atOnce(group, postpone) : await this.#handleGroup(group, postpone)));
      time.step();
    }
    return failed;
  }

  /**
   * What may end the process comes last: groups that came seldom before those that come again and again, and of these another one first each time. What was
   * committed before the end needs no second look.
   */
  #inTurn(groups: readonly (readonly ReceivedMessage[])[]): readonly (readonly ReceivedMessage[])[] {
    const tries = new Map(groups.map((group) => [group, triesOf(group)]));
    const most = Math.max(...tries.values());
    if (groups.length === 1 || most < this.#runtime.program.settings.triesBeforeCare) return groups;
    const turned = most % 2 === 0 ? groups : [...groups].reverse();
    return [...turned].sort((left, right) => tries.get(left)! - tries.get(right)!);
  }

  async #handleGroup(messages: readonly ReceivedMessage[], postpone: Postpone): Promise<readonly string[]> {
    const shard = Number(messages[0]!.group.split('.')[0]);
    if (this.#inHand.has(shard)) return messages.map(idOf);
    this.#inHand.add(shard);
    try {
      return await this.#handleShard(shard, messages, postpone);
    } finally {
      this.#inHand.delete(shard);
    }
  }

  async #handleShard(shard: number, messages: readonly ReceivedMessage[], postpone: Postpone): Promise<readonly string[]> {
    const { clock, problems } = this.#runtime.deps;
    const poison: Poison[] = [];
    const isCareful = this.#noteSilentTries(shard, messages);
    for (const begunAt = clock.monotonic(); ;) {
      this.#tried.delete(shard);
      try {
        await this.#processGroup(shard, messages.map(parse), { poison, isCareful });
        if (this.#troubled.delete(shard)) problems?.passed(this.#place(shard));
        return [];
      } catch (error) {
        const tried = this.#tried.get(shard);
        const seen = { attempt: tried?.attempt ?? this.#job?.attempt, version: this.#warm.get(shard)?.record.version ?? tried?.version };
        const failed = this.#warm.get(shard);
        // Who stops for want of time has just committed what it has.
        if (!(error instanceof OutOfTimeError) && !mutated('failed-try-stays-warm')) this.#warm.delete(shard);
        if (error instanceof OutOfTimeError && mutated('out-of-time-is-done')) return [];
        const found = poisonOf(error, this.#topology(shard), clock.now());
        if (found === undefined) await this.#judgeSafely(shard, { messages, seen, error, postpone });
        // A shard that is still warm of an attempt before was not what failed.
        const wasCareful = failed !== undefined && failed.care !== null && tried?.version !== undefined && failed.record.attempt === tried.attempt; // prettier-ignore
        if (found === undefined && wasCareful && !mutated('suspects-stay')) await this.#takeNoteBackSafely(shard, failed, messages);
        // What a zombie fails at is nobody's dead letter, and no failure either: it is asked once, because the asking reads the job record anew.
        if (found === undefined || !(await this.#countsSafely(shard, seen)))
          return (mutated('only-first-failed') ? messages.slice(0, 1) : messages).map(idOf);
        poison.push(found);
        // The dead letters before the last one are committed: the batch goes on from there when it comes again, at once.
        if (poison.length < poisonMax && clock.monotonic() - begunAt < poisonShare * this.#runtime.program.settings.functionTimeoutMs)
          continue;
        postpone(messages.map(idOf), 0);
        return messages.map(idOf);
      }
    }
  }

  /** Who ran out of memory or time said nothing. Whoever meets the batch next sees how often it came, and tells before it may die of it too. */
  #noteSilentTries(shard: number, messages: readonly ReceivedMessage[]): boolean {
    const tries = triesOf(messages);
    if (tries < this.#runtime.program.settings.triesBeforeCare || this.#warm.has(shard) || this.#troubled.has(shard)) return false;
    if (mutated('care-never')) return false;
    const facts = { operator: this.#uid, shard, tries };
    this.#runtime.deps.logger.log('warn', 'a batch comes again and again: whoever took it may have run out of memory or time in it', facts);
    return true;
  }

  /** CR3. Of the record as the failed try has left it: where another has come since, its commit loses the race. */
  async #takeNoteBackSafely(index: number, { record }: LiveShard, messages: readonly ReceivedMessage[]): Promise<void> {
    try {
      const job = await this.#readJob(0);
      if (record.suspects === undefined || job.attempt !== record.attempt) return;
      const shard = await openShard(this.#runtime, job, this.#topology(index), record);
      await takeNoteBack(this.#runtime, job, shard, messages.map(parse));
    } catch (error) {
      const facts = { operator: this.#uid, shard: index, error: errorMessage(error) };
      this.#runtime.deps.logger.log('warn', 'a note about suspected records could not be taken back', facts);
    }
  }

  /** Whether the error is of what is stored; where that cannot be read now, another try will tell. */
  async #countsSafely(index: number, seen: Seen): Promise<boolean> {
    try {
      return await this.#stillCounts(index, seen);
    } catch {
      return false;
    }
  }

  async #processGroup(
    index: number,
    messages: readonly ParsedMessage[],
    { poison, isCareful }: { readonly poison: readonly Poison[]; readonly isCareful: boolean },
  ): Promise<void> {
    const newest = Math.max(...messages.map(attemptOf));
    const job = await this.#readJob(newest);
    if (newest > job.attempt && !mutated('newer-attempt-dropped')) throw new NotNowError('a message of an attempt that is not there yet');
    if (codeOf(job.planHash) !== codeOf(this.#runtime.program.planHash) && !mutated('any-plan'))
      throw new NotNowError('another plan is deployed');
    if (job.status === 'FAILED' || job.status === 'CANCELED' || job.status === 'SUSPENDED')
      throw new NotNowError(`the job is ${job.status}`);
    const current = messages.filter((message) => attemptOf(message) === job.attempt || mutated('old-attempt-taken'));
    if (current.length === 0) return;
    if (!mutated('any-plan')) await this.#takePlan(job);
    this.#tried.set(index, { attempt: job.attempt, version: undefined });
    const shard = await this.#shard(job, index, current);
    if (shard === undefined) return;
    shard.poison = poison;
    shard.care = isCareful ? { hasNoted: false, alone: 0, triesAlone: this.#runtime.program.settings.triesAlone } : null;
    await processMessages(this.#runtime, job, shard, current, () => this.#readJob(job.attempt));
  }

  /** Undefined where a newer attempt has begun meanwhile: these messages are of an older one after all. */
  async #shard(job: JobRecord, index: number, messages: readonly ParsedMessage[]): Promise<LiveShard | undefined> {
    const topology = this.#topology(index);
    const stored = await this.#runtime.deps.shards.read(topology.address);
    this.#tried.set(index, { attempt: job.attempt, version: stored?.version ?? 0 });
    if (stored !== undefined && stored.attempt > job.attempt) {
      this.#jobReadAt = Number.NEGATIVE_INFINITY;
      throw new LostRaceError('an attempt that has been replaced');
    }
    const warm = this.#warm.get(index);
    // A warm shard of the attempt that was given up is still what is stored: the first message of the new one initialises it.
    if (warm?.record.attempt === job.attempt && warm.record.attempt === stored?.attempt && warm.record.version === stored.version)
      return warm;
    this.#warm.delete(index);
    const shard = await this.#openOrInitialise(job, topology, stored, messages);
    this.#warm.set(index, shard);
    return shard;
  }

  async #openOrInitialise(
    job: JobRecord,
    topology: ShardTopology,
    stored: ShardRecord | undefined,
    messages: readonly ParsedMessage[],
  ): Promise<LiveShard> {
    if (stored !== undefined && stored.attempt === job.attempt) return openShard(this.#runtime, job, topology, stored);
    return initialiseShard(this.#runtime, job, topology, stored, markOf(messages[0]!));
  }

  #topology(index: number): ShardTopology {
    let topology = this.#topologies.get(index);
    if (topology === undefined) {
      const { plan, job } = this.#runtime.program;
      this.#topologies.set(index, (topology = shardTopology(plan, job, this.#uid, index)));
    }
    return topology;
  }

  /** A restore may have changed its parallelism, or taken over a snapshot's max parallelism. */
  async #takePlan({ plan: planKey }: JobRecord): Promise<void> {
    const { deps, program } = this.#runtime;
    if (program.planKey === planKey) return;
    const { plan } = decodeStoredPlan(await readNamed(deps.objects, planKey), planKey);
    // Under a new name there may be new settings only.
    if (canonicalJson(plan) !== canonicalJson(program.plan)) this.#topologies.clear();
    this.#runtime = { deps, program: { ...program, plan, planKey } };
  }

  /** Cached for a second at most; read again when a message is of a newer attempt. */
  async #readJob(attempt: number): Promise<JobRecord> {
    const { deps, program } = this.#runtime;
    const now = deps.clock.monotonic();
    if (
      this.#job !== undefined &&
      (attempt <= this.#job.attempt || mutated('newer-attempt-dropped')) &&
      now < this.#jobReadAt + program.settings.jobRecordCacheMs
    )
      return this.#job;
    const job = await deps.jobs.read(program.job);
    if (job === undefined) throw new NotNowError(`job ${program.job} does not exist`);
    this.#job = job;
    this.#jobReadAt = now;
    return job;
  }

  /** Judging needs reads and a send, which may fail like everything else; the messages come again anyway. */
  async #judgeSafely(index: number, failed: FailedTry): Promise<void> {
    try {
      await this.#judge(index, failed);
    } catch (judging) {
      this.#runtime.deps.logger.log('warn', 'a failed batch could not be judged', {
        operator: this.#uid,
        shard: index,
        error: errorMessage(judging),
      });
    }
  }

  /** What a failed try means for the job. */
  async #judge(index: number, { messages, seen, error, postpone }: FailedTry): Promise<void> {
    const { deps } = this.#runtime;
    const tries = triesOf(messages);
    const kind = failureKind(error, tries);
    if (kind === 'none') {
      if (error instanceof OutOfTimeError) {
        atOnce(messages, postpone);
        // It has said why the batch comes again.
        this.#troubled.add(index);
      }
      deps.logger.log('debug', errorMessage(error), { operator: this.#uid, shard: index });
      return;
    }
    const facts = { operator: this.#uid, shard: index, code: errorCode(error), error: errorMessage(error) };
    // What lasts is on the board or ends the job, and need not be said with every try.
    const isShown = deps.problems !== undefined && tries > 1;
    deps.logger.log(isShown ? 'debug' : 'warn', 'a batch failed and will be tried again', facts);
    this.#troubled.add(index);
    const failure = describeFailure(error, { uid: this.#uid, shard: index, atMs: deps.clock.now() });
    deps.problems?.met(this.#place(index), { ...failure, isCertain: kind === 'restart' });
    if (kind === 'passing' || !(await this.#stillCounts(index, seen))) return;
    const attempt = (mutated('ghosts-count') ? this.#job?.attempt : seen.attempt) ?? 0;
    await this.#reportFailure({ failure, mayRestart: kind === 'restart', attempt, shard: index });
    if (kind === 'restart') postpone(messages.map(idOf), await restartPauseMs(this.#runtime, this.#job!, failure.atMs));
  }

  async #stillCounts(index: number, { attempt, version }: Seen): Promise<boolean> {
    this.#jobReadAt = Number.NEGATIVE_INFINITY;
    const job = await this.#readJob(0);
    if (attempt !== job.attempt && !mutated('ghosts-count')) return false;
    if (version === undefined) return true;
    const stored = await this.#runtime.deps.shards.read(this.#topology(index).address);
    return (stored?.version ?? 0) === version || mutated('ghosts-count');
  }

  #place(index: number): string {
    return `${this.#uid}/${index}`;
  }

  async #reportFailure({ failure, mayRestart, attempt, shard }: Reported): Promise<void> {
    const { deps, program } = this.#runtime;
    const from = { job: program.job, attempt, uid: this.#uid, shard };
    const body = encodeCoordinatorMessage({ ...from, kind: 'failed', failure, ...(mayRestart ? { mayRestart } : {}) });
    await deps.messages.sendBatch(coordinatorQueue(program.job), [
      { group: program.job, deduplicationId: `failed-${deps.random.hex(16)}`, body },
    ]);
  }
}

function parse(received: ReceivedMessage): ParsedMessage {
  return { received, ...readMessage(received.body) };
}

function triesOf(messages: readonly ReceivedMessage[]): number {
  return Math.max(...messages.map(({ receiveCount }) => receiveCount));
}

/** Without a pause, however often they came: they are not what failed. */
function atOnce(messages: readonly ReceivedMessage[], postpone: Postpone): readonly string[] {
  const ids = messages.map(idOf);
  postpone(ids, 0);
  return ids;
}

function idOf({ messageId }: ReceivedMessage): string {
  return messageId;
}

function attemptOf(message: ParsedMessage): number {
  return message.kind === 'data' ? message.header.attempt : message.control.attempt;
}
