/**
 * Immutable objects by key. Guarantees needed: `createIfAbsent` is linearizable, reads see every completed create (strong read-after-write),
 * an object is whole or absent, never torn.
 */
export interface StoredObject {
  readonly key: string;
  readonly bytes: number;
  readonly createdAtMs: number;
}

export interface ObjectStore {
  createIfAbsent(key: string, bytes: Uint8Array): Promise<'created' | 'exists'>;
  read(key: string): Promise<Uint8Array | undefined>;
  remove(keys: readonly string[]): Promise<void>;
  /** For the collector, the catalogue of exports, and to see whether what a record names exists: what is real is named by a record, never found by a listing. */
  list(prefix: string): Promise<readonly StoredObject[]>;
}
