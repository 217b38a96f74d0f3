/**
 * Whether somebody comes to look at what a death has left unfinished.
 *
 * SG1. Armed means armed until a sweep finds nothing unfinished, and says so in the same conditional write: whoever writes down unfinished work in a record
 *      that is armed is found by the next sweep.
 */
import type { JobRecord } from '../model/job-record.ts';
import { isTerminal } from './job-status.ts';
import { change, unchanged, type Transition } from './transition.ts';
import { answeredEpoch, committedStop } from './trigger-policy.ts';

/** Before the work that it guards: a sweep is on its way for this time. It stays armed until a sweep finds nothing to guard, in one write. */
export function armSweep(record: JobRecord, atMs: number, nowMs: number): Transition<never> {
  return record.sweepAtMs > 0 ? unchanged(record) : change(record, { sweepAtMs: atMs }, nowMs);
}

/** A sweep is over: it comes again, or nobody does. */
export function endSweep(record: JobRecord, nextAtMs: number, nowMs: number): Transition<never> {
  return change(record, { sweepAtMs: isUnfinished(record) ? nextAtMs : 0 }, nowMs);
}

/** Whether somebody's death could leave the job as it is for ever. */
function isUnfinished(record: JobRecord): boolean {
  if (record.pins.length > 0 || isTerminal(record.status)) return record.pins.length > 0;
  if (record.status === 'CANCELLING' || record.status === 'RESTARTING' || record.published < record.completed) return true;
  return record.pending.length > 0 || committedStop(record) !== undefined || record.dirtyEpoch > answeredEpoch(record);
}
