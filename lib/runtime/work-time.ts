/**
 * Whether an invocation may begin another step: it ends itself while it can still commit, because who is ended in the midst of a step has done nothing.
 *
 * WT1. The first step is always begun: who could do none would never come further.
 */
import { mutated } from '../base/mutated.ts';
import { NotNowError } from './errors.ts';

/** What is committed counts; the rest is for another invocation, at once. */
export class OutOfTimeError extends NotNowError {
  constructor() {
    super('the time of the invocation is nearly up');
    this.name = 'OutOfTimeError';
  }
}

export class WorkTime {
  readonly #left: (() => number) | undefined;
  readonly #reserveMs: number;
  #leftMs: number;
  #longestMs: number | undefined;

  /** `left`: milliseconds until the invocation is ended; absent: it is not. */
  constructor(left: (() => number) | undefined) {
    this.#left = left;
    this.#leftMs = left?.() ?? 0;
    this.#reserveMs = this.#leftMs * reserveShare;
  }

  /** A step is done. */
  step(): void {
    if (this.#left === undefined) return;
    const leftMs = this.#left();
    this.#longestMs = Math.max(this.#longestMs ?? 0, this.#leftMs - leftMs);
    this.#leftMs = leftMs;
  }

  /** Another step as long as the longest one, or twice as long, would leave nothing for the commit. */
  isNearlyUp(): boolean {
    const longestMs = this.#longestMs ?? (mutated('first-step-refused') ? this.#leftMs : undefined);
    return this.#left !== undefined && longestMs !== undefined && this.#left() < longestMs * 2 + this.#reserveMs;
  }
}

/** For the commit, and for sending what it says. */
const reserveShare = 0.15;
