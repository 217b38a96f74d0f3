/**
 * The coordinator's flows. Who starts which: start-checkpoint.ts (checkpoint), manual-checkpoint.ts (manual-checkpoint),
 * savepoint-requests.ts (savepoint, stop), restore-requests.ts (restore),
 * cancel-job.ts (cancel), arm-sweep.ts (sweep, collect), turn-event-sources.ts (event-sources).
 *
 * FD1. A successful checkpoint takes three states: wait, trigger, complete. Everything else is on the paths of failure.
 * FD2. What a flow's data holds is small and bounded: progress of exports and imports is stored by their steps.
 */
import { failureReasons } from '../checkpoint/failure-reason.ts';
import type { Flow, TaskState } from './flow.ts';
import type { CatchRule, Path, RetryRule, Template } from './flow-rules.ts';

export type TaskName =
  | 'trigger-checkpoint'
  | 'complete-checkpoint'
  | 'abort-checkpoint'
  | 'finish-manual'
  | 'fail-manual'
  | 'ask-for-savepoint'
  | 'ask-for-stop'
  | 'prepare-savepoint'
  | 'export-savepoint'
  | 'finish-savepoint'
  | 'commit-stop'
  | 'recover-stop'
  | 'fail-savepoint'
  | 'cancel-job'
  | 'ask-for-restore'
  | 'preview-restore'
  | 'check-restore'
  | 'import-savepoint'
  | 'start-imported'
  | 'switch-restore'
  | 'resume-job'
  | 'fail-restore'
  | 'sweep'
  | 'collect-garbage'
  | 'turn-event-sources';

/** Not yet: at the limit of concurrent checkpoints, or too early after a jump of the clock. */
export const postponed = 'SLUICE-POSTPONED';

/** What a second try cannot mend: a shard's or a person's no, and a timeout that was long enough. */
const never: RetryRule = {
  errors: [
    'States.Timeout',
    'SLUICE-REFUSED',
    'SLUICE-RESTORE-INPUT',
    'SLUICE-SAVEPOINT-INPUT',
    'SLUICE-JOB-UNKNOWN',
    'SLUICE-JOB-ENDED',
    'SLUICE-CHECKPOINTS-LOST',
    'SLUICE-FOLDER-UNUSABLE',
    'SLUICE-INVARIANT',
    ...failureReasons,
  ],
  intervalSeconds: 1,
  maxAttempts: 0,
  backoffRate: 1,
  maxDelaySeconds: 1,
};
const untilPossible: RetryRule = { errors: [postponed], intervalSeconds: 1, maxAttempts: 1_000_000, backoffRate: 1, maxDelaySeconds: 1 };
const untilPublished: RetryRule = { ...untilPossible, errors: ['SLUICE-PUBLISH-FAILED'] };
/** Lambda itself did not take the call: throttled, which a job under load may bring about by itself, or out of order for a moment. */
const untilCalled: RetryRule = {
  errors: ['TooManyRequests', 'Service', 'AWSLambda', 'SdkClient', 'ClientExecutionTimeout'].map((name) => `Lambda.${name}Exception`),
  intervalSeconds: 2,
  maxAttempts: 12,
  backoffRate: 2,
  maxDelaySeconds: 60,
};
const someTimes: RetryRule = { errors: ['States.ALL'], intervalSeconds: 1, maxAttempts: 4, backoffRate: 2, maxDelaySeconds: 30 };
/** For what is decided and must happen: publication, the ends of jobs, restores after their switch. */
const untilDone: RetryRule = { errors: ['States.ALL'], intervalSeconds: 1, maxAttempts: 1_000_000, backoffRate: 1, maxDelaySeconds: 1 };

function task(
  name: TaskName,
  parameters: Template,
  resultPath: Path | null,
  next: string | null,
  options: Partial<TaskState<TaskName>> = {},
): TaskState<TaskName> {
  return {
    type: 'task',
    task: name,
    parameters,
    resultPath,
    retry: [never, untilPublished, untilCalled, someTimes],
    catch: [],
    ...(next === null ? {} : { next }),
    ...options,
  };
}

function onError(next: string): readonly CatchRule[] {
  return [{ errors: ['States.ALL'], resultPath: '$.error', next }];
}

const job = { 'job.$': '$.job' };
const flow = { 'flow.$': '$$.Execution.Name' };
const operation = { ...job, 'trigger.$': '$.trigger', ...flow };

