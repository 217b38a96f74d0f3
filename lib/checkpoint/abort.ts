/** Checkpoints, and tries at one, that came to nothing. */
import type { Attempt, CheckpointId } from '../base/ids.ts';
import type { JobRecord } from '../model/job-record.ts';
import { countsAgainstTolerance, type FailureReason } from './failure-reason.ts';
import { wasRestarting } from './restart-attempts.ts';
import { change, refused, type Transition } from './transition.ts';

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
  // What waited for a batch that the restart strategy has tried again says nothing about checkpoints; counted, it would roll the job back.
  const isExplained = reason === 'CHECKPOINT_EXPIRED' && wasRestarting(record, entry.triggeredAtMs);
  const counted = periodic && countsAgainstTolerance(reason) && !isExplained;
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
