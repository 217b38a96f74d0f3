/**
 * A flow description as a definition in the Amazon States Language (JSONPath). The local interpreter runs the same description; what it cannot express
 * does not exist (lib/coordinator/flow.ts).
 *
 * SL1. Tasks without a token name the function itself as their resource: the error's name that the function throws is the error that Retry and Catch match.
 * SL2. What is tried for as long as it takes is tried ever more seldom: an execution has 25,000 events (Step Functions quota), and each try costs.
 */
import type { Flow, FlowState, TaskState } from '../lib/coordinator/flow.ts';
import type { ChoiceRule, RetryRule } from '../lib/coordinator/flow-rules.ts';

export interface StatesDefinition {
  readonly Comment: string;
  readonly StartAt: string;
  readonly States: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

/** Retries of `untilDone` and the like (flow-descriptions.ts); Step Functions takes up to 99,999,999 attempts. */
const unlimitedAttempts = 1_000_000;
const longestDelaySeconds = 300;

/** `tasksArn`: of the function that does all steps; `partition`: of AWS. */
export interface StatesOptions {
  readonly comment: string;
  readonly tasksArn: string;
  readonly partition: string;
}

export function statesDefinition(flow: Flow, { comment, ...options }: StatesOptions): StatesDefinition {
  const states = Object.entries(flow.states).map(([name, state]) => [name, stateOf(state, options)] as const);
  return { Comment: comment, StartAt: flow.startAt, States: Object.fromEntries(states) };
}

function stateOf(state: FlowState, options: Omit<StatesOptions, 'comment'>): Readonly<Record<string, unknown>> {
  switch (state.type) {
    case 'task':
      return taskOf(state, options);
    case 'wait':
      return { Type: 'Wait', TimestampPath: state.timestampPath, Next: state.next };
    case 'choice':
      return { Type: 'Choice', Choices: state.choices.map(choiceOf), Default: state.otherwise };
    case 'succeed':
      return { Type: 'Succeed' };
    case 'fail':
      return { Type: 'Fail', Error: state.error, CausePath: state.causePath };
  }
}

function choiceOf({ path, next, ...rule }: ChoiceRule) {
  if ('isPresent' in rule) return { Variable: path, IsPresent: true, Next: next };
  const { equals } = rule;
  const comparison = { string: 'StringEquals', number: 'NumericEquals', boolean: 'BooleanEquals' }[typeof equals as 'string'];
  return { Variable: path, [comparison]: equals, Next: next };
}

function taskOf(state: TaskState, { tasksArn, partition }: Omit<StatesOptions, 'comment'>): Readonly<Record<string, unknown>> {
  const { task, parameters, waitForToken, timeoutSeconds, timeoutSecondsPath, resultPath, retry, next } = state;
  const payload = { task, input: parameters };
  return {
    Type: 'Task',
    ...(waitForToken === true
      ? {
          Resource: `arn:${partition}:states:::lambda:invoke.waitForTaskToken`,
          Parameters: { FunctionName: tasksArn, Payload: payload },
        }
      : { Resource: tasksArn, Parameters: payload }),
    ...(timeoutSeconds === undefined ? {} : { TimeoutSeconds: timeoutSeconds }),
    ...(timeoutSecondsPath === undefined ? {} : { TimeoutSecondsPath: timeoutSecondsPath }),
    ResultPath: resultPath,
    ...(retry.length === 0 ? {} : { Retry: retry.map(retryOf) }),
    ...(state.catch.length === 0
      ? {}
      : {
          Catch: state.catch.map(({ errors, resultPath: errorPath, next: handler }) => ({
            ErrorEquals: errors,
            ResultPath: errorPath,
            Next: handler,
          })),
        }),
    ...(next === undefined ? { End: true } : { Next: next }),
  };
}

function retryOf({ errors, intervalSeconds, maxAttempts, backoffRate, maxDelaySeconds }: RetryRule): Readonly<Record<string, unknown>> {
  if (maxAttempts === 0) return { ErrorEquals: errors, MaxAttempts: 0 };
  const isUnlimited = maxAttempts >= unlimitedAttempts;
  return {
    ErrorEquals: errors,
    IntervalSeconds: intervalSeconds,
    MaxAttempts: maxAttempts,
    BackoffRate: isUnlimited ? Math.max(backoffRate, 1.5) : backoffRate,
    MaxDelaySeconds: isUnlimited ? longestDelaySeconds : maxDelaySeconds,
    JitterStrategy: 'FULL',
  };
}
