/** What the states of a flow are made of. See flow.ts. */
export type Path = `$${string}`;

export type Template = Readonly<Record<string, unknown>>;

/** Either what stands at the path, or that something does. */
export type ChoiceRule =
  | { readonly path: Path; readonly equals: string | number | boolean; readonly next: string }
  | { readonly path: Path; readonly isPresent: true; readonly next: string };

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