function trigger(kind: Template, next: string, onFailure: string): TaskState<TaskName> {
  const parameters = { ...job, ...flow, 'token.$': '$$.Task.Token', ...kind };
  return task('trigger-checkpoint', parameters, '$.triggered', next, {
    waitForToken: true,
    timeoutSecondsPath: '$.timeoutSeconds',
    retry: [untilPossible, never, untilCalled, someTimes],
    catch: onError(onFailure),
  });
}

const completeParameters = { ...job, ...flow, 'checkpoint.$': '$.triggered.checkpoint', 'attempt.$': '$.triggered.attempt' };
const abortParameters = { ...job, ...flow, 'error.$': '$.error' };

const checkpointFlow: Flow<TaskName> = {
  name: 'checkpoint',
  startAt: 'WaitForInterval',
  states: {
    WaitForInterval: { type: 'wait', timestampPath: '$.dueAt', next: 'Trigger' },
    Trigger: trigger({ kind: 'checkpoint', 'attempt.$': '$.attempt' }, 'Complete', 'AbortTrigger'),
    Complete: task('complete-checkpoint', completeParameters, null, null, { catch: onError('AbortComplete') }),
    AbortTrigger: task('abort-checkpoint', { ...abortParameters, phase: 'trigger' }, null, null, { retry: [untilDone] }),
    AbortComplete: task('abort-checkpoint', { ...abortParameters, phase: 'complete' }, null, null, { retry: [untilDone] }),
  },
};

/** Asked for by a person, who is told how it went. */
const manualCheckpointFlow: Flow<TaskName> = {
  name: 'manual-checkpoint',
  startAt: 'Trigger',
  states: {
    Trigger: trigger({ kind: 'checkpoint', manual: true }, 'Complete', 'AbortTrigger'),
    Complete: task('complete-checkpoint', completeParameters, null, 'Finish', { catch: onError('AbortComplete') }),
    Finish: task('finish-manual', { ...operation, 'checkpoint.$': '$.triggered.checkpoint' }, null, null, { retry: [untilDone] }),
    AbortTrigger: task('abort-checkpoint', { ...abortParameters, phase: 'trigger' }, null, 'Fail', { retry: [untilDone] }),
    AbortComplete: task('abort-checkpoint', { ...abortParameters, phase: 'complete' }, null, 'Fail', { retry: [untilDone] }),
    Fail: task('fail-manual', { ...operation, 'error.$': '$.error' }, null, 'Failed', { retry: [untilDone] }),
    Failed: { type: 'fail', error: 'CheckpointFailed', causePath: '$.error.Cause' },
  },
};

/** A person may start it with no more than a job: what comes from the API has been asked for already. */
const asking = (name: TaskName, next: string, afterAsking = next): Flow<TaskName>['states'] => ({
  AskedFor: { type: 'choice', choices: [{ path: '$.trigger', isPresent: true, next }], otherwise: 'Ask' },
  Ask: task(name, { 'input.$': '$', ...flow, 'execution.$': '$$.Execution.Id' }, '$', afterAsking),
});

/** Before anything is asked of the job: a stop that could never be written would end its sources for nothing. */
const prepare = task('prepare-savepoint', operation, null, 'Trigger', { catch: onError('Fail') });

const exportLoop = (next: string, onFailure: string): Flow<TaskName>['states'] => ({
  Complete: task('complete-checkpoint', completeParameters, '$.completed', 'Export', { catch: onError(onFailure) }),
  Export: task('export-savepoint', { ...operation, 'checkpoint.$': '$.triggered.checkpoint' }, '$.progress', 'Exported', {
    catch: onError(onFailure),
  }),
  Exported: { type: 'choice', choices: [{ path: '$.progress.done', equals: true, next }], otherwise: 'Export' },
});

const savepointFlow: Flow<TaskName> = {
  name: 'savepoint',
  startAt: 'AskedFor',
  states: {
    ...asking('ask-for-savepoint', 'Prepare'),
    Prepare: prepare,
    Trigger: trigger({ kind: 'savepoint', 'then.$': '$.then' }, 'Complete', 'Fail'),
    ...exportLoop('Finish', 'Fail'),
    Finish: task('finish-savepoint', operation, null, null, { retry: [untilDone] }),
    Fail: task('fail-savepoint', { ...operation, 'error.$': '$.error' }, null, 'Failed', { retry: [untilDone] }),
    Failed: { type: 'fail', error: 'SavepointFailed', causePath: '$.error.Cause' },
  },
};

