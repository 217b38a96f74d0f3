/**
 * Between two records of a batch: others of the process are let in, and the job record is looked at, so that a checkpoint which overtakes need not wait for
 * the end of a long batch. The order itself is taken by whoever works on the batch.
 *
 * IL1. An order is looked for only by an invocation with a fresh message, and never while in-flight data of a restore is replayed.
 * IL2. The job record that it finds is of the attempt in hand: what a newer one says is for the next invocation.
 * IL3. It costs nothing where it is of no use: a shard is patient with an envelope until one has taken long, and is so again when one has not.
 */
import type { JobRecord } from '../model/job-record.ts';
import { nextOrder } from './barrier/overtaking.ts';
import type { LiveShard } from './live-shard.ts';
import type { Runtime } from './runtime-deps.ts';

export interface Interlude {
  /** Within an envelope. */
  isDue(): boolean;
  /** At an envelope's beginning: whether it is time before it. */
  begin(): boolean;
  /** Sets the shard's `orderDue` where one is to be taken before the next record. */
  hold(): Promise<void>;
}

/** An envelope that is worked off in less is not interrupted. */
const envelopeMs = 20;

export interface InterludeOptions {
  readonly isFresh: boolean;
  /** As new as the cache of job records allows. */
  readonly readJob: () => Promise<JobRecord>;
  /** Told of a job record that was read. */
  readonly onJob: (job: JobRecord) => void;
}

export function createInterlude({ deps, program }: Runtime, shard: LiveShard, options: InterludeOptions): Interlude {
  const { lookEveryMs } = program.settings;
  const patienceMs = lookEveryMs === 0 ? 0 : Math.max(lookEveryMs, envelopeMs);
  let lookedAt = deps.clock.monotonic();
  let begunAt: number | null = null;
  const waitMs = (): number => (shard.isSlow ? lookEveryMs : patienceMs);
  let dueAt = lookedAt + waitMs();
  return {
    isDue: () => deps.clock.monotonic() >= dueAt,
    begin() {
      const now = deps.clock.monotonic();
      if (begunAt !== null) shard.isSlow = now - begunAt > patienceMs;
      begunAt = now;
      dueAt = now + waitMs();
      return now >= lookedAt + patienceMs;
    },
    async hold() {
      await deps.turn?.();
      if (options.isFresh && shard.replay === null) {
        const job = await options.readJob();
        if (job.attempt === shard.record.attempt) {
          options.onJob(job);
          shard.orderDue = isOrdered(shard, job, deps.clock.now());
        }
      }
      lookedAt = deps.clock.monotonic();
      if (begunAt !== null && lookedAt - begunAt > patienceMs) shard.isSlow = true;
      dueAt = lookedAt + lookEveryMs;
    },
  };
}

/** Most job records have no orders. */
export function mayHaveOrders({ alignment }: LiveShard, job: JobRecord): boolean {
  return alignment?.overtakeAtMs !== undefined || job.pending.some(({ overtakeAtMs }) => overtakeAtMs !== undefined);
}

function isOrdered(shard: LiveShard, job: JobRecord, nowMs: number): boolean {
  if (!mayHaveOrders(shard, job)) return false;
  const { alignment, settled, keyless, processingTimeMs } = shard;
  const verdict = nextOrder({ pending: job.pending, alignment, settled, keyless, nowMs: Math.max(processingTimeMs, nowMs) });
  return verdict.kind !== 'nothing';
}
