/**
 * A checkpoint between its number and its end.
 *
 * P1. The number is given in the same write that makes the checkpoint pending and stores its token: barriers go out only after it.
 * P2. A flow has one checkpoint: a second try of its trigger finds it and only replaces the token.
 * P3. An abort takes the checkpoint out of `pending`; what a shard holds for a number that was given and is not pending is released (`isOver`).
 */
import type { Attempt, CheckpointId } from '../base/ids.ts';
import type { CheckpointKind, JobRecord, PendingCheckpoint } from '../model/job-record.ts';
import type { CheckpointSettings } from './checkpoint-settings.ts';
import { countsAgainstTolerance, type FailureReason } from './failure-reason.ts';
import { isWorking } from './job-status.ts';
import { change, refused, type Transition } from './transition.ts';
import { isStopping } from './trigger-policy.ts';

/** More would make the job record too large; Flink queues a thousand requests, here every waiting flow is its own queue entry. */
const pendingMax = 8;

export interface TriggerRequest {
  readonly kind: CheckpointKind;
  readonly stop?: 'drain' | 'suspend';
  readonly flow: string;
  readonly token: string;
}

export function numberCheckpoint(
  record: JobRecord,
  request: TriggerRequest,
  settings: CheckpointSettings,
  nowMs: number,
): Transition<'NOT_ALL_REQUIRED_TASKS_RUNNING' | 'TOO_MANY_CHECKPOINT_REQUESTS'> {
  if (!isWorking(record.status)) return refused('NOT_ALL_REQUIRED_TASKS_RUNNING');
  const own = record.pending.find(({ flow }) => flow === request.flow);
  if (own !== undefined) {
    const pending = record.pending.map((entry) => (entry === own ? { ...entry, token: request.token } : entry));
    return change(record, { pending }, nowMs);
  }
  if (isStopping(record)) return refused('NOT_ALL_REQUIRED_TASKS_RUNNING');
  const forced = request.kind !== 'checkpoint';
  if (record.pending.length >= (forced ? pendingMax : settings.maxConcurrent)) return refused('TOO_MANY_CHECKPOINT_REQUESTS');
  const id = record.numbered + 1;
  const entry: PendingCheckpoint = {
    id,
    kind: request.kind,
    ...(request.stop === undefined ? {} : { stop: request.stop }),
    flow: request.flow,
    token: request.token,
    triggeredAtMs: nowMs,
    deadlineMs: nowMs + settings.timeoutMs,
  };
  const patch = { numbered: id, pending: [...record.pending, entry], ...(forced ? {} : { triggeredAtMs: nowMs }) };
  return change(record, patch, nowMs);
}

/** Whether the number was given and its checkpoint is no longer pending: aborted, or complete. By number and attempt, so that late barriers are known. */
export function isOver(record: JobRecord, checkpoint: CheckpointId): boolean {
  return checkpoint <= record.numbered && !record.pending.some(({ id }) => id === checkpoint);
}

/**
 * A stop's checkpoint is not aborted by itself: sources have ended for it, so only a restore, or the job's end, takes it back.
 * Counts by Flink's rule: only its five reasons, only periodic checkpoints, every number once. A later try answers the same dirty epoch.
 */
export function abortCheckpoint(
  record: JobRecord,
  checkpoint: CheckpointId,
  reason: FailureReason,
  nowMs: number,
): Transition<'not-pending' | 'needs-restore'> {
  const entry = record.pending.find(({ id }) => id === checkpoint);
  if (entry === undefined) return refused('not-pending');
  if (entry.kind === 'stop-savepoint') return refused('needs-restore');
  const periodic = entry.kind === 'checkpoint';
  const counted = periodic && countsAgainstTolerance(reason);
  return change(
    record,
    {
      pending: record.pending.filter((other) => other !== entry),
      failures: record.failures + (counted ? 1 : 0),
      try: record.try + (periodic ? 1 : 0),
      counts: { ...record.counts, failed: record.counts.failed + 1 },
    },
    nowMs,
  );
}

/** An execution ended without a checkpoint to show for it: the next one needs another name. Counted like an abort where the reason is. */
export function nextTry(
  record: JobRecord,
  seen: { readonly attempt: Attempt; readonly try: number },
  reason: FailureReason | null,
  nowMs: number,
): Transition<'superseded'> {
  if (record.attempt !== seen.attempt || record.try !== seen.try) return refused('superseded');
  const counted = reason !== null && countsAgainstTolerance(reason);
  return change(record, { try: record.try + 1, failures: record.failures + (counted ? 1 : 0) }, nowMs);
}

export function expiredCheckpoint(record: JobRecord, nowMs: number): PendingCheckpoint | undefined {
  return record.pending.find(({ deadlineMs }) => nowMs > deadlineMs);
}
