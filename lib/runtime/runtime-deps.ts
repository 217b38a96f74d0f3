/** Everything the runtime needs from outside, and what is known of the job. */
import type { JobId } from '../base/ids.ts';
import type { Bill } from '../model/bill.ts';
import type { JobPlan } from '../model/job-plan.ts';
import type { OperatorRegistry } from '../operators/operator.ts';
import type { Connectors } from '../ports/connectors.ts';
import type { KeyedBase } from '../ports/keyed-base.ts';
import type { MessageSender } from '../ports/message-queue.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import type { ProblemBoard } from '../ports/problem-board.ts';
import type { JobRecordStore, ShardRecordStore } from '../ports/records.ts';
import type { Clock, Delay, Logger, Metrics, Random } from '../ports/system.ts';

export interface RuntimeDeps {
  readonly jobs: JobRecordStore;
  readonly shards: ShardRecordStore;
  readonly objects: ObjectStore;
  readonly base: KeyedBase;
  readonly messages: MessageSender;
  readonly delay: Delay;
  readonly connectors: Connectors;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly problems?: ProblemBoard;
  /** What was counted since it was asked last; absent where nothing costs anything. */
  readonly bill?: () => Bill;
  /** Lets others of the process go on, between two records; absent where a function has its process for itself. */
  readonly turn?: () => Promise<void>;
  /** Milliseconds until the invocation in hand is ended by force; absent where it is not. */
  readonly timeLeft?: () => number;
}

export interface RuntimeSettings {
  /** Where a message costs by its size. In one process compressing costs a tenth of the throughput and saves nothing. */
  readonly compressEnvelopes: boolean;
  /** Records a source reads into one commit. */
  readonly sourceRecordsPerCommit: number;
  /** Messages waiting per queue and shard above which sources sleep, and how long. */
  readonly backlogMessagesPerShard: number;
  readonly backPressureSleepMs: number;
  /** How often a running source looks at the depths; a look costs requests. */
  readonly backlogCheckMs: number;
  /** How long a source that has nothing now sleeps before it looks again. */
  readonly sourceIdleMs: number;
  readonly stateCacheKeys: number;
  /** Of maps that are loaded by entry. */
  readonly stateCacheEntries: number;
  readonly jobRecordCacheMs: number;
  /** After so long an invocation is ended from outside. What is done in one go is a share of it: less than the usual time is less work in each. */
  readonly functionTimeoutMs: number;
  /** While a batch is worked on: how often others are let in and orders are looked for, and after how many records the clock is asked first. */
  readonly lookEveryMs: number;
  readonly recordsPerLook: number;
  /** How often a batch comes again without a word before it is worked off with care: a few of these are crashes that had nothing to do with it. */
  readonly triesBeforeCare: number;
  /** And how often nobody comes back from one record alone before it is taken for the cause. */
  readonly triesAlone: number;
}

/** One job's code as a function has it in its bundle. */
export interface JobProgram {
  readonly job: JobId;
  readonly plan: JobPlan;
  readonly planHash: string;
  /** Object that `plan` was read from; absent = compiled. */
  readonly planKey?: string;
  readonly registry: OperatorRegistry;
  readonly settings: RuntimeSettings;
}

export interface Runtime {
  readonly deps: RuntimeDeps;
  readonly program: JobProgram;
}
