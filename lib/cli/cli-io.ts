/** What the commands see of the process they run in, so that tests can stand in for it. */
import type { Clock, Random, Timers } from '../ports/system.ts';

export type StopSignal = 'SIGINT' | 'SIGTERM';

export interface CliIo {
  /** Results: what a caller may want to pipe. */
  readonly out: (text: string) => void;
  /** Progress, logs and errors. */
  readonly err: (text: string) => void;
  /** Whether `err` is a terminal: progress is then written in place. */
  readonly isTerminal: boolean;
  /** Columns of that terminal. */
  readonly columns: () => number;
  readonly folder: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  /** Calls back for every signal that comes, until the returned function is called. */
  readonly onStop: (listener: (signal: StopSignal) => void) => () => void;
  /** Writes down what Node has compiled so far: at the end it does so by itself, but a run may be killed. */
  readonly keepCompiled: () => void;
  /** Ends the process at once, without cleaning up. */
  readonly kill: (exitCode: number) => void;
}