/** A failure after the stop order restores what can go on: some sources have ended for it. */
const stopFlow: Flow<TaskName> = {
  name: 'stop',
  startAt: 'AskedFor',
  states: {
    ...asking('ask-for-stop', 'Prepare'),
    Prepare: prepare,
    Trigger: trigger({ kind: 'stop-savepoint', 'stop.$': '$.stop' }, 'Complete', 'Recover'),
    ...exportLoop('Commit', 'Recover'),
    Commit: task('commit-stop', { ...operation, ...completeParameters }, null, 'Finish', {
      retry: [never, untilDone],
      catch: onError('Recover'),
    }),
    Finish: task('finish-savepoint', operation, null, null, { retry: [untilDone] }),
    Recover: task('recover-stop', { ...operation, 'stop.$': '$.stop' }, null, 'Fail', { retry: [untilDone] }),
    Fail: task('fail-savepoint', { ...operation, 'error.$': '$.error' }, null, 'Failed', { retry: [untilDone] }),
    Failed: { type: 'fail', error: 'StopWithSavepointFailed', causePath: '$.error.Cause' },
  },
};

const cancelFlow: Flow<TaskName> = {
  name: 'cancel',
  startAt: 'Cancel',
  states: { Cancel: task('cancel-job', job, null, null, { retry: [untilDone] }) },
};

/** Until the switch nothing of the running job changes; after it there is no way back, and the rest is done by whoever meets it. */
const restoreFlow: Flow<TaskName> = {
  name: 'restore',
  startAt: 'AskedFor',
  states: {
    ...asking('ask-for-restore', 'Check', 'DryRun'),
    DryRun: { type: 'choice', choices: [{ path: '$.dryRun', equals: true, next: 'Preview' }], otherwise: 'Check' },
    Preview: task('preview-restore', { 'input.$': '$.input' }, '$.preview', null),
    Check: task('check-restore', operation, '$.checked', 'FromWhere', { catch: onError('Fail') }),
    FromWhere: { type: 'choice', choices: [{ path: '$.checked.from', equals: 'savepoint', next: 'Import' }], otherwise: 'Switch' },
    Import: task('import-savepoint', operation, '$.progress', 'Imported', { catch: onError('Fail') }),
    Imported: { type: 'choice', choices: [{ path: '$.progress.done', equals: true, next: 'Start' }], otherwise: 'Import' },
    Start: task('start-imported', operation, '$.switched', 'Resume', { catch: onError('Fail') }),
    Switch: task('switch-restore', operation, '$.switched', 'Resume', { catch: onError('Fail') }),
    Resume: task('resume-job', { ...operation, 'attempt.$': '$.switched.attempt' }, null, null, { retry: [untilDone] }),
    Fail: task('fail-restore', { ...operation, 'error.$': '$.error' }, null, 'Failed', { retry: [untilDone] }),
    Failed: { type: 'fail', error: 'RestoreFailed', causePath: '$.error.Cause' },
  },
};

const sweepFlow: Flow<TaskName> = {
  name: 'sweep',
  startAt: 'Wait',
  states: {
    Wait: { type: 'wait', timestampPath: '$.next.at', next: 'Sweep' },
    Sweep: task('sweep', job, '$.next', 'Again', { retry: [untilDone] }),
    Again: { type: 'choice', choices: [{ path: '$.next.again', equals: true, next: 'Wait' }], otherwise: 'Done' },
    Done: { type: 'succeed' },
  },
};

const collectFlow: Flow<TaskName> = {
  name: 'collect',
  startAt: 'Collect',
  states: { Collect: task('collect-garbage', job, null, null) },
};

/** When a job has ended: nothing asks for its messages any more. */
const eventSourcesFlow: Flow<TaskName> = {
  name: 'event-sources',
  startAt: 'Turn',
  states: { Turn: task('turn-event-sources', job, null, null, { retry: [untilDone] }) },
};

export const flowDescriptions: readonly Flow<TaskName>[] = [
  checkpointFlow,
  manualCheckpointFlow,
  savepointFlow,
  stopFlow,
  cancelFlow,
  restoreFlow,
  sweepFlow,
  collectFlow,
  eventSourcesFlow,
];
