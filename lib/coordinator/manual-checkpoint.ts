/**
 * A checkpoint that a person asks for, and what becomes of it. It is one like all others: sinks commit it, it is retained, and its failure counts. The
 * trigger id makes a request one, however often it is sent.
 */
import type { CheckpointId, JobId } from '../base/ids.ts';
import { reasonOfFlowError } from '../checkpoint/flow-error.ts';
import { failureText } from '../checkpoint/failure-reason.ts';
import type { OperationRecord } from '../ports/records.ts';
import { readPlan, type CoordinatorDeps } from './coordinator-deps.ts';
import { requestOperation, updateOperation, type FlowFailure, type OperationInput } from './operation-log.ts';
import { readJob } from './update-job.ts';

export const manualCheckpointKind = 'checkpoint';

export async function takeCheckpoint(
  deps: CoordinatorDeps,
  { job, trigger }: { readonly job: JobId; readonly trigger: string },
): Promise<OperationRecord> {
  const { settings } = await readPlan(deps, (await readJob(deps, job)).plan);
  const input = { timeoutSeconds: Math.ceil(settings.timeoutMs / 1_000) };
  return requestOperation(deps, 'manual-checkpoint', { job, trigger, kind: manualCheckpointKind, request: {} }, input);
}

export async function finishManual(
  deps: CoordinatorDeps,
  { checkpoint, ...input }: OperationInput & { readonly checkpoint: CheckpointId },
): Promise<void> {
  await updateOperation(deps, input, { status: 'COMPLETED', progress: { checkpoint } });
}

/** Its checkpoint has been aborted already, as any other. */
export async function failManual(
  deps: CoordinatorDeps,
  { error, ...input }: OperationInput & { readonly error: FlowFailure },
): Promise<void> {
  const hasExpired = error.Error === 'States.Timeout';
  const code = hasExpired ? reasonOfFlowError(error.Error, 'trigger') : error.Error;
  const message = hasExpired ? failureText('CHECKPOINT_EXPIRED') : error.Cause;
  const failure = { code, message, hint: 'Nothing is lost: the next checkpoint holds what this one would have held. Try again.' };
  await updateOperation(deps, input, { status: 'COMPLETED', failure });
}
