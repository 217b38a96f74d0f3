/**
 * Step: what became of a restore that did not happen. The running job was not touched; what an import has written so far is removed. Where a recovery has
 * found nothing to go back to, the job ends.
 */
import type { JobFailure } from '../model/coordinator-message.ts';
import { jobPrefix } from '../model/object-keys.ts';
import type { CoordinatorDeps } from './coordinator-deps.ts';
import { readOperation, updateOperation, type FlowFailure, type OperationInput } from './operation-log.ts';
import { jobFailed } from './fail-job.ts';
import { finishRestore } from './finish-restore.ts';
import { isStarting, startImported } from './import-savepoint.ts';
import { coordinatorItself } from './recovery.ts';
import type { Recovery, RestoreRequest } from './restore-request.ts';

export async function failRestore(deps: CoordinatorDeps, input: OperationInput & { readonly error: FlowFailure }): Promise<void> {
  const operation = await readOperation(deps, input);
  const request = operation.request as unknown as RestoreRequest;
  const started = await deps.jobs.read(input.job);
  if (request.from === 'checkpoint' && request.recovery !== undefined && input.error.Error === 'SLUICE-CHECKPOINTS-LOST') {
    await jobFailed(deps, { job: input.job, attempt: request.attempt }, lost(request.recovery, input.error, deps.clock.now()));
  }
  const failure = {
    code: input.error.Error,
    message: input.error.Cause,
    hint: `${started === undefined ? 'Nothing was started.' : 'The job runs on as it was.'} Look at the reasons, and try again.`,
  };
  const ended = await updateOperation(deps, input, { status: 'COMPLETED', failure }, isStarting);
  if (ended.failure === null) return goForward(deps, input);
  if (request.from === 'savepoint' && started === undefined) await removeImported(deps, input);
  deps.logger.log('error', `a restore of job ${input.job} failed: ${input.error.Cause}`, { trigger: input.trigger });
}

/** The job is about to be, or is: a step that failed behind that point is done once more (import-savepoint.ts, IC1). */
async function goForward(deps: CoordinatorDeps, input: OperationInput): Promise<void> {
  await finishRestore(deps, { ...input, ...(await startImported(deps, input)) });
}

async function removeImported(deps: CoordinatorDeps, { job }: OperationInput): Promise<void> {
  await deps.base.drop(job);
  const written = await deps.objects.list(jobPrefix(job));
  await deps.objects.remove(written.map(({ key }) => key));
}

/** Where it began, and why there is no way back. */
function lost({ cause }: Recovery, { Error: code, Cause: tried }: FlowFailure, atMs: number): JobFailure {
  const begin = cause?.message ?? 'more checkpoints failed than are borne';
  return {
    code,
    message: `${begin}; ${tried}`,
    hint: 'Put the objects back and run the job again, or start it from a savepoint or an older checkpoint in another data directory.',
    operator: cause?.operator ?? coordinatorItself,
    shard: cause?.shard ?? 0,
    facts: cause?.facts ?? {},
    // Of a second try the same failure.
    atMs: cause?.atMs ?? atMs,
  };
}
