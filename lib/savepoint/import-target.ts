/**
 * Where a savepoint is imported to: into a job that is to be, under its own id, or beside a job that runs on meanwhile, where nothing of the import may meet
 * what that job has.
 */
import { createHash } from 'node:crypto';
import type { Attempt, JobId } from '../base/ids.ts';

/** Before the first attempt: nothing that runs has it. */
export const importAttempt: Attempt = 0;

export interface ImportTarget {
  readonly job: JobId;
  /** The job runs: the savepoint becomes its next checkpoint. */
  readonly isBeside: boolean;
  /** Namespace of the rows in the base, and of the staged parts. */
  readonly space: string;
  /** Part of the name of every object that the import makes. */
  readonly importId: string;
}

export function intoNewJob(job: JobId): ImportTarget {
  return { job, isBeside: false, space: job, importId: 'imported' };
}

export function besideRunningJob(job: JobId, trigger: string): ImportTarget {
  const importId = importIdOf(trigger);
  return { job, isBeside: true, space: `${job}.${importId}`, importId };
}

/** Every try of one restore has the same, two restores never. */
export function importIdOf(trigger: string): string {
  return createHash('sha256').update(trigger).digest('hex').slice(0, 16);
}
