/**
 * Step: what became of a restore that did not happen. The running job was not touched; what an import has written so far is removed. Where a recovery has
 * found nothing to go back to, the job ends.
 */
import { leaveImport } from '../checkpoint/left-spaces.ts';
import type { JobFailure } from '../model/coordinator-message.ts';
import type { JobRecord } from '../model/job-record.ts';
import { jobPrefix } from '../model/object-keys.ts';
import type { CoordinatorDeps } from './coordinator-deps.ts';
import { readOperation, updateOperation, type FlowFailure, type OperationInput } from './operation-log.ts';
import { jobFailed } from './fail-job.ts';
import { finishRestore } from './finish-restore.ts';
import { importTarget } from './import-savepoint.ts';
import { coordinatorItself } from './recovery.ts';
import type { Recovery, RestoreRequest, SavepointRequest } from './restore-request.ts';
import { isStarting, startImported } from './start-imported.ts';
import { updateJob } from './update-job.ts';

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
  if (request.from === 'savepoint') await removeImported(deps, input, request, started);
  deps.logger.log('error', `a restore of job ${input.job} failed: ${input.error.Cause}`, { trigger: input.trigger });
}

/** The write is about to be made, or is: a step that failed behind that point is done once more (start-imported.ts, IC1). */
async function goForward(deps: CoordinatorDeps, input: OperationInput): Promise<void> {
  await finishRestore(deps, { ...input, ...(await startImported(deps, input)) });
}

/** Beside a job that is there zombies may still write: the namespace is dropped by a later collection, which takes the objects too. */
async function removeImported(
  deps: CoordinatorDeps,
  input: OperationInput,
  request: SavepointRequest,
  started: JobRecord | undefined,
): Promise<void> {
  const { job } = input;
  if (request.attempt !== undefined) {
    const { space } = importTarget(input, request);
    await updateJob(deps, job, (record) => leaveImport(record, space, deps.clock.now()));
    return;
  }
  if (started !== undefined) return;
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
