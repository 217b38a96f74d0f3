/** Last step of a restore. */
import type { Attempt } from '../base/ids.ts';
import type { CoordinatorDeps } from './coordinator-deps.ts';
import { readOperation, updateOperation, type OperationInput } from './operation-log.ts';
import { resumeJob } from './resume-job.ts';

export async function finishRestore(deps: CoordinatorDeps, input: OperationInput & { readonly attempt: Attempt }): Promise<void> {
  await resumeJob(deps, input);
  const operation = await readOperation(deps, input);
  await updateOperation(deps, operation, { status: 'COMPLETED', progress: { ...operation.progress, attempt: input.attempt } });
}
