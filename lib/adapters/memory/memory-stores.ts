/** Everything a local runner stores, in memory: gone when the process ends. */
import type { FlowStore } from '../../ports/flow-store.ts';
import type { JobHistory } from '../../ports/job-history.ts';
import type { KeyedBase } from '../../ports/keyed-base.ts';
import type { MessageReceiver, MessageSender } from '../../ports/message-queue.ts';
import type { ObjectStore } from '../../ports/object-store.ts';
import type { AcknowledgementStore, JobRecordStore, OperationStore, ShardRecordStore } from '../../ports/records.ts';
import type { Clock, Delay, Random, Timers } from '../../ports/system.ts';
import { MemoryAcknowledgements } from './acknowledgements.ts';
import { MemoryDelay } from './delay.ts';
import { MemoryFlowStore } from './flow-store.ts';
import { MemoryJobHistory } from './job-history.ts';
import { MemoryJobRecords } from './job-records.ts';
import { MemoryKeyedBase } from './keyed-base.ts';
import { MemoryMessageQueue, type MessageQueueOptions } from './message-queue.ts';
import { MemoryObjectStore } from './object-store.ts';
import { MemoryOperations } from './operations.ts';
import { MemoryShardRecords } from './shard-records.ts';
import { volatileJournal, type StoreContext } from './store-context.ts';

/** What the local runner works on, whichever adapter is behind it. */
export interface LocalStores {
  readonly queue: MessageSender & MessageReceiver;
  readonly jobs: JobRecordStore;
  readonly shards: ShardRecordStore;
  readonly acknowledgements: AcknowledgementStore;
  readonly operations: OperationStore;
  readonly objects: ObjectStore;
  readonly base: KeyedBase;
  readonly flows: FlowStore;
  readonly history: JobHistory;
  readonly delay: Delay;
  /** Objects that were there and could not be found again when the stores were opened; reading one fails. */
  readonly lost: readonly { readonly key: string; readonly path: string; readonly problem: string }[];
  /** Rejects when nothing can be stored any more: whatever is done afterwards is done for nothing. */
  readonly broken: Promise<never>;
  /** Resolves when everything done so far survives the end of the process: what leaves the process waits for it. */
  durable(): Promise<void>;
  /** Ends waiting receives and timers, and writes down what is left to write. */
  close(): Promise<void>;
}

export interface MemoryStoresOptions {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  /** Tests pass a deep freeze; see StoreContext. */
  readonly protect?: StoreContext['protect'];
  readonly queue?: MessageQueueOptions;
}

export function createMemoryStores(options: MemoryStoresOptions): LocalStores {
  const { clock, timers, random, protect = (value) => value } = options;
  const context: StoreContext = { clock, timers, random, journal: volatileJournal, protect };
  const queue = new MemoryMessageQueue(context, options.queue);
  const delay = new MemoryDelay(context, queue);
  return {
    queue,
    jobs: new MemoryJobRecords(context),
    shards: new MemoryShardRecords(context),
    acknowledgements: new MemoryAcknowledgements(context),
    operations: new MemoryOperations(context),
    objects: new MemoryObjectStore(context),
    base: new MemoryKeyedBase(clock),
    flows: new MemoryFlowStore(context),
    history: new MemoryJobHistory(context),
    delay,
    lost: [],
    broken: new Promise<never>(() => undefined),
    durable: async () => undefined,
    close: async () => {
      delay.close();
      queue.close();
    },
  };
}
