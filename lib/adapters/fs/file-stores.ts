/**
 * The stores of a local runner with a data directory: the memory stores, their mutations in one log, large objects as files, and the base in SQLite.
 *
 * Start: replay the log, check that the base fits it, cut a torn tail off, remove files that nothing names, find out which are gone (what that means is for
 * those to say who use the stores), count every message as received before, arm the wake-ups that were waiting. Nothing on the disk is changed before the checks.
 */
import { join } from 'node:path';
import { errorCode, errorMessage, SluiceError } from '../../base/errors.ts';
import type { Clock, Logger, Random, Timers } from '../../ports/system.ts';
import { MemoryAcknowledgements } from '../memory/acknowledgements.ts';
import { MemoryDelay } from '../memory/delay.ts';
import { MemoryFlowStore } from '../memory/flow-store.ts';
import { MemoryJobHistory } from '../memory/job-history.ts';
import { MemoryJobRecords } from '../memory/job-records.ts';
import type { LocalStores } from '../memory/memory-stores.ts';
import { MemoryMessageQueue, type MessageQueueOptions } from '../memory/message-queue.ts';
import type { Mutation } from '../memory/mutation.ts';
import { MemoryOperations } from '../memory/operations.ts';
import { MemoryShardRecords } from '../memory/shard-records.ts';
import type { StoreContext } from '../memory/store-context.ts';
import { dataDirFailed } from './data-dir-failed.ts';
import { lockDataDirectory } from './data-dir-lock.ts';
import { FileJournal } from './file-journal.ts';
import { FileObjectStore } from './file-object-store.ts';
import { ObjectFiles } from './object-files.ts';
import { SqliteBase } from './sqlite-base.ts';
import { isPermanentError } from './permanent-error.ts';
import { makeDirectory } from './sync-directory.ts';

export interface FileStoresOptions {
  readonly directory: string;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly logger: Logger;
  readonly generationBytes?: number;
  readonly protect?: StoreContext['protect'];
  readonly queue?: MessageQueueOptions;
}

/** A start reads it whole: 3 ms a mebibyte. */
const generationBytesDefault = 16 * 1024 * 1024;

/**
 * @throws SluiceError `SLUICE-DATA-DIR-LOCKED`, `SLUICE-FOLDER-UNUSABLE`, `SLUICE-DATA-DIR-FAILED`, `SLUICE-LOG-DAMAGED`, `SLUICE-BASE-DAMAGED`,
 *   `SLUICE-FORMAT-NEWER`, `SLUICE-FORMAT-OLDER`
 */
export async function createFileStores(options: FileStoresOptions): Promise<LocalStores> {
  try {
    await makeDirectory(options.directory);
    const lock = lockDataDirectory(options.directory);
    return await open(options, lock).catch((error: unknown) => {
      lock.release();
      throw error;
    });
  } catch (error) {
    throw unusable(options.directory, error);
  }
}

/** What the file system or SQLite says means the same to whoever started the run. */
function unusable(directory: string, error: unknown): unknown {
  const code = errorCode(error) ?? '';
  if (!/^E[A-Z]+$|^ERR_SQLITE/.test(code)) return error;
  if (!isPermanentError(error) || code.startsWith('ERR_'))
    return dataDirFailed(`the data directory ${directory}`, error, { path: directory });
  return new SluiceError('SLUICE-FOLDER-UNUSABLE', `the data directory ${directory} cannot be used: ${errorMessage(error)}`, {
    hint: 'Name another folder, or make this one a folder that you may write to.',
    facts: { folder: directory, code },
    cause: error,
  });
}

async function open(options: FileStoresOptions, lock: { release(): void }): Promise<LocalStores> {
  const { directory, clock, logger, generationBytes = generationBytesDefault } = options;
  const files = await ObjectFiles.open(join(directory, 'objects'));
  const broken = Promise.withResolvers<never>();
  // Nobody has to listen.
  broken.promise.catch(() => undefined);
  const journal = new FileJournal({ directory, logger, generationBytes, onFailure: broken.reject });
  const base = new SqliteBase({ path: join(directory, 'base.sqlite'), clock, journal });
  const stores = { ...storesOf(options, journal), objects: new FileObjectStore({ clock, logger, journal, files }) };
  let lost: LocalStores['lost'];
  try {
    await journal.open({
      replay: ({ entry, isBaseWrite, decode }) => {
        if (!isBaseWrite || !base.has(entry)) applyTo(stores, base, decode(), entry);
      },
      check: async (log) => {
        base.check(log);
        if (!log.exists && (await files.areThereAny())) throw logMissing(directory);
      },
      synced: (entry) => base.synced(entry),
      settleBase: () => base.settle(),
      snapshot: () => snapshotOf(stores),
    });
    await files.removeAllBut(stores.objects.named());
    lost = (await files.lost(stores.objects.named())).map(({ key, path, problem }) => ({ key, path, problem }));
  } catch (error) {
    base.close();
    throw error;
  }
  stores.delay.arm();
  let closing: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    stores.delay.close();
    stores.queue.close();
    try {
      await stores.objects.settled();
      await journal.close();
    } catch (error) {
      throw unusable(directory, error);
    } finally {
      base.close();
      lock.release();
    }
  };
  return { ...stores, base, lost, broken: broken.promise, durable: () => journal.durable(), close: () => (closing ??= close()) };
}

/** Without a log every object file would look like one that nothing names, and be removed. */
function logMissing(directory: string): SluiceError {
  return new SluiceError('SLUICE-LOG-DAMAGED', `the data directory ${directory} has no log, but object files`, {
    hint: 'Restore the data directory from a copy, or start from a savepoint in an empty one.',
    facts: { directory },
  });
}

function storesOf({ clock, timers, random, protect = (value) => value, queue: queueOptions }: FileStoresOptions, journal: FileJournal) {
  const context: StoreContext = { clock, timers, random, journal, protect };
  const queue = new MemoryMessageQueue(context, queueOptions);
  return {
    queue,
    jobs: new MemoryJobRecords(context),
    shards: new MemoryShardRecords(context),
    acknowledgements: new MemoryAcknowledgements(context),
    operations: new MemoryOperations(context),
    flows: new MemoryFlowStore(context),
    history: new MemoryJobHistory(context),
    delay: new MemoryDelay(context, queue),
  };
}

type Stores = ReturnType<typeof storesOf> & { readonly objects: FileObjectStore };

function* snapshotOf(stores: Stores): Iterable<Mutation> {
  const { queue, jobs, shards, acknowledgements, operations, objects, flows, history, delay } = stores;
  for (const store of [objects, queue, jobs, shards, acknowledgements, operations, flows, history, delay]) yield* store.snapshot();
}

function applyTo(stores: Stores, base: SqliteBase, mutation: Mutation, entry: number): void {
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
    case 'object-file':
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
    default:
      throw unknownKind(mutation, entry);
  }
}

/** Passed over, it would be missing without a word. */
function unknownKind(mutation: never, entry: number): SluiceError {
  const { kind } = mutation as Mutation;
  return new SluiceError('SLUICE-FORMAT-NEWER', `entry ${entry} of the log is of an unknown kind: ${String(kind)}`, {
    hint: 'Use the version of Sluice that wrote the data directory, or a newer one.',
    facts: { kind, entry },
  });
}
