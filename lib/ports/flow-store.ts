/**
 * Executions of coordinator flows, where no Step Functions keeps them. Names are used once; of ended executions the newest are kept
 * (limits.flowExecutionsKept), which is long after anybody could want to use a name again.
 */
export interface FlowExecution {
  readonly name: string;
  readonly flow: string;
  readonly status: 'RUNNING' | 'SUCCEEDED' | 'FAILED';
  /** Current state of the flow description and the execution's JSON data. */
  readonly state: string;
  readonly data: unknown;
  /** Token that the current task waits for, and until when; a `Wait` has only the time. */
  readonly token: string | null;
  readonly dueAtMs: number | null;
  readonly retries: number;
  readonly startedAtMs: number;
}

export interface FlowStore {
  create(execution: FlowExecution): Promise<'created' | 'exists'>;
  save(execution: FlowExecution): Promise<void>;
  read(name: string): Promise<FlowExecution | undefined>;
  running(): Promise<readonly FlowExecution[]>;
}
