/**
 * A checkpoint between its number and its end.
 *
 * P1. The number is given in the same write that makes the checkpoint pending and stores its token: barriers go out only after it.
 * P2. A flow has one checkpoint: a second try of its trigger finds it and only replaces the token.
 * P3. Its mode is given with the number and goes with the orders and barriers: a change of the settings is for the next one.
 * P4. An abort (abort.ts) takes the checkpoint out of `pending`; what a shard holds for a number that was given and is not pending is released (`isOver`).
 */
import { mutated } from '../base/mutated.ts';
import type { CheckpointId } from '../base/ids.ts';
import type { CheckpointKind, JobRecord, PendingCheckpoint } from '../model/job-record.ts';
import type { CheckpointSettings } from './checkpoint-settings.ts';
import { isWorking } from './job-status.ts';
import { change, refused, type Transition } from './transition.ts';
import { isStopping } from './trigger-policy.ts';

/** More would make the job record too large; Flink queues a thousand requests, here every waiting flow is its own queue entry. */
const pendingMax = 8;

export interface TriggerRequest {
  readonly kind: CheckpointKind;
  readonly stop?: 'drain' | 'suspend';
  readonly thenCancel?: true;
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
  if (isStopping(record) && !mutated('periodic-during-stop')) return refused('NOT_ALL_REQUIRED_TASKS_RUNNING');
  const forced = request.kind !== 'checkpoint';
  if (record.pending.length >= (forced ? pendingMax : settings.maxConcurrent)) return refused('TOO_MANY_CHECKPOINT_REQUESTS');
  const id = record.numbered + 1;
  const entry: PendingCheckpoint = {
    id,
    kind: request.kind,
    ...(settings.mode === 'exactly-once' ? {} : { mode: settings.mode }),
    ...(request.stop === undefined ? {} : { stop: request.stop }),
    ...(request.thenCancel === true ? { thenCancel: true } : {}),
    ...overtaking(request, settings, nowMs),
    flow: request.flow,
    token: request.token,
    triggeredAtMs: nowMs,
    deadlineMs: nowMs + settings.timeoutMs,
  };
  const patch = { numbered: id, pending: [...record.pending, entry], ...(forced ? {} : { triggeredAtMs: nowMs }) };
  return change(record, patch, nowMs);
}

/** A stop waits for what is in flight: nobody would work it off behind it. */
function overtaking({ kind }: TriggerRequest, settings: CheckpointSettings, nowMs: number): Pick<PendingCheckpoint, 'overtakeAtMs'> {
  return settings.unaligned && kind !== 'stop-savepoint' ? { overtakeAtMs: nowMs + settings.alignedTimeoutMs } : {};
}

/** Whether the number was given and its checkpoint is no longer pending: aborted, or complete. By number and attempt, so that late barriers are known. */
export function isOver(record: JobRecord, checkpoint: CheckpointId): boolean {
  return checkpoint <= record.numbered && !record.pending.some(({ id }) => id === checkpoint);
}

export function expiredCheckpoint(record: JobRecord, nowMs: number): PendingCheckpoint | undefined {
  return record.pending.find(({ deadlineMs }) => nowMs > deadlineMs);
}
