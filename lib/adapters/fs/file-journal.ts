/**
 * The journal of a data directory: every mutation in one order, grouped into as few writes and syncs as the disk allows.
 *
 * J1. What survives a kill is a prefix of the mutations. After a write or a sync that failed nothing more is written: it would stand behind a gap.
 * J2. `durable` resolves when everything appended before it is synced: what leaves the process waits for it.
 * J3. A new generation holds the state itself; it replaces the old one by a rename, after it has been synced.
 */
import { readFile } from 'node:fs/promises';
import type { Logger } from '../../ports/system.ts';
import type { Mutation } from '../memory/mutation.ts';
import type { Journal } from '../memory/store-context.ts';
import { dataDirFailed } from './data-dir-failed.ts';
import { frame, readLog } from './log-format.ts';
import { createGeneration, generationPath, newestGeneration, removeGenerationsBut } from './log-generations.ts';
import { LogWriter } from './log-writer.ts';
import { encodeMutation, decodeMutation, isBaseWrite } from './mutation-codec.ts';

export interface FileJournalOptions {
  readonly directory: string;
  readonly logger: Logger;
  /** A generation larger than this, and twice its beginning, is replaced. */
  readonly generationBytes: number;
  /** Told once, when nothing can be written any more (J1). */
  readonly onFailure?: (error: Error) => void;
}

export interface ReplayedEntry {
  readonly entry: number;
  /** Whether it writes to the base: which may have it already, and then it need not be decoded. */
  readonly isBaseWrite: boolean;
  readonly decode: () => Mutation;
}

export interface LogFacts {
  /** `false`: a new one is about to begin. */
  readonly exists: boolean;
  readonly lastEntry: number;
  /** The base has the writes up to here, and the log may not. */
  readonly baseEntry: number;
}

/** What the journal is the journal of. */
export interface JournaledState {
  /** At the start: every entry, in order. */
  replay(entry: ReplayedEntry): void;
  /** After that, before anything on the disk is changed: throws where what else the directory holds does not fit the log. */
  check(log: LogFacts): Promise<void>;
  /** The log is on disk up to this entry. */
  synced(entry: number): void;
  /** Makes what the base has of the synced log durable there; the number of its last entry. */
  settleBase(): number;
  /** The state as mutations, but for the base; taken in one turn. */
  snapshot(): Iterable<Mutation>;
}

interface Waiter {
  readonly entry: number;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** Writers wait while more than this is on its way to the disk. */
const backlogBytesMax = 64 * 1024 * 1024;
const closedBytesMax = 1024 * 1024;

export class FileJournal implements Journal {
  readonly #options: FileJournalOptions;
  #state!: JournaledState;
  #writer!: LogWriter;
  #generation = 0;
  #beginBytes = 0;
  #pending: Buffer[] = [];
  /** Of what is pending and of what is being written. */
  #backlogBytes = 0;
  /** Numbers of the last entry appended, and of the last on disk. */
  #appended = 0;
  #synced = 0;
  #flushing: Promise<void> | undefined;
  #waiters: Waiter[] = [];
  #failure: Error | undefined;

  constructor(options: FileJournalOptions) {
    this.#options = options;
  }

  /** Before it, nothing may be appended: the stores are built with the journal, and filled from it. */
  async open(state: JournaledState): Promise<void> {
    this.#state = state;
    const { directory } = this.#options;
    this.#generation = await newestGeneration(directory);
    await (this.#generation === 0 ? this.#create() : this.#resume(generationPath(directory, this.#generation)));
    await removeGenerationsBut(directory, this.#generation);
  }

  async #create(): Promise<void> {
    await this.#state.check({ exists: false, lastEntry: 0, baseEntry: 0 });
    this.#generation = 1;
    this.#writer = await createGeneration(this.#options.directory, 1, { firstEntry: 1, baseEntry: 0 }, []);
    this.#beginBytes = this.#writer.bytes;
  }

  async #resume(path: string): Promise<void> {
    const content = readLog(path, await readFile(path));
    const { firstEntry, baseEntry, entries, beginBytes, tornBytes } = content;
    entries.forEach((bytes, i) =>
      this.#state.replay({ entry: firstEntry + i, isBaseWrite: isBaseWrite(bytes), decode: () => decodeMutation(bytes) }),
    );
    const lastEntry = firstEntry + entries.length - 1;
    await this.#state.check({ exists: true, lastEntry, baseEntry });
    if (tornBytes > 0) {
      this.#options.logger.log('warn', 'the log ends in an entry that was not finished; it is dropped', { path, bytes: tornBytes });
    }
    this.#writer = await LogWriter.resume(path, content);
    this.#beginBytes = beginBytes;
    this.#appended = lastEntry;
    this.#synced = lastEntry;
    this.#state.synced(lastEntry);
  }

