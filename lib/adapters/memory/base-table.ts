/** The rows of one state of one operator: by key group, key and namespace, and in due order for those who ask for it. */
import type { KeyGroup } from '../../base/ids.ts';
import { inRange, type KeyGroupRange } from '../../model/key-group-range.ts';
import type { DueCursor } from '../../ports/keyed-base.ts';
import { DueIndex, type IndexedRow, type Row } from './due-index.ts';
import { compareText } from './text-order.ts';

/** Most keys have the one namespace '': for them there is no map. */
type KeyRows = Row | Map<string, Row>;

export class BaseTable {
  readonly #keyGroups = new Map<KeyGroup, Map<string, KeyRows>>();
  /** Disjoint ranges: those of the running shards. Made when first asked for, so that states without timers pay nothing. */
  #indexes: DueIndex[] = [];
  #keyChanges = 0;

  /** Changes whenever a key comes or goes. */
  get keyChanges(): number {
    return this.#keyChanges;
  }

  get(keyGroup: KeyGroup, key: string, namespace: string): Row | undefined {
    const rows = this.#keyGroups.get(keyGroup)?.get(key);
    if (rows instanceof Map) return rows.get(namespace);
    return namespace === '' ? rows : undefined;
  }

  /** Returns the row where it is a new tombstone. A stored row of a higher version stays. */
  put(keyGroup: KeyGroup, key: string, namespace: string, value: string | undefined, version: number): Row | undefined {
    const existing = this.get(keyGroup, key, namespace);
    if (existing !== undefined && existing.version > version) return undefined;
    if (existing?.value !== undefined && value !== undefined) {
      existing.value = value;
      existing.version = version;
      return undefined;
    }
    const row: Row = { value, version, index: undefined };
    this.#set(keyGroup, key, namespace, row);
    if (existing?.value !== undefined) {
      existing.value = undefined;
      existing.index?.noteDead();
    }
    if (value === undefined) return row;
    if (this.#indexes.length > 0) this.#indexOf(keyGroup)?.add({ namespace, keyGroup, key, row });
    return undefined;
  }

  remove(keyGroup: KeyGroup, key: string, namespace: string): void {
    const keys = this.#keyGroups.get(keyGroup);
    const rows = keys?.get(key);
    if (rows instanceof Map) rows.delete(namespace);
    if (rows instanceof Map ? rows.size > 0 : namespace !== '') return;
    keys?.delete(key);
    this.#keyChanges += 1;
  }

  /** Live rows of one key in order of their namespace. */
  ofKey(keyGroup: KeyGroup, key: string): IndexedRow[] {
    const rows = this.#keyGroups.get(keyGroup)?.get(key);
    return live(keyGroup, key, rows).sort((a, b) => compareText(a.namespace, b.namespace));
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

  keyGroupsIn(range: KeyGroupRange): KeyGroup[] {
    return [...this.#keyGroups.keys()].filter((keyGroup) => inRange(range, keyGroup)).sort((a, b) => a - b);
  }

  keysOf(keyGroup: KeyGroup): string[] {
    return [...(this.#keyGroups.get(keyGroup)?.keys() ?? [])].sort(compareText);
  }

  *#liveIn(range: KeyGroupRange): Iterable<IndexedRow> {
    for (const [keyGroup, keys] of this.#keyGroups) {
      if (inRange(range, keyGroup)) for (const [key, rows] of keys) yield* live(keyGroup, key, rows);
    }
  }

  #indexOf(keyGroup: KeyGroup): DueIndex | undefined {
    return this.#indexes.find((index) => inRange(index.range, keyGroup));
  }

  #set(keyGroup: KeyGroup, key: string, namespace: string, row: Row): void {
    let keys = this.#keyGroups.get(keyGroup);
    if (keys === undefined) this.#keyGroups.set(keyGroup, (keys = new Map<string, KeyRows>()));
    const rows = keys.get(key);
    if (rows === undefined) this.#keyChanges += 1;
    if (rows instanceof Map) rows.set(namespace, row);
    else if (namespace === '') keys.set(key, row);
    else keys.set(key, new Map(rows === undefined ? [[namespace, row]] : [['', rows], [namespace, row]])); // prettier-ignore
  }
}

function live(keyGroup: KeyGroup, key: string, rows: KeyRows | undefined): IndexedRow[] {
  if (rows === undefined) return [];
  if (!(rows instanceof Map)) return rows.value === undefined ? [] : [{ namespace: '', keyGroup, key, row: rows }];
  const found: IndexedRow[] = [];
  for (const [namespace, row] of rows) if (row.value !== undefined) found.push({ namespace, keyGroup, key, row });
  return found;
}
