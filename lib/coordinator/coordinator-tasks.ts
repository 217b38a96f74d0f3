/** The handlers of the flows' tasks, by name. Input is what the flow's template makes; flow-descriptions.ts says what that is. */
import { abortCheckpoint, type AbortInput } from './abort-checkpoint.ts';
import { cancelJob } from './cancel-job.ts';
import { checkRestore } from './check-restore.ts';
import { collectGarbage } from './collect-garbage.ts';
import { completeCheckpoint, type CompleteInput } from './complete-checkpoint.ts';
import type { CoordinatorDeps } from './coordinator-deps.ts';
import { exportSavepoint, prepareSavepoint } from './export-savepoint.ts';
import { failRestore } from './fail-restore.ts';
import { finishRestore } from './finish-restore.ts';
import { failSavepoint, finishSavepoint } from './finish-savepoint.ts';
import { importSavepoint } from './import-savepoint.ts';
import { failManual, finishManual } from './manual-checkpoint.ts';
import { askForRestore, preview } from './restore-by-hand.ts';
import { askForSavepoint, askForStop } from './savepoint-by-hand.ts';
import { commitStop, recoverStop } from './stop-job.ts';
import { startImported } from './start-imported.ts';
import { sweep } from './sweep.ts';
import { switchRestore } from './switch-restore.ts';
import { triggerCheckpoint, type TriggerInput } from './trigger-checkpoint.ts';
import { turnEventSources } from './turn-event-sources.ts';

type Step<Input> = (deps: CoordinatorDeps, input: Input) => Promise<unknown>;
type Handler = (input: unknown) => Promise<unknown>;

/** The one place where a flow's JSON is taken for what its template promises. */
function handler<Input>(deps: CoordinatorDeps, step: Step<Input>): Handler {
  return (input) => step(deps, input as Input);
}

export function coordinatorTasks(deps: CoordinatorDeps): Readonly<Record<string, Handler>> {
  return {
    'trigger-checkpoint': handler<TriggerInput>(deps, triggerCheckpoint),
    'complete-checkpoint': handler<CompleteInput>(deps, completeCheckpoint),
    'abort-checkpoint': handler<AbortInput>(deps, abortCheckpoint),
    'finish-manual': handler(deps, finishManual),
    'fail-manual': handler(deps, failManual),
    'ask-for-savepoint': handler(deps, askForSavepoint),
    'ask-for-stop': handler(deps, askForStop),
    'prepare-savepoint': handler(deps, prepareSavepoint),
    'export-savepoint': handler(deps, exportSavepoint),
    'finish-savepoint': handler(deps, finishSavepoint),
    'fail-savepoint': handler(deps, failSavepoint),
    'commit-stop': handler(deps, commitStop),
    'recover-stop': handler(deps, recoverStop),
    'cancel-job': handler(deps, cancelJob),
    'ask-for-restore': handler(deps, askForRestore),
    'preview-restore': handler(deps, preview),
    'check-restore': handler(deps, checkRestore),
    'import-savepoint': handler(deps, importSavepoint),
    'start-imported': handler(deps, startImported),
    'switch-restore': handler(deps, switchRestore),
    'resume-job': handler(deps, finishRestore),
    'fail-restore': handler(deps, failRestore),
    sweep: handler(deps, sweep),
    'collect-garbage': handler(deps, collectGarbage),
    'turn-event-sources': handler(deps, turnEventSources),
  };
}