  /** The entry's number. */
  append(mutation: Mutation): number {
    this.#appended++;
    if (this.#failure !== undefined) return this.#appended;
    for (const buffer of frame(encodeMutation(mutation))) {
      this.#pending.push(buffer);
      this.#backlogBytes += buffer.length;
    }
    this.#startFlushing();
    return this.#appended;
  }

  committed(): Promise<void> {
    return this.durable();
  }

  room(): Promise<void> | undefined {
    return this.#backlogBytes > backlogBytesMax ? this.durable() : undefined;
  }

  durable(): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (this.#synced >= this.#appended) return Promise.resolve();
    return new Promise((resolve, reject) => this.#waiters.push({ entry: this.#appended, resolve, reject }));
  }

  /** What is appended afterwards is not written. */
  async close(): Promise<void> {
    try {
      await this.durable();
      await this.#flushing;
      // The next start reads what is live, and not what came and went.
      if (this.#writer.bytes > Math.max(closedBytesMax, 2 * this.#beginBytes)) await this.#replaceGeneration();
    } finally {
      this.#failure ??= new Error('the data directory is closed');
      await this.#writer.close();
    }
  }

  #startFlushing(): void {
    this.#flushing ??= this.#flushAll().finally(() => {
      this.#flushing = undefined;
      // What was appended between the last look and this turn.
      if (this.#pending.length > 0) this.#startFlushing();
    });
  }

  async #flushAll(): Promise<void> {
    // Lets everything that is appended in the same turn share the write.
    await Promise.resolve();
    try {
      while (this.#pending.length > 0) {
        let upTo = this.#appended;
        await this.#flush();
        this.#state.synced(upTo);
        if (this.#isFull() && this.#pending.length === 0) upTo = await this.#replaceGeneration();
        // While a generation is full answers wait: else there might always be something pending, and it would never be replaced.
        if (!this.#isFull()) this.#reached(upTo);
      }
    } catch (error) {
      this.#fail(error);
    }
  }

  async #flush(): Promise<void> {
    const buffers = this.#pending;
    const bytes = this.#backlogBytes;
    this.#pending = [];
    await this.#writer.write(buffers);
    await this.#writer.sync();
    this.#backlogBytes -= bytes;
  }

  #isFull(): boolean {
    return this.#writer.bytes > Math.max(this.#options.generationBytes, 2 * this.#beginBytes);
  }

  #reached(entry: number): void {
    this.#synced = entry;
    const done = this.#waiters.filter((waiter) => waiter.entry <= entry);
    this.#waiters = this.#waiters.filter((waiter) => waiter.entry > entry);
    for (const { resolve } of done) resolve();
  }

  /** What failed may be on disk in part, or, after a sync, not at all although it can be read. */
  #fail(error: unknown): void {
    const { directory, onFailure } = this.#options;
    this.#failure = dataDirFailed(`the log of the data directory ${directory}`, error, { path: directory });
    onFailure?.(this.#failure);
    this.#options.logger.log('error', 'the log cannot be written; nothing more is taken', { error: String(error) });
    this.#pending = [];
    for (const { reject } of this.#waiters.splice(0)) reject(this.#failure);
  }

  /** Nothing is pending. The state is taken in one turn; what is appended afterwards belongs behind it. Its last entry's number. */
  async #replaceGeneration(): Promise<number> {
    const head = { firstEntry: this.#appended + 1, baseEntry: this.#state.settleBase() };
    const entries: Buffer[] = [];
    for (const mutation of this.#state.snapshot()) {
      entries.push(...frame(encodeMutation(mutation)));
      this.#appended++;
    }
    const upTo = this.#appended;
    const { directory } = this.#options;
    const old = this.#writer;
    this.#writer = await createGeneration(directory, this.#generation + 1, head, entries);
    this.#generation++;
    this.#beginBytes = this.#writer.bytes;
    await old.close();
    await removeGenerationsBut(directory, this.#generation);
    return upTo;
  }
}
