/**
 * Flows as data: what a Step Functions definition can express, and nothing else, so that the same description becomes one (infra) or is interpreted
 * (lib/local/flow-interpreter.ts). States and fields map one to one to the Amazon States Language.
 *
 * Paths: `$.a.b` is the execution's data, `$$.Execution.Name` and `$$.Task.Token` the context. A template's field whose name ends in `.$` takes the value
 * of a path, any other is a constant.
 */
import type { CatchRule, ChoiceRule, Path, RetryRule, Template } from './flow-rules.ts';

export interface TaskState<Task extends string = string> {
  readonly type: 'task';
  readonly task: Task;
  readonly parameters: Template;
  /** The task's result is what is sent with its token, not what the handler returns. */
  readonly waitForToken?: true;
  readonly timeoutSeconds?: number;
  readonly timeoutSecondsPath?: Path;
  /** null = the result is dropped. */
  readonly resultPath: Path | null;
  readonly retry: readonly RetryRule[];
  readonly catch: readonly CatchRule[];
  /** Absent = the execution ends here. */
  readonly next?: string;
}

export type FlowState<Task extends string = string> =
  | TaskState<Task>
  /** `timestampPath` leads to an ISO time. */
  | { readonly type: 'wait'; readonly timestampPath: Path; readonly next: string }
  | {
      readonly type: 'choice';
      readonly choices: readonly ChoiceRule[];
      readonly otherwise: string;
    }
  | { readonly type: 'succeed' }
  | { readonly type: 'fail'; readonly error: string; readonly causePath: Path };

export interface Flow<Task extends string = string> {
  readonly name: string;
  readonly startAt: string;
  readonly states: Readonly<Record<string, FlowState<Task>>>;
}
