/**
 * The objects of a data directory: small ones in memory and in the log, large ones as files, which the log names.
 *
 * FO1. A large object exists when its entry is in the log. A crash before leaves a file that nothing names: the next start removes it.
 * FO2. Its file is removed only when the log's removal is on disk. A crash before leaves the file, which the next start removes.
 */
import type { ObjectStore, StoredObject } from '../../ports/object-store.ts';
import type { Clock, Logger } from '../../ports/system.ts';
import type { MutationOf } from '../memory/mutation.ts';
import type { FileJournal } from './file-journal.ts';
import type { ObjectFile, ObjectFiles } from './object-files.ts';

/** In the log an object stays in memory and is written again with every generation; as a file it costs two syncs of its own. */
const bytesInLogMax = 256 * 1024;

/** An object is kept as the mutation that made it. */
type KeptObject = MutationOf<'object-put' | 'object-file'>;
type ObjectMutation = KeptObject | MutationOf<'objects-remove'>;

export interface FileObjectStoreOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly journal: Pick<FileJournal, 'append' | 'room' | 'durable'>;
  readonly files: Pick<ObjectFiles, 'create' | 'read' | 'remove'>;
}

export class FileObjectStore implements ObjectStore {
  readonly #options: FileObjectStoreOptions;
  readonly #objects = new Map<string, KeptObject>();
  /** Files on their way, by key: whoever creates the same one waits to see what becomes of them. */
  readonly #creating = new Map<string, Promise<void>>();
  readonly #removing = new Set<Promise<void>>();

  constructor(options: FileObjectStoreOptions) {
    this.#options = options;
  }

  async createIfAbsent(key: string, bytes: Uint8Array): Promise<'created' | 'exists'> {
    for (let other = this.#creating.get(key); other !== undefined; other = this.#creating.get(key)) await other;
    if (this.#objects.has(key)) return 'exists';
    const createdAtMs = this.#options.clock.now();
    if (bytes.length > bytesInLogMax) {
      await this.#createFile(key, createdAtMs, bytes);
    } else {
      this.#change({ kind: 'object-put', key, createdAtMs, bytes });
      await this.#options.journal.room();
    }
    return 'created';
  }

  async #createFile(key: string, createdAtMs: number, bytes: Uint8Array): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#creating.set(key, promise);
    try {
      const file = await this.#options.files.create(bytes);
      this.#change({ kind: 'object-file', key, createdAtMs, ...file });
    } finally {
      this.#creating.delete(key);
      resolve();
    }
  }

  async read(key: string): Promise<Uint8Array | undefined> {
    const object = this.#objects.get(key);
    if (object?.kind !== 'object-file') return object?.bytes;
    try {
      return await this.#options.files.read(object);
    } catch (error) {
      // Removed meanwhile: then its file may be, too.
      if (this.#objects.get(key) !== object) return this.read(key);
      throw error;
    }
  }

  async remove(keys: readonly string[]): Promise<void> {
    const present = keys.flatMap((key) => this.#objects.get(key) ?? []);
    if (present.length === 0) return;
    this.#change({ kind: 'objects-remove', keys: present.map(({ key }) => key) });
    const files = present.filter((object) => object.kind === 'object-file');
    if (files.length === 0) return;
    const removing = this.#removeFiles(files).finally(() => this.#removing.delete(removing));
    this.#removing.add(removing);
  }

  /** In its own time: for everybody else the objects are gone. */
  async #removeFiles(files: readonly ObjectFile[]): Promise<void> {
    const { journal, files: folder, logger } = this.#options;
    try {
      await journal.durable();
      await folder.remove(files);
    } catch (error) {
      logger.log('warn', 'files of removed objects could not be deleted; the next start tries again', { error: String(error) });
    }
  }

  async list(prefix: string): Promise<readonly StoredObject[]> {
    const found: StoredObject[] = [];
    for (const [key, object] of this.#objects) {
      if (!key.startsWith(prefix)) continue;
      const bytes = object.kind === 'object-file' ? object.size : object.bytes.length;
      found.push({ key, bytes, createdAtMs: object.createdAtMs });
    }
    return found.sort((a, b) => (a.key < b.key ? -1 : 1));
  }

  apply(mutation: ObjectMutation): void {
    if (mutation.kind !== 'objects-remove') this.#objects.set(mutation.key, mutation);
    else for (const key of mutation.keys) this.#objects.delete(key);
  }

  snapshot(): Iterable<KeptObject> {
    return this.#objects.values();
  }

  /** The files that the log names. */
  *named(): Iterable<MutationOf<'object-file'>> {
    for (const object of this.#objects.values()) if (object.kind === 'object-file') yield object;
  }

  /** What is on its way to be removed is. */
  async settled(): Promise<void> {
    await Promise.all(this.#removing);
  }

  #change(mutation: ObjectMutation): void {
    this.apply(mutation);
    this.#options.journal.append(mutation);
  }
}
