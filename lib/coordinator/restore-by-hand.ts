/**
 * Step: what a restore is asked for, as a person writes it into the Step Functions console, or the API sends it, becomes an operation. And its dry run.
 *
 * RB1. An execution is one restore: its trigger is made of its name, so that a second try of this step finds the first one's operation.
 * RB2. Of a change that nobody asked for over HTTP the audit has a record too, made before the change: who it was, the execution can tell (CloudTrail).
 */
import { createHash } from 'node:crypto';
import { errorCode } from '../base/errors.ts';
import type { JobId } from '../base/ids.ts';
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
  readonly input: RestoreInput | null;
}

export async function askForRestore(
  deps: CoordinatorDeps,
  { input, flow, execution }: { readonly input: unknown; readonly flow: string; readonly execution: string },
): Promise<AskedRestore> {
  const known = (input ?? {}) as { readonly job?: JobId; readonly trigger?: string };
  if (known.job !== undefined && known.trigger !== undefined) return { job: known.job, trigger: known.trigger, dryRun: false, input: null };
  const wanted = readRestoreInput(input);
  const trigger = createHash('sha256').update(flow).digest('hex').slice(0, 32);
  const asked = { job: wanted.jobId, trigger, dryRun: wanted.dryRun === true, input: wanted };
  if (!asked.dryRun)
    await recorded(deps, wanted, { flow, execution }, async () => writeOperation(deps, await restoreOperation(deps, wanted, trigger)));
  return asked;
}

/** RB2. Of a dry run there is none: it changes nothing. */
async function recorded(
  { recordChange }: CoordinatorDeps,
  input: RestoreInput,
  { flow, execution }: { readonly flow: string; readonly execution: string },
  change: () => Promise<unknown>,
): Promise<void> {
  const request = { method: 'StartExecution', path: '/restore', query: '', body: JSON.stringify(input) };
  const answered = await recordChange?.({ job: input.jobId, who: execution, requestId: flow, request });
  try {
    await change();
  } catch (error) {
    await answered?.({ status: 500, code: errorCode(error) ?? null });
    throw error;
  }
  await answered?.({ status: 202, code: null });
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
