/**
 * Going back to a savepoint: one write.
 *
 * IR1. The savepoint is the job's next checkpoint, in a namespace of its own: nothing that the job had is held any more, and no row of it is read. So it may
 *      be gone back to from any end, and nobody need have retained anything.
 * IR2. Before it, what the job has completed is all published: no late publisher is left, and what is published above the savepoint is a person's to judge.
 * IR3. Its number is the next one: above everything that was ever published, numbered or the floor.
 */
import type { CheckpointId } from '../base/ids.ts';
import { spaceOf, type JobRecord } from '../model/job-record.ts';
import { mayMove } from './job-status.ts';
import { leave } from './left-spaces.ts';
import { nextAttempt, type NextAttempt } from './next-attempt.ts';
import { change, refused, type Transition } from './transition.ts';

export interface ImportRestoration extends NextAttempt {
  /** The number that the savepoint gets. */
  readonly checkpoint: CheckpointId;
  readonly manifest: string;
  readonly space: string;
  /** Where a person looked first: what was published then. */
  readonly publishedSeen: CheckpointId | null;
}

/** `number-taken`: a checkpoint was numbered meanwhile. */
export type ImportRefusal =
  'superseded' | 'number-taken' | 'published-changed' | 'publication-pending' | 'status-forbids' | 'settings-changed';

export function restoreImport(record: JobRecord, restoration: ImportRestoration, nowMs: number): Transition<ImportRefusal> {
  const reason = refusalOf(record, restoration);
  if (reason !== null) return refused(reason);
  const { checkpoint, manifest, space } = restoration;
  const { begun, patch } = nextAttempt(record, restoration);
  return change(
    begun,
    {
      ...patch,
      numbered: checkpoint,
      firstEpoch: checkpoint + 1,
      retained: [{ id: checkpoint, kind: 'savepoint', manifest }],
      pins: [],
      completed: checkpoint,
      dirtyEpoch: checkpoint,
      space,
      leftSpaces: leave(record, spaceOf(record), nowMs),
    },
    nowMs,
  );
}

function refusalOf(record: JobRecord, { checkpoint, fromAttempt, publishedSeen, planSeen }: ImportRestoration): ImportRefusal | null {
  if (record.attempt !== fromAttempt) return 'superseded';
  if (record.status !== 'RESTARTING' && !mayMove(record.status, 'RESTARTING')) return 'status-forbids';
  if (planSeen !== undefined && record.plan !== planSeen) return 'settings-changed';
  if (publishedSeen !== null && publishedSeen !== record.published) return 'published-changed';
  if (record.published < record.completed) return 'publication-pending';
  return checkpoint === record.numbered + 1 ? null : 'number-taken';
}
