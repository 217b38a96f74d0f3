/** What shards report between checkpoints: changes, and the end of their input. */
import type { Epoch, OperatorUid } from '../base/ids.ts';
import { invariant } from '../base/invariant.ts';
import type { JobRecord } from '../model/job-record.ts';
import { isWorking } from './job-status.ts';
import { change, refused, unchanged, type Transition } from './transition.ts';

/**
 * A shard has its first change of an epoch. An epoch is at most one above the highest number given, because only a barrier ends one.
 * An epoch that a completed checkpoint holds is old news.
 */
export function noteDirty(record: JobRecord, epoch: Epoch, nowMs: number): Transition<'not-running'> {
  if (!isWorking(record.status)) return refused('not-running');
  invariant(epoch <= record.numbered + 1, 'J3', `a shard is in epoch ${epoch}, the highest number given is ${record.numbered}`);
  if (epoch <= record.dirtyEpoch || epoch <= record.completed) return unchanged(record);
  return change(record, { dirtyEpoch: epoch }, nowMs);
}

/** A source shard of this attempt has no more input. */
export function noteEnded(record: JobRecord, uid: OperatorUid, shard: number, nowMs: number): Transition<'not-running'> {
  if (!isWorking(record.status)) return refused('not-running');
  const known = record.ended[uid] ?? [];
  if (known.includes(shard)) return unchanged(record);
  return change(record, { ended: { ...record.ended, [uid]: [...known, shard].sort((a, b) => a - b) } }, nowMs);
}

/** The kicks of this attempt have been sent. */
export function markRunning(record: JobRecord, attempt: number, nowMs: number): Transition<'superseded'> {
  if (record.attempt !== attempt || !isWorking(record.status)) return refused('superseded');
  return record.status === 'RUNNING' ? unchanged(record) : change(record, { status: 'RUNNING' }, nowMs);
}

/**
 * The same plan with other settings, from now on. A new try, because the execution that is on its way waits by the old ones. By another bound failures are
 * counted anew (`recount`): one that was lowered does not judge what it did not bound.
 */
export function adoptSettings(
  record: JobRecord,
  { from, to, recount }: { readonly from: string; readonly to: string; readonly recount: boolean },
  nowMs: number,
): Transition<'superseded'> {
  if (record.plan === to) return unchanged(record);
  if (record.plan !== from) return refused('superseded');
  return change(record, { plan: to, try: record.try + 1, failures: recount ? 0 : record.failures }, nowMs);
}
