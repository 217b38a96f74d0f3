/** The only sources of time, chance and waiting. */
export interface Clock {
  /** Milliseconds since 1970. May jump; no decision of the protocol hangs on it alone. */
  now(): number;
  /** Milliseconds that never go back, for measuring. */
  monotonic(): number;
}

export interface Random {
  /** `digits` lower-case hex digits. */
  hex(digits: number): string;
  /** 0 ≤ x < 1. */
  fraction(): number;
}

/** Takes back what `after` asked for; without effect once it has happened. */
export type CancelTimer = () => void;

/** The only way to wait inside a process. May wake late, and a millisecond early: who waits for a time looks at the clock again. */
export interface Timers {
  /** Calls `wake` once, later, never from within the call itself. */
  after(delayMs: number, wake: () => void): CancelTimer;
}

/** Wakes somebody later, at least once, in any order. */
export interface Delay {
  /** Sends `body` to `queue` and `group` at `dueAtMs` or somewhat later. */
  schedule(wakeUp: {
    readonly queue: string;
    readonly group: string;
    readonly deduplicationId: string;
    readonly body: Uint8Array;
    readonly dueAtMs: number;
  }): Promise<void>;
}

/** Answers the task token that a flow waits on. */
export interface CoordinatorSignal {
  succeed(token: string, output: unknown): Promise<'taken' | 'gone'>;
  fail(token: string, error: { readonly code: string; readonly cause: string }): Promise<'taken' | 'gone'>;
}

/** Starts a flow under a name that can be used once. */
export interface FlowStarter {
  start(flow: string, name: string, input: unknown): Promise<'started' | 'exists'>;
  isRunning(name: string): Promise<boolean>;
}

export interface Logger {
  log(level: 'debug' | 'info' | 'warn' | 'error', message: string, facts?: Readonly<Record<string, unknown>>): void;
}

/** Counters and timings; names in lib/base are not needed, they are Flink's where Flink has them. */
export interface Metrics {
  count(name: string, by: number, labels?: Readonly<Record<string, string>>): void;
  gauge(name: string, value: number, labels?: Readonly<Record<string, string>>): void;
}
