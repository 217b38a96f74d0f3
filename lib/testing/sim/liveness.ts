/**
 * Once everything works a checkpoint completes within two intervals and one visibility timeout: the first interval may be in vain, and a message may have been
 * taken just before by somebody who is gone. What was pending then may take its own timeout first, and what no flow waits for a sweep. An idle job completes
 * none.
 */
import type { CheckpointId } from '../../base/ids.ts';
import type { JobRecord } from '../../model/job-record.ts';

/** The calls that it takes. */
const callsMs = 1_500;
/** A checkpoint that is over its time is left to its own flow for a while, and a sweep may just have looked. */
const sweepLaterMs = 10_000;

export interface LivenessOptions {
  readonly visibilityMs: number;
  readonly sweepMs: number;
  /** Settings of checkpoints as they are. */
  readonly checkpoints: () => { readonly intervalMs: number; readonly timeoutMs: number };
  /** Whether a flow of that name is at work. */
  readonly isRunning: (flow: string) => Promise<boolean>;
}

interface Beginning {
  readonly life: string;
  readonly atMs: number;
  readonly completed: CheckpointId;
  allowedMs: number;
}

export class Liveness {
  readonly #options: LivenessOptions;
  /** Since when this attempt of the job has had nothing in its way. */
  #begun: Beginning | null = null;
  #isShown = false;

  constructor(options: LivenessOptions) {
    this.#options = options;
  }

  /** `nowMs`: while everything works. */
  async look({ job, attempt, status, completed, dirtyEpoch, pending }: JobRecord, nowMs: number): Promise<readonly string[]> {
    const { visibilityMs, sweepMs, checkpoints, isRunning } = this.#options;
    const { intervalMs, timeoutMs } = checkpoints();
    const life = `${job} ${attempt}`;
    if (this.#begun?.life !== life) {
      this.#begun = { life, atMs: nowMs, completed, allowedMs: pending.length === 0 ? 0 : timeoutMs };
      this.#isShown = false;
    }
    const isIdle = dirtyEpoch <= completed && pending.length === 0;
    this.#isShown ||= status !== 'RUNNING' || completed > this.#begun.completed || isIdle;
    if (this.#isShown) return [];
    const tookMs = nowMs - this.#begun.atMs;
    const boundMs = 2 * intervalMs + visibilityMs + callsMs + this.#begun.allowedMs;
    if (tookMs <= boundMs) return [];
    const alive = await Promise.all(pending.map(({ flow }) => isRunning(flow)));
    if (alive.includes(false) && this.#begun.allowedMs <= timeoutMs) {
      this.#begun.allowedMs = 2 * timeoutMs + sweepMs + sweepLaterMs;
      return [];
    }
    return [`no checkpoint has completed in attempt ${attempt} of job ${job} for ${tookMs} ms, though everything works`];
  }
}
