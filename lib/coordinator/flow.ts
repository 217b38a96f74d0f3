/**
 * Flows as data: what a Step Functions definition can express, and nothing else, so that the same description becomes one (infra) or is interpreted
 * (lib/local/flow-interpreter.ts). States and fields map one to one to the Amazon States Language.
 *
 * Paths: `$.a.b` is the execution's data, `$$.Execution.Name` and `$$.Task.Token` the context. A template's field whose name ends in `.$` takes the value
 * of a path, any other is a constant.
 */
export type Path = `$${string}`;

export type Template = Readonly<Record<string, unknown>>;

export interface RetryRule {
  /** Error codes; `States.ALL` is every one, `States.Timeout` the task's own. The first rule that names an error counts. */
  readonly errors: readonly string[];
  readonly intervalSeconds: number;
  /** 0 = never again: takes an error out of the rules below. */
  readonly maxAttempts: number;
  readonly backoffRate: number;
  readonly maxDelaySeconds: number;
}

export interface CatchRule {
  readonly errors: readonly string[];
  /** Where `{ Error, Cause }` is put. */
  readonly resultPath: Path;
  readonly next: string;
}

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
      readonly choices: readonly { readonly path: Path; readonly equals: string | number | boolean; readonly next: string }[];
      readonly otherwise: string;
    }
  | { readonly type: 'succeed' }
  | { readonly type: 'fail'; readonly error: string; readonly causePath: Path };

export interface Flow<Task extends string = string> {
  readonly name: string;
  readonly startAt: string;
  readonly states: Readonly<Record<string, FlowState<Task>>>;
}
