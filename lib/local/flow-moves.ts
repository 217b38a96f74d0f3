/**
 * Where an execution goes next: the rules of Step Functions as pure functions of what is stored (invariants in flow-interpreter.ts).
 */
import { invariant } from '../base/invariant.ts';
import type { FlowState, TaskState } from '../coordinator/flow.ts';
import type { RetryRule } from '../coordinator/flow-rules.ts';
import type { FlowExecution } from '../ports/flow-store.ts';
import { contextOf, isPresent, readPath, writePath } from './flow-path.ts';

/** In the names that Step Functions gives it. */
interface FlowError {
  readonly Error: string;
  readonly Cause: string;
}

export type TaskOutcome = { readonly result: unknown } | { readonly error: FlowError };

/** From here on a rule means "until it works" and its retries are not counted against the rules beside it. */
const unlimitedAttempts = 1_000_000;

/** What a state without a task leads to; for a wait, the time it waits for. */
export function passThrough(execution: FlowExecution, state: Exclude<FlowState, TaskState>): FlowExecution {
  switch (state.type) {
    case 'wait':
      return { ...execution, dueAtMs: isoTime(readPath(state.timestampPath, contextOf(execution))) };
    case 'choice': {
      const context = contextOf(execution);
      const chosen = state.choices.find((rule) =>
        'equals' in rule ? readPath(rule.path, context) === rule.equals : isPresent(rule.path, context),
      );
      return moveTo(execution, chosen?.next ?? state.otherwise, execution.data);
    }
    case 'succeed':
      return { ...execution, status: 'SUCCEEDED' };
    case 'fail': {
      const error: FlowError = { Error: state.error, Cause: String(readPath(state.causePath, contextOf(execution))) };
      return { ...execution, status: 'FAILED', data: writePath('$.error', execution.data, error) };
    }
  }
}

export function moveTo(execution: FlowExecution, state: string, data: unknown): FlowExecution {
  return { ...execution, state, data, token: null, dueAtMs: null, retries: 0 };
}

/** The token has the time in it: an answer to an earlier try of the task must not count for a later one. */
export function withToken(execution: FlowExecution, state: TaskState, nowMs: number): FlowExecution {
  const { timeoutSeconds, timeoutSecondsPath } = state;
  const seconds = timeoutSecondsPath === undefined ? timeoutSeconds : (readPath(timeoutSecondsPath, contextOf(execution)) as number);
  const token = `${execution.name}/${execution.state}/${execution.retries}/${nowMs}`;
  return { ...execution, token, dueAtMs: seconds === undefined ? null : nowMs + seconds * 1_000 };
}

export function taskEnded(execution: FlowExecution, state: TaskState, outcome: TaskOutcome, nowMs: number): FlowExecution {
  return 'error' in outcome ? taskFailed(execution, state, outcome.error, nowMs) : taskSucceeded(execution, state, outcome.result);
}

function taskSucceeded(execution: FlowExecution, state: TaskState, result: unknown): FlowExecution {
  const data = state.resultPath === null ? execution.data : writePath(state.resultPath, execution.data, result);
  return state.next === undefined
    ? { ...moveTo(execution, execution.state, data), status: 'SUCCEEDED' }
    : moveTo(execution, state.next, data);
}

function taskFailed(execution: FlowExecution, state: TaskState, error: FlowError, nowMs: number): FlowExecution {
  const rule = state.retry.find(({ errors }) => matches(errors, error.Error));
  const unlimited = rule !== undefined && rule.maxAttempts >= unlimitedAttempts;
  if (rule !== undefined && (unlimited || execution.retries < rule.maxAttempts)) {
    const retries = execution.retries + (unlimited ? 0 : 1);
    return { ...execution, token: null, retries, dueAtMs: nowMs + delayOf(rule, execution.retries) };
  }
  const caught = state.catch.find(({ errors }) => matches(errors, error.Error));
  if (caught !== undefined) return moveTo(execution, caught.next, writePath(caught.resultPath, execution.data, error));
  return { ...execution, status: 'FAILED', token: null, dueAtMs: null, data: writePath('$.error', execution.data, error) };
}

function matches(errors: readonly string[], error: string): boolean {
  return errors.includes('States.ALL') || errors.includes(error) || (errors.includes('States.TaskFailed') && error !== 'States.Timeout');
}

function delayOf({ intervalSeconds, backoffRate, maxDelaySeconds }: RetryRule, retries: number): number {
  return Math.min(intervalSeconds * backoffRate ** retries, maxDelaySeconds) * 1_000;
}

function isoTime(value: unknown): number {
  const time = Date.parse(String(value));
  invariant(!Number.isNaN(time), 'FI3', `${String(value)} is no time`);
  return time;
}
