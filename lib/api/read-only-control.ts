import type { JobControl, JobReads } from './job-control.ts';
import { RequestProblem } from './request-problem.ts';

/** For a server that has no right to change a job: what would, is refused before anything else. */
export function readOnlyControl(reads: JobReads): JobControl {
  const refuse = async (): Promise<never> => {
    const text = 'SLUICE-API-READ-ONLY: this server only answers questions; changes of a job go to its own function.';
    throw new RequestProblem(403, 'SLUICE-API-READ-ONLY', [text]);
  };
  return {
    ...reads,
    triggerSavepoint: refuse,
    triggerStop: refuse,
    triggerCheckpoint: refuse,
    changeCheckpointSettings: refuse,
    cancel: refuse,
    triggerRestore: refuse,
    previewRestore: refuse,
  };
}
