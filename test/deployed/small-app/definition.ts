/** One machine for all that is asked of Step Functions: the input's `scenario` says what is done. */
const handler = '${Handler}';
const withToken = 'arn:aws:states:::lambda:invoke.waitForTaskToken';

const caught = (name: string) => [{ ErrorEquals: [name], ResultPath: '$.error', Next: 'Caught' }];
const tokenTask = (act: string) => ({
  Type: 'Task',
  Resource: withToken,
  Parameters: {
    FunctionName: handler,
    Payload: { act, 'execution.$': '$$.Execution.Name', 'token.$': '$$.Task.Token', 'retry.$': '$$.State.RetryCount' },
  },
  ResultPath: '$.result',
  End: true,
});
const plainTask = (act: string) => ({
  Type: 'Task',
  Resource: handler,
  Parameters: { act, 'execution.$': '$$.Execution.Name', 'retry.$': '$$.State.RetryCount' },
  ResultPath: '$.result',
  End: true,
});

const scenarios = {
  throw: { ...plainTask('throw'), Catch: caught('BarrierLost') },
  'token-throw': { ...tokenTask('throw'), TimeoutSeconds: 15, Catch: caught('BarrierLost') },
  'token-early': { ...tokenTask('note-and-sleep'), TimeoutSeconds: 15 },
  heartbeat: { ...tokenTask('note'), TimeoutSeconds: 15, HeartbeatSeconds: 4, Catch: caught('States.HeartbeatTimeout') },
  'timeout-path': { ...tokenTask('note'), TimeoutSecondsPath: '$.timeoutSeconds', Catch: caught('States.Timeout') },
  'token-again': {
    ...tokenTask('note'),
    TimeoutSeconds: 3,
    Retry: [{ ErrorEquals: ['States.Timeout'], IntervalSeconds: 1, MaxAttempts: 3, BackoffRate: 1 }],
  },
  'short-pauses': {
    ...plainTask('throw'),
    Retry: [{ ErrorEquals: ['BarrierLost'], IntervalSeconds: 1, BackoffRate: 20, MaxDelaySeconds: 2, MaxAttempts: 2 }],
    Catch: caught('BarrierLost'),
  },
  forbidden: plainTask('forbidden'),
  batch: plainTask('batch'),
} as const;

export type Scenario = keyof typeof scenarios;

export const definition = {
  StartAt: 'Which',
  States: {
    Which: {
      Type: 'Choice',
      Choices: Object.keys(scenarios).map((name) => ({ Variable: '$.scenario', StringEquals: name, Next: name })),
    },
    ...scenarios,
    Caught: { Type: 'Succeed' },
  },
};
