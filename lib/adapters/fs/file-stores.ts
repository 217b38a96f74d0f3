/**
 * The stores of a local runner with a data directory: the memory stores, their mutations in one log, and the base in SQLite.
 *
 * Start: replay the log, cut a torn tail off, count every message as received before, arm the wake-ups that were waiting.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock, Logger, Random, Timers } from '../../ports/system.ts';
import { MemoryAcknowledgements } from '../memory/acknowledgements.ts';
import { MemoryDelay } from '../memory/delay.ts';
import { MemoryFlowStore } from '../memory/flow-store.ts';
import { MemoryJobHistory } from '../memory/job-history.ts';
import { MemoryJobRecords } from '../memory/job-records.ts';
import type { LocalStores } from '../memory/memory-stores.ts';
import { MemoryMessageQueue, type MessageQueueOptions } from '../memory/message-queue.ts';
import type { Mutation } from '../memory/mutation.ts';
import { MemoryObjectStore } from '../memory/object-store.ts';
import { MemoryOperations } from '../memory/operations.ts';
import { MemoryShardRecords } from '../memory/shard-records.ts';
import type { Journal, StoreContext } from '../memory/store-context.ts';
import { lockDataDirectory } from './data-dir-lock.ts';
import { FileJournal, type ReplayedEntry } from './file-journal.ts';
import { SqliteBase } from './sqlite-base.ts';

export interface FileStoresOptions {
  readonly directory: string;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly logger: Logger;
  readonly sync?: 'commit' | 'interval';
  readonly generationBytes?: number;
  readonly protect?: StoreContext['protect'];
  readonly queue?: MessageQueueOptions;
}

const generationBytesDefault = 64 * 1024 * 1024;

/** @throws SluiceError `SLUICE-DATA-DIR-LOCKED`, `SLUICE-LOG-DAMAGED`, `SLUICE-FORMAT-NEWER` */
export async function createFileStores(options: FileStoresOptions): Promise<LocalStores> {
  await mkdir(options.directory, { recursive: true });
  const lock = lockDataDirectory(options.directory);
  try {
    return await open(options, lock);
  } catch (error) {
    lock.release();
    throw error;
  }
}

/** The journal exists only once the log has been replayed into the stores, which hold this in its place. */
class LateJournal implements Journal {
  target: FileJournal | undefined;

  append(mutation: Mutation): void {
    this.target!.append(mutation);
  }

  committed(): Promise<void> | undefined {
    return this.target!.committed();
  }

  room(): Promise<void> | undefined {
    return this.target!.room();
  }
}

async function open(options: FileStoresOptions, lock: { release(): void }): Promise<LocalStores> {
  const { directory, clock, timers, random, logger, protect = (value) => value } = options;
  const late = new LateJournal();
  const context: StoreContext = { clock, timers, random, journal: late, protect };
  const stores = memoryStores(context, options.queue);
  const base = new SqliteBase({
    path: join(directory, 'base.sqlite'),
    clock,
    append: (mutation) => {
      late.append(mutation);
      return late.target!.appended;
    },
    durable: () => late.target!.durable(),
  });
  const replay = ({ entry, isBaseWrite, decode }: ReplayedEntry): void => {
    if (!isBaseWrite || !base.has(entry)) applyTo(stores, base, decode(), entry);
  };
  const { sync = 'commit', generationBytes = generationBytesDefault } = options;
  const journal = await FileJournal.open({ directory, logger, sync, generationBytes }, replay);
  late.target = journal;
  base.commit();
  journal.snapshotFrom(() => snapshotOf(stores));
  journal.onSynced = (entry) => base.synced(entry);
  journal.beforeGeneration = () => base.commit();
  stores.delay.arm();
  let closing: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    stores.delay.close();
    stores.queue.close();
    await journal.close();
    base.close();
    lock.release();
  };
  return {
    ...stores,
    base,
    durable: () => journal.durable(),
    close: () => (closing ??= close()),
  };
}

function memoryStores(context: StoreContext, queueOptions: MessageQueueOptions | undefined) {
  const queue = new MemoryMessageQueue(context, queueOptions);
  return {
    queue,
    jobs: new MemoryJobRecords(context),
    shards: new MemoryShardRecords(context),
    acknowledgements: new MemoryAcknowledgements(context),
    operations: new MemoryOperations(context),
    objects: new MemoryObjectStore(context),
    flows: new MemoryFlowStore(context),
    history: new MemoryJobHistory(context),
    delay: new MemoryDelay(context, queue),
  };
}

type MemoryParts = ReturnType<typeof memoryStores>;

function* snapshotOf(stores: MemoryParts): Iterable<Mutation> {
  const { queue, jobs, shards, acknowledgements, operations, objects, flows, history, delay } = stores;
  for (const store of [objects, queue, jobs, shards, acknowledgements, operations, flows, history, delay]) yield* store.snapshot();
}

function applyTo(stores: MemoryParts, base: SqliteBase, mutation: Mutation, entry: number): void {
  switch (mutation.kind) {
    case 'queue-send':
    case 'queue-delete':
    case 'queue-memory':
      return stores.queue.apply(mutation, 1);
    case 'job-put':
      return stores.jobs.apply(mutation);
    case 'shard-put':
      return stores.shards.apply(mutation);
    case 'acknowledgement-put':
    case 'acknowledgements-remove':
      return stores.acknowledgements.apply(mutation);
    case 'operation-put':
      return stores.operations.apply(mutation);
    case 'object-put':
    case 'objects-remove':
      return stores.objects.apply(mutation);
    case 'flow-put':
      return stores.flows.apply(mutation);
    case 'history-put':
      return stores.history.apply(mutation);
    case 'delay-put':
    case 'delay-remove':
      return stores.delay.apply(mutation);
    case 'base-write':
    case 'base-purge':
    case 'base-drop':
      return base.replay(mutation, entry);
    case 'object-file':
      return undefined;
  }
}
