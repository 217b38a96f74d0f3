/** Rows of one keyed state. */
import type { KeyGroup } from '../../base/ids.ts';
import { inRange, type KeyGroupRange } from '../../model/key-group-range.ts';
import type { DueCursor } from '../../ports/keyed-base.ts';
import { DueIndex, removed, type IndexedRow, type Row } from './due-index.ts';
import { compareText } from './text-order.ts';

/** A key is its row with the namespace '', which most keys have alone; one that was never written has no version. */
interface StoredKey extends Row {
  readonly keyGroup: KeyGroup;
  named: Map<string, Row> | null;
}

const neverWritten = -1;

export class BaseTable {
  /** One map for all key groups: scattered over one each, a write takes twice as long. */
  readonly #keys = new Map<string, StoredKey>();
  /** Disjoint ranges: those of the running shards. Made when first asked for, so that states without timers pay nothing. */
  #indexes: DueIndex[] = [];

  get(key: string, namespace: string): Row | undefined {
    const stored = this.#keys.get(key);
    if (namespace !== '') return stored?.named?.get(namespace);
    return stored === undefined || stored.version === neverWritten ? undefined : stored;
  }

  /** `value` may be `removed`. Returns the row where it is a new tombstone. A stored row of a higher version stays. */
  put(keyGroup: KeyGroup, key: string, namespace: string, value: unknown, version: number): Row | undefined {
    const existing = this.get(key, namespace);
    if (existing !== undefined && existing.version > version) return undefined;
    const isLive = existing !== undefined && existing.value !== removed;
    if (isLive && value !== removed) {
      existing.value = value;
      existing.version = version;
      return undefined;
    }
    const row = this.#set(keyGroup, key, namespace, value, version);
    if (isLive) {
      existing.value = removed;
      existing.index?.noteDead();
    }
    if (value === removed) return row;
    if (this.#indexes.length > 0) this.#indexOf(keyGroup)?.add({ namespace, keyGroup, key, row });
    return undefined;
  }

  remove(key: string, namespace: string): void {
    const stored = this.#keys.get(key);
    if (stored === undefined) return;
    if (namespace === '') stored.version = neverWritten;
    else if (stored.named?.delete(namespace) === true && stored.named.size === 0) stored.named = null;
    if (stored.version === neverWritten && stored.named === null) this.#keys.delete(key);
  }

  /** Live rows of one key in order of their namespace. */
  ofKey(key: string): IndexedRow[] {
    return live(key, this.#keys.get(key)).sort((a, b) => compareText(a.namespace, b.namespace));
  }

  due(range: KeyGroupRange, after: DueCursor | null, rowsMax: number): IndexedRow[] {
    let index = this.#indexes.find((candidate) => candidate.range.start === range.start && candidate.range.end === range.end);
    if (index === undefined) {
      // After a rescaling the ranges are others, and the old ones are not asked for again.
      this.#indexes = this.#indexes.filter((other) => other.range.end < range.start || other.range.start > range.end);
      index = new DueIndex({ start: range.start, end: range.end }, this.#liveIn(range));
      this.#indexes.push(index);
    }
    return index.after(after, rowsMax);
  }

  /** The keys of each key group as they are now, in no order. */
  keysByGroup(range: KeyGroupRange): Map<KeyGroup, string[]> {
    const groups = new Map<KeyGroup, string[]>();
    for (const [key, { keyGroup }] of this.#keys) {
      if (!inRange(range, keyGroup)) continue;
      const keys = groups.get(keyGroup);
      if (keys === undefined) groups.set(keyGroup, [key]);
      else keys.push(key);
    }
    return groups;
  }

  *#liveIn(range: KeyGroupRange): Iterable<IndexedRow> {
    for (const [key, stored] of this.#keys) if (inRange(range, stored.keyGroup)) yield* live(key, stored);
  }

  #indexOf(keyGroup: KeyGroup): DueIndex | undefined {
    return this.#indexes.find((index) => inRange(index.range, keyGroup));
  }

  /** A new row, also in the place of a former one, which an index may still hold. */
  #set(keyGroup: KeyGroup, key: string, namespace: string, value: unknown, version: number): Row {
    const stored = this.#keys.get(key);
    if (namespace === '') {
      const row: StoredKey = { value, version, index: undefined, keyGroup, named: stored?.named ?? null };
      this.#keys.set(key, row);
      return row;
    }
    const row: Row = { value, version, index: undefined };
    if (stored === undefined) {
      this.#keys.set(key, { value: removed, version: neverWritten, index: undefined, keyGroup, named: new Map([[namespace, row]]) });
    } else {
      (stored.named ??= new Map<string, Row>()).set(namespace, row);
    }
    return row;
  }
}

function live(key: string, stored: StoredKey | undefined): IndexedRow[] {
  if (stored === undefined) return [];
  const { keyGroup, named } = stored;
  const found: IndexedRow[] = stored.value === removed ? [] : [{ namespace: '', keyGroup, key, row: stored }];
  for (const [namespace, row] of named ?? []) if (row.value !== removed) found.push({ namespace, keyGroup, key, row });
  return found;
}
