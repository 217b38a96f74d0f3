/** Step: what became of a restore that did not happen. The running job was not touched; what an import has written so far is removed. */
import { jobPrefix } from '../model/names.ts';
import type { CoordinatorDeps } from './coordinator-deps.ts';
import { readOperation, updateOperation, type FlowFailure, type OperationInput } from './operation-log.ts';
import type { RestoreRequest } from './restore-request.ts';

export async function failRestore(deps: CoordinatorDeps, input: OperationInput & { readonly error: FlowFailure }): Promise<void> {
  const operation = await readOperation(deps, input);
  const request = operation.request as unknown as RestoreRequest;
  const started = await deps.jobs.read(input.job);
  if (request.from === 'savepoint' && started === undefined) {
    await deps.base.drop(input.job);
    const written = await deps.objects.list(jobPrefix(input.job));
    await deps.objects.remove(written.map(({ key }) => key));
  }
  const failure = {
    code: input.error.Error,
    message: input.error.Cause,
    hint: `${started === undefined ? 'Nothing was started.' : 'The job runs on as it was.'} Look at the reasons, and try again.`,
  };
  await updateOperation(deps, operation, { status: 'COMPLETED', failure });
  deps.logger.log('error', `a restore of job ${input.job} failed: ${input.error.Cause}`, { trigger: input.trigger });
}
