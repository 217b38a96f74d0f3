/** What every store of the local runner is given. */
import type { Clock, Random, Timers } from '../../ports/system.ts';
import type { Mutation } from './mutation.ts';

/** Where mutations go after they have been applied. `undefined` = there is nothing to wait for. */
export interface Journal {
  append(mutation: Mutation): void;
  /** Until all that was appended is as safe as a commit has to be. */
  committed(): Promise<void> | undefined;
  /** Until the journal can take more: keeps writers from outrunning the disk. */
  room(): Promise<void> | undefined;
}

export interface StoreContext {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly journal: Journal;
  /**
   * Stored records are shared with callers by reference and immutable by contract: copying them would cost more than storing them. Tests pass a
   * deep freeze, which turns a breach into an error.
   */
  readonly protect: <T>(value: T) => T;
}

/** Memory only: nothing to write, nothing to wait for. */
export const volatileJournal: Journal = {
  append: () => undefined,
  committed: () => undefined,
  room: () => undefined,
};
