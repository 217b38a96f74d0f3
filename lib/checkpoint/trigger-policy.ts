/**
 * When a checkpoint starts.
 *
 * T1. One is due while the highest dirty epoch is newer than every checkpoint that answers it: the last completed one that sinks commit, and pending
 *     ones of the same kind. Neither an abort nor an intermediate savepoint clears it. An idle job is never due.
 * T2. Interval and minimum pause delay periodic checkpoints only. Savepoints are forced: they also pass the limit of concurrent ones.
 * T3. When all sources have ended nothing is waited for.
 * T4. Nothing periodic starts between a stop order and its outcome: some sources have already ended for it. The same for a savepoint that the job is to
 *     be canceled with: what sinks commit after it would be made again by whoever goes on from it.
 * T5. One that a person asked for is taken whether or not anything is due, and waits for neither interval nor pause; at the limit of concurrent ones it waits
 *     for its turn, as in Flink. Whether the job can take one at all is decided where it gets its number.
 */
import { mutated } from '../base/mutated.ts';
import type { CheckpointId } from '../base/ids.ts';
import type { JobRecord, RetainedCheckpoint } from '../model/job-record.ts';
import type { CheckpointSettings } from './checkpoint-settings.ts';
import { isWorking } from './job-status.ts';

type TriggerDecision =
  | { readonly decision: 'trigger' }
  | { readonly decision: 'wait'; readonly untilMs: number; readonly because: 'interval' | 'minimum-pause' | 'concurrent' }
  | { readonly decision: 'idle'; readonly because: 'clean' | 'not-running' | 'stopping' | 'too-many-failures' };

export interface TriggerFacts {
  readonly record: JobRecord;
  readonly settings: CheckpointSettings;
  readonly sourcesEnded: boolean;
  readonly nowMs: number;
  /** A person asked for it. */
  readonly manual?: boolean;
}

/** Epochs up to it are in a checkpoint that is complete or on its way. */
export function answeredEpoch(record: JobRecord): CheckpointId {
  return Math.max(record.completed, ...record.pending.filter(({ kind }) => kind === 'checkpoint').map(({ id }) => id));
}

/** An order that ends the job has been given and its outcome is open: its checkpoint is pending, pinned for its export, or committed for the end. */
export function isStopping(record: JobRecord): boolean {
  return (
    committedStop(record) !== undefined ||
    [...record.pending, ...record.pins].some(({ kind, thenCancel }) => kind === 'stop-savepoint' || thenCancel === true)
  );
}

/** The checkpoint of a stop in this attempt that sinks commit: the job has only to be called FINISHED. */
export function committedStop({ status, retained, completed, firstEpoch }: JobRecord): RetainedCheckpoint | undefined {
  if (!isWorking(status) || mutated('committed-stop-forgotten')) return undefined;
  return retained.find(({ id, kind }) => kind === 'stop-savepoint' && id === completed && id >= firstEpoch);
}

export function decideTrigger(facts: TriggerFacts): TriggerDecision {
  const { record, settings, sourcesEnded, nowMs } = facts;
  if (facts.manual === true) return decideManual(facts);
  if (!isWorking(record.status)) return { decision: 'idle', because: 'not-running' };
  if (isStopping(record) && !mutated('periodic-during-stop')) return { decision: 'idle', because: 'stopping' };
  if (record.failures > settings.tolerableFailures) return { decision: 'idle', because: 'too-many-failures' };
  if (record.dirtyEpoch <= answeredEpoch(record)) return { decision: 'idle', because: 'clean' };
  if (record.pending.length >= settings.maxConcurrent)
    return { decision: 'wait', because: 'concurrent', untilMs: nowMs + settings.intervalMs };
  if (sourcesEnded) return { decision: 'trigger' };
  const afterInterval = record.triggeredAtMs + settings.intervalMs;
  if (nowMs < afterInterval) return { decision: 'wait', because: 'interval', untilMs: afterInterval };
  const afterPause = record.completedAtMs + settings.minPauseMs;
  if (nowMs < afterPause) return { decision: 'wait', because: 'minimum-pause', untilMs: afterPause };
  return { decision: 'trigger' };
}

/** T5. */
function decideManual({ record, settings, nowMs }: TriggerFacts): TriggerDecision {
  const mayBeNumbered = isWorking(record.status) && !isStopping(record);
  if (!mayBeNumbered || record.pending.length < settings.maxConcurrent) return { decision: 'trigger' };
  return { decision: 'wait', because: 'concurrent', untilMs: nowMs + settings.intervalMs };
}

/**
 * The time an execution waits for before it triggers. After a quiet time the interval counts from the first change, so that a burst makes one
 * checkpoint and not an almost empty one first; between checkpoints it counts from the last trigger, as in Flink, so a late one starts at once.
 */
export function triggerTime({ record, settings, sourcesEnded, nowMs }: TriggerFacts, quietBefore: boolean): number {
  if (sourcesEnded) return nowMs;
  const afterInterval = record.triggeredAtMs + settings.intervalMs;
  const next = afterInterval > nowMs ? afterInterval : quietBefore ? nowMs + settings.intervalMs : nowMs;
  return Math.max(next, record.completedAtMs + settings.minPauseMs);
}
