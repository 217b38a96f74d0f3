/**
 * The journal of a data directory: every mutation in one order, grouped into as few writes and syncs as the disk allows.
 *
 * J1. What survives a kill is a prefix of the mutations.
 * J2. `durable` resolves when everything appended before it is synced: what leaves the process waits for it.
 * J3. A new generation holds the state itself; it replaces the old one by a rename, after it has been synced.
 */
import { readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from '../../ports/system.ts';
import type { Mutation } from '../memory/mutation.ts';
import type { Journal } from '../memory/store-context.ts';
import { encodeHeader, frame, LogWriter, readLog } from './log-file.ts';
import { encodeMutation, decodeMutation, isBaseWrite } from './mutation-codec.ts';
import { syncDirectory } from './sync-directory.ts';

export interface FileJournalOptions {
  readonly directory: string;
  readonly logger: Logger;
  /** `commit`: a commit is answered when it is on disk. `interval`: at once; what leaves the process still waits. */
  readonly sync: 'commit' | 'interval';
  /** A generation larger than this, and twice its beginning, is replaced. */
  readonly generationBytes: number;
}

export interface ReplayedEntry {
  readonly entry: number;
  /** Whether it writes to the base: which may have it already, and then it need not be decoded. */
  readonly isBaseWrite: boolean;
  readonly decode: () => Mutation;
}

interface Waiter {
  readonly entry: number;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

const namePattern = /^log-(\d{8})\.sluice$/;
/** Writers wait while more than this is on its way to the disk. */
const backlogBytesMax = 64 * 1024 * 1024;

export class FileJournal implements Journal {
  readonly #options: FileJournalOptions;
  #writer!: LogWriter;
  #generation = 0;
  #beginBytes = 0;
  #pending: Buffer[] = [];
  #pendingBytes = 0;
  #appended = 0;
  #synced = 0;
  #flushing: Promise<void> | undefined;
  #waiters: Waiter[] = [];
  #failure: Error | undefined;
  /** The state as mutations, for the next generation. */
  #snapshot: () => Iterable<Mutation> = () => [];
  /** Called with the number of the last entry that is on disk. */
  onSynced: (entry: number) => void = () => undefined;
  /** Called before a generation is replaced: whoever keeps entries elsewhere makes them safe there now. */
  beforeGeneration: () => void = () => undefined;

  private constructor(options: FileJournalOptions) {
    this.#options = options;
  }

  static async open(options: FileJournalOptions, replay: (replayed: ReplayedEntry) => void): Promise<FileJournal> {
    const journal = new FileJournal(options);
    await journal.#open(replay);
    return journal;
  }

  async #open(replay: (replayed: ReplayedEntry) => void): Promise<void> {
    const { directory, logger } = this.#options;
    const names = (await readdir(directory)).filter((name) => namePattern.test(name)).sort();
    const newest = names.at(-1);
    for (const name of names.slice(0, -1)) await rm(join(directory, name));
    if (newest === undefined) {
      this.#writer = await LogWriter.create(this.#path(1), [encodeHeader(1)]);
      await syncDirectory(directory);
      this.#generation = 1;
      return;
    }
    const path = join(directory, newest);
    const content = readLog(path, await readFile(path));
    if (content.tornBytes > 0) {
      logger.log('warn', 'the log ends in an entry that was not finished; it is dropped', { path, bytes: content.tornBytes });
    }
    content.entries.forEach((bytes, i) =>
      replay({ entry: content.firstEntry + i, isBaseWrite: isBaseWrite(bytes), decode: () => decodeMutation(bytes) }),
    );
    this.#generation = Number(namePattern.exec(newest)![1]);
    this.#appended = content.firstEntry + content.entries.length - 1;
    this.#synced = this.#appended;
    this.#writer = await LogWriter.resume(path, content.end);
    // Not at once: writing the state anew would stand between a restore and its first record.
    this.#beginBytes = content.end;
  }

  #path(generation: number): string {
    return join(this.#options.directory, `log-${String(generation).padStart(8, '0')}.sluice`);
  }

  /** Number of the last entry appended. */
  get appended(): number {
    return this.#appended;
  }

  snapshotFrom(snapshot: () => Iterable<Mutation>): void {
    this.#snapshot = snapshot;
  }

  append(mutation: Mutation): void {
    for (const buffer of frame(encodeMutation(mutation))) {
      this.#pending.push(buffer);
      this.#pendingBytes += buffer.length;
    }
    this.#appended++;
    this.#startFlushing();
  }

  committed(): Promise<void> | undefined {
    return this.#options.sync === 'commit' ? this.durable() : undefined;
  }

  room(): Promise<void> | undefined {
    return this.#pendingBytes > backlogBytesMax ? this.durable() : undefined;
  }

  durable(): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (this.#synced >= this.#appended) return Promise.resolve();
    return new Promise((resolve, reject) => this.#waiters.push({ entry: this.#appended, resolve, reject }));
  }

  async close(): Promise<void> {
    await this.durable();
    await this.#flushing;
    await this.#writer.close();
  }

  #startFlushing(): void {
    this.#flushing ??= this.#flushAll().finally(() => {
      this.#flushing = undefined;
      // What was appended between the last look and this turn.
      if (this.#pending.length > 0 && this.#failure === undefined) this.#startFlushing();
    });
  }

  async #flushAll(): Promise<void> {
    // Lets everything that is appended in the same turn share the write.
    await Promise.resolve();
    try {
      while (this.#pending.length > 0) {
        await this.#flush();
        if (this.#writer.bytes > Math.max(this.#options.generationBytes, 2 * this.#beginBytes)) await this.#replaceGeneration();
      }
    } catch (error) {
      this.#failure = error instanceof Error ? error : new Error(String(error));
      this.#options.logger.log('error', 'the log cannot be written; nothing more is taken', { error: String(error) });
      for (const { reject } of this.#waiters.splice(0)) reject(error);
    }
  }

  async #flush(): Promise<void> {
    const buffers = this.#pending;
    const upTo = this.#appended;
    this.#pending = [];
    await this.#writer.write(buffers);
    await this.#writer.sync();
    this.#pendingBytes = this.#pending.reduce((sum, { length }) => sum + length, 0);
    this.#reached(upTo);
  }

  #reached(entry: number): void {
    this.#synced = entry;
    this.onSynced(entry);
    const done = this.#waiters.filter((waiter) => waiter.entry <= entry);
    this.#waiters = this.#waiters.filter((waiter) => waiter.entry > entry);
    for (const { resolve } of done) resolve();
  }

  /** The state is taken in one turn; what is appended afterwards belongs behind it. */
  async #replaceGeneration(): Promise<void> {
    if (this.#pending.length > 0) return;
    this.beforeGeneration();
    const content = [encodeHeader(this.#appended + 1)];
    for (const mutation of this.#snapshot()) {
      content.push(...frame(encodeMutation(mutation)));
      this.#appended++;
    }
    const upTo = this.#appended;
    const old = this.#writer;
    const oldPath = this.#path(this.#generation);
    const path = this.#path(this.#generation + 1);
    const writer = await LogWriter.create(`${path}.part`, content);
    await rename(`${path}.part`, path);
    await syncDirectory(this.#options.directory);
    this.#writer = writer;
    this.#generation++;
    this.#beginBytes = writer.bytes;
    this.#reached(upTo);
    await old.close();
    await rm(oldPath, { force: true });
  }
}
