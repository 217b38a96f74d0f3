/**
 * Once everything works a checkpoint completes within two intervals and one visibility timeout: the first interval may be in vain, and a message may have been
 * taken just before by somebody who is gone. What was pending then may take its own timeout first, a flow that has failed its pause, a step that somebody stands
 * still in another try, and what no flow waits for a sweep. While a shard works with care (careful.ts), record by record, its time does not count. An idle job
 * completes none.
 */
import type { CheckpointId } from '../../base/ids.ts';
import { flowDescriptions } from '../../coordinator/flow-descriptions.ts';
import type { JobRecord } from '../../model/job-record.ts';
import type { FlowExecution } from '../../ports/flow-store.ts';
import { times } from './circumstances.ts';

/** The calls that it takes, of up to 10 ms, and what waits in the queues by then: the longest that 90,000 runs took was 1.9 s with 3 shards, 2.4 s with 9. */
const callsMs = { job: 1_800, shard: 100 };
/** Before the second try of a step. */
const firstPauseMs = 1_000;
/** A checkpoint that is over its time is left to its own flow for a while, and a sweep may just have looked. */
const sweepLaterMs = 10_000;
/** Before the last try of a step that has failed (flow-descriptions.ts). */
const longestPauseMs = 8_000;

/** For up to 64 records, each tried alone behind a commit, which another who takes the batch as well may find and begin again. */
const careMaxMs = 30_000;

/** Of checkpoints with a short timeout, while a backlog is worked off. */
const triesInVain = 6;

export interface LivenessOptions {
  readonly visibilityMs: number;
  readonly sweepMs: number;
  readonly patienceMs: number;
  /** How many shards the job's plan has. */
  readonly shardsOf: (record: JobRecord) => Promise<number>;
  readonly isCareful: (record: JobRecord) => Promise<boolean>;
  /** Settings of checkpoints as they are. */
  readonly checkpoints: () => { readonly intervalMs: number; readonly timeoutMs: number };
  /** Flows that are at work. */
  readonly flows: () => Promise<readonly Pick<FlowExecution, 'name' | 'flow' | 'state' | 'retries'>[]>;
}

interface Beginning {
  readonly life: string;
  readonly atMs: number;
  readonly completed: CheckpointId;
  readonly callsMs: number;
  allowedMs: number;
  seenAtMs: number;
  caredMs: number;
  /** A checkpoint was pending that no flow waited for. */
  isStray: boolean;
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
  async look(record: JobRecord, nowMs: number): Promise<readonly string[]> {
    const { job, attempt, status, completed, dirtyEpoch, pending } = record;
    const { visibilityMs, sweepMs, patienceMs, checkpoints, flows, shardsOf, isCareful } = this.#options;
    const { intervalMs, timeoutMs } = checkpoints();
    const life = `${job} ${attempt}`;
    if (this.#begun?.life !== life) {
      const atWork = await flows();
      const pauseMs = atWork.some(({ retries }) => retries > 0) ? longestPauseMs : 0;
      const stepMs = atWork.some(isInStep) ? times.stall + firstPauseMs : 0;
      const allowedMs = patienceMs + pauseMs + (pending.length === 0 ? stepMs : timeoutMs);
      this.#begun = {
        life,
        atMs: nowMs,
        completed,
        callsMs: callsMs.job + callsMs.shard * (await shardsOf(record)),
        allowedMs,
        seenAtMs: nowMs,
        caredMs: 0,
        isStray: false,
      };
      this.#isShown = false;
    }
    const isIdle = dirtyEpoch <= completed && pending.length === 0;
    this.#isShown ||= status !== 'RUNNING' || completed > this.#begun.completed || isIdle;
    if (this.#isShown) return [];
    const passedMs = nowMs - this.#begun.seenAtMs;
    this.#begun.seenAtMs = nowMs;
    if (this.#begun.caredMs < careMaxMs && (await isCareful(record))) this.#begun.caredMs += passedMs;
    const names = (await flows()).map(({ name }) => name);
    if (!this.#begun.isStray && pending.some(({ flow }) => !names.includes(flow))) {
      this.#begun.isStray = true;
      this.#begun.allowedMs += timeoutMs + sweepMs + sweepLaterMs;
    }
    const tookMs = nowMs - this.#begun.atMs;
    // A checkpoint that has less time than a message may be away for, or than what is left over takes, is likely to be in vain.
    const triesMs = timeoutMs < visibilityMs + intervalMs ? visibilityMs + triesInVain * wholeSeconds(timeoutMs) : 0;
    const boundMs = 2 * intervalMs + visibilityMs + this.#begun.callsMs + triesMs + this.#begun.allowedMs + this.#begun.caredMs;
    if (tookMs <= boundMs) return [];
    return [`no checkpoint has completed in attempt ${attempt} of job ${job} for ${tookMs} ms, though everything works`];
  }
}

/** Whoever does the step may have begun before everything worked. */
function isInStep({ flow, state }: Pick<FlowExecution, 'flow' | 'state'>): boolean {
  return flow !== 'sweep' && flowDescriptions.find(({ name }) => name === flow)?.states[state]?.type === 'task';
}

/** Of timeouts a flow knows no fractions. */
function wholeSeconds(ms: number): number {
  return Math.ceil(ms / 1_000) * 1_000;
}
