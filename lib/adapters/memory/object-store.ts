import type { ObjectStore, StoredObject } from '../../ports/object-store.ts';
import type { MutationOf } from './mutation.ts';
import type { StoreContext } from './store-context.ts';

interface Entry {
  readonly bytes: Uint8Array;
  readonly createdAtMs: number;
}

type ObjectMutation = MutationOf<'object-put' | 'objects-remove'>;

/** Bytes are shared with callers and never changed: objects are immutable, and copying every segment would cost as much as writing it. */
export class MemoryObjectStore implements ObjectStore {
  readonly #context: StoreContext;
  readonly #objects = new Map<string, Entry>();

  constructor(context: StoreContext) {
    this.#context = context;
  }

  async createIfAbsent(key: string, bytes: Uint8Array): Promise<'created' | 'exists'> {
    if (this.#objects.has(key)) return 'exists';
    this.#change({ kind: 'object-put', key, createdAtMs: this.#context.clock.now(), bytes });
    await this.#context.journal.room();
    return 'created';
  }

  async read(key: string): Promise<Uint8Array | undefined> {
    return this.#objects.get(key)?.bytes;
  }

  async remove(keys: readonly string[]): Promise<void> {
    const present = keys.filter((key) => this.#objects.has(key));
    if (present.length > 0) this.#change({ kind: 'objects-remove', keys: present });
  }

  async list(prefix: string): Promise<readonly StoredObject[]> {
    const found: StoredObject[] = [];
    for (const [key, { bytes, createdAtMs }] of this.#objects) {
      if (key.startsWith(prefix)) found.push({ key, bytes: bytes.length, createdAtMs });
    }
    return found.sort((a, b) => (a.key < b.key ? -1 : 1));
  }

  apply(mutation: ObjectMutation): void {
    if (mutation.kind === 'object-put') this.#objects.set(mutation.key, { bytes: mutation.bytes, createdAtMs: mutation.createdAtMs });
    else for (const key of mutation.keys) this.#objects.delete(key);
  }

  *snapshot(): Iterable<MutationOf<'object-put'>> {
    for (const [key, { bytes, createdAtMs }] of this.#objects) yield { kind: 'object-put', key, createdAtMs, bytes };
  }

  #change(mutation: ObjectMutation): void {
    this.apply(mutation);
    this.#context.journal.append(mutation);
  }
}
