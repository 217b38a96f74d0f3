/** What belongs to an intake is called so. */
import type { JobId } from '../base/ids.ts';
import { awsPrefix } from './aws-names.ts';

/** Texts of entries of a job's intake logs: below the name of the log and its partition. They outlive the job. */
export function intakePrefix(scope: string): string {
  return `intake/${scope}/`;
}

/** Of an intake that is given no queue of the user's. Two hyphens: no vertex has such a name. */
export function awsIntakeQueueName(job: JobId, intake: string, isFifo: boolean): string {
  return `${awsPrefix(job)}--in-${intake}${isFifo ? '.fifo' : ''}`;
}
