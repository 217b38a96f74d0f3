/** How a job ends. What was pending is over with it; what is completed and not published is published first, or by a sweep afterwards. */
import { mutated } from '../base/mutated.ts';
import type { Attempt, CheckpointId } from '../base/ids.ts';
import type { JobRecord } from '../model/job-record.ts';
import type { CheckpointSettings } from './checkpoint-settings.ts';
import { isTerminal, mayMove } from './job-status.ts';
import { change, refused, unchanged, type Transition } from './transition.ts';

/** Every shard has finished in `checkpoint`, or it is the checkpoint of a stop in this attempt. It must be the newest, and published. */
export function finishJob(
  record: JobRecord,
  { checkpoint, attempt }: { readonly checkpoint: CheckpointId; readonly attempt: Attempt },
  nowMs: number,
): Transition<'superseded' | 'not-newest' | 'unpublished' | 'status-forbids'> {
  if (record.attempt !== attempt) return refused('superseded');
  if (record.status === 'FINISHED') return unchanged(record);
  if (record.completed !== checkpoint) return refused('not-newest');
  if (record.published < checkpoint && !mutated('finished-unpublished')) return refused('unpublished');
  if (!mayMove(record.status, 'FINISHED')) return refused('status-forbids');
  return change(record, { pending: [], status: 'FINISHED' }, nowMs);
}

export function beginCancel(record: JobRecord, nowMs: number): Transition<'already-ended'> {
  if (record.status === 'CANCELLING' || record.status === 'CANCELED') return unchanged(record);
  if (!mayMove(record.status, 'CANCELLING')) return refused('already-ended');
  return change(record, { pending: [], status: 'CANCELLING' }, nowMs);
}

/** With `delete` the checkpoints go with the job; pins stay with the flows that hold them. */
export function endCancel(
  record: JobRecord,
  retention: CheckpointSettings['retentionOnCancellation'],
  nowMs: number,
): Transition<'not-cancelling' | 'unpublished'> {
  if (record.status === 'CANCELED') return unchanged(record);
  if (record.status !== 'CANCELLING') return refused('not-cancelling');
  if (record.published < record.completed) return refused('unpublished');
  return change(record, { status: 'CANCELED', ...(retention === 'delete' ? { retained: [] } : {}) }, nowMs);
}

export function failJob(record: JobRecord, failure: string, nowMs: number): Transition<'already-ended'> {
  if (record.status === 'FAILED') return unchanged(record);
  if (isTerminal(record.status)) return refused('already-ended');
  return change(record, { pending: [], status: 'FAILED', failure }, nowMs);
}

/** Ends without a final checkpoint and keeps everything: a restore of the newest goes on. */
export function suspendJob(record: JobRecord, nowMs: number): Transition<'already-ended'> {
  if (record.status === 'SUSPENDED') return unchanged(record);
  if (!mayMove(record.status, 'SUSPENDED')) return refused('already-ended');
  return change(record, { pending: [], status: 'SUSPENDED' }, nowMs);
}
