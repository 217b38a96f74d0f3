/** Step: what a restore is asked for, as a person writes it into the Step Functions console, becomes an operation. And its dry run. */
import type { JobId } from '../base/ids.ts';
import { recordedChange, triggerOf, type AskedByHand } from './asked-by-hand.ts';
import type { CoordinatorDeps } from './coordinator-deps.ts';
import { writeOperation, type OperationRequest } from './operation-log.ts';
import { checkpointRestore, savepointRestore } from './restore-order.ts';
import { planOfRestore, readRestoreInput, type RestoreInput } from './restore-input.ts';
import { readJob } from './update-job.ts';
import { previewRestore, type RestorePreview } from './restore-preview.ts';

export interface AskedRestore {
  readonly job: JobId;
  readonly trigger: string;
  readonly dryRun: boolean;
  readonly input: RestoreInput;
}

/** Of a dry run the audit has no record: it changes nothing. */
export async function askForRestore(deps: CoordinatorDeps, asked: AskedByHand): Promise<AskedRestore> {
  const input = readRestoreInput(asked.input);
  const [job, trigger, dryRun] = [input.jobId, triggerOf(asked), input.dryRun === true];
  if (!dryRun)
    await recordedChange(deps, asked, '/restore', input, async () => writeOperation(deps, await restoreOperation(deps, input, trigger)));
  return { job, trigger, dryRun, input };
}

/** Changes nothing. */
export function preview(deps: CoordinatorDeps, { input }: { readonly input: RestoreInput }): Promise<RestorePreview> {
  return previewRestore(deps, input);
}

/** What such an input asks for; the plan that it needs is stored. */
export async function restoreOperation(deps: CoordinatorDeps, input: RestoreInput, trigger: string): Promise<OperationRequest> {
  const { jobId: job, savepoint, checkpoint = 'newest', publishedSeen = null } = input;
  const { allowNonRestoredState = false, allowOtherJob = false } = input;
  const newPlan = planOfRestore(deps, await readJob(deps, job), input);
  const order = { job, trigger, publishedSeen, newPlan, allowNonRestoredState, allowOtherJob };
  return savepoint === undefined
    ? checkpointRestore(deps, { ...order, checkpoint })
    : savepointRestore(deps, { ...order, location: savepoint });
}
