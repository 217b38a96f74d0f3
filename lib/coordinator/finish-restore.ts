/** Last step of a restore. */
import type { Attempt } from '../base/ids.ts';
import type { CoordinatorDeps } from './coordinator-deps.ts';
import { updateOperation, type OperationInput } from './operation-log.ts';
import { resumeJob } from './resume-job.ts';
import { sayingWhatIsStuck } from './turn-event-sources.ts';

export async function finishRestore(deps: CoordinatorDeps, input: OperationInput & { readonly attempt: Attempt }): Promise<void> {
  await sayingWhatIsStuck(deps, input, () => resumeJob(deps, input));
  await updateOperation(deps, input, { status: 'COMPLETED', progress: { attempt: input.attempt } });
}
