/**
 * The base of keyed state in memory. Nothing here is journaled: with a data directory the base is SQLite's (../fs/sqlite-base.ts).
 *
 * K1. A write is fenced per row: a stored row of a higher version stays, tombstones included.
 */
import type { KeyGroup, OperatorUid } from '../../base/ids.ts';
import type { KeyGroupRange } from '../../model/key-group-range.ts';
import { isDeletedAt, namespaceAt, type RowTable } from '../../model/row-table.ts';
import type { StateAddress } from '../../model/state-row.ts';
import { encodeDecodedValue } from '../../model/value-json.ts';
import type { BaseRow, DueQuery, KeyedBase, KeyPage } from '../../ports/keyed-base.ts';
import type { Clock } from '../../ports/system.ts';
import { BaseTable } from './base-table.ts';
import { Deque } from './deque.ts';
import { removed, type IndexedRow, type Row } from './due-index.ts';
import { KeyPages } from './key-pages.ts';
import { compareText } from './text-order.ts';
import { parseJson } from '../../base/parse-json.ts';

interface Tombstone {
  readonly table: BaseTable;
  readonly key: string;
  readonly namespace: string;
  readonly row: Row;
  readonly atMs: number;
}

interface Space {
  readonly tables: Map<OperatorUid, Map<string, BaseTable>>;
  readonly tombstones: Deque<Tombstone>;
}

/** The keys of one state as a scan found them: each key group's are sorted when it is reached. What comes later is newer than what a scan exports. */
class ScanKeys {
  readonly keyGroups: readonly KeyGroup[];
  readonly #groups: Map<KeyGroup, string[]>;
  readonly #sorted = new Set<KeyGroup>();

  constructor(groups: Map<KeyGroup, string[]>) {
    this.#groups = groups;
    this.keyGroups = [...groups.keys()].sort((a, b) => a - b);
  }

  of(keyGroup: KeyGroup): readonly string[] {
    const keys = this.#groups.get(keyGroup)!;
    if (!this.#sorted.has(keyGroup)) keys.sort(compareText);
    this.#sorted.add(keyGroup);
    return keys;
  }
}

type ScanPlace = readonly [state: string, keyGroup: KeyGroup, key: string, namespace: string];

export class MemoryKeyedBase implements KeyedBase {
  readonly #clock: Clock;
  readonly #spaces = new Map<string, Space>();
  readonly #pages = new KeyPages();
  /** The keys that the last page's scan goes through; a page that does not go on from there begins anew. */
  #scanned: { readonly table: BaseTable; readonly keys: ScanKeys; readonly next: string | null } | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async read(space: string, addresses: readonly StateAddress[]): Promise<readonly (string | undefined)[]> {
    const tables = this.#spaces.get(space)?.tables;
    const values = new Array<string | undefined>(addresses.length).fill(undefined);
    if (tables === undefined) return values;
    const find = cachedTable((operator, state) => tables.get(operator)?.get(state));
    for (let i = 0; i < addresses.length; i++) {
      const { operator, state, key, namespace } = addresses[i]!;
      const row = find(operator, state)?.get(key, namespace);
      if (row !== undefined && row.value !== removed) values[i] = encodeDecodedValue(row.value);
    }
    return values;
  }

  async readKey(space: string, address: Omit<StateAddress, 'namespace'>, page?: KeyPage): Promise<readonly BaseRow[]> {
    const { operator, state, key } = address;
    const table = this.#spaces.get(space)?.tables.get(operator)?.get(state);
    if (table === undefined) return [];
    const rows = page === undefined ? table.ofKey(key) : this.#pages.read(table, key, page);
    return rows.map((row) => baseRow(operator, state, row));
  }

  async readDue(space: string, query: DueQuery): Promise<readonly BaseRow[]> {
    const { operator, state, keyGroups, after, rowsMax } = query;
    const rows = this.#spaces.get(space)?.tables.get(operator)?.get(state)?.due(keyGroups, after, rowsMax) ?? [];
    return rows.map((row) => baseRow(operator, state, row));
  }

  async write(space: string, version: number, tables: readonly RowTable[]): Promise<void> {
    const { tables: stored, tombstones } = this.#space(space);
    const atMs = this.#clock.now();
    for (const rows of tables) {
      const table = tableOf(stored, rows.operator, rows.state);
      const { keys, keyGroups, values } = rows;
      for (let i = 0; i < keys.length; i++) {
        const key = keys[i]!;
        const namespace = namespaceAt(rows, i);
        const tombstone = table.put(keyGroups[i]!, key, namespace, isDeletedAt(rows, i) ? removed : values[i], version);
        if (tombstone !== undefined) tombstones.push({ table, key, namespace, row: tombstone, atMs });
      }
    }
  }

  async scan(
    space: string,
    query: Parameters<KeyedBase['scan']>[1],
  ): Promise<{ readonly rows: readonly BaseRow[]; readonly next: string | null }> {
    const { operator, keyGroups, after, rowsMax } = query;
    const tables = this.#spaces.get(space)?.tables.get(operator) ?? new Map<string, BaseTable>();
    const rows: BaseRow[] = [];
    for (const row of this.#rowsAfter(operator, tables, keyGroups, after)) {
      if (rows.length === rowsMax) {
        const next = scanToken(rows.at(-1)!);
        if (this.#scanned !== undefined) this.#scanned = { ...this.#scanned, next };
        return { rows, next };
      }
      rows.push(row);
    }
    this.#scanned = undefined;
    return { rows, next: null };
  }

  async purgeTombstones(space: string, olderThanMs: number): Promise<number> {
    const tombstones = this.#spaces.get(space)?.tombstones;
    let purged = 0;
    for (let oldest = tombstones?.peek(); oldest !== undefined && oldest.atMs < olderThanMs; oldest = tombstones?.peek()) {
      tombstones?.shift();
      const { table, key, namespace, row } = oldest;
      if (table.get(key, namespace) !== row) continue;
      table.remove(key, namespace);
      purged += 1;
    }
    return purged;
  }

  async drop(space: string): Promise<void> {
    this.#spaces.delete(space);
    this.#scanned = undefined;
    this.#pages.forget();
  }

  #space(name: string): Space {
    let space = this.#spaces.get(name);
    if (space === undefined) this.#spaces.set(name, (space = { tables: new Map(), tombstones: new Deque() }));
    return space;
  }

  *#rowsAfter(
    operator: OperatorUid,
    tables: ReadonlyMap<string, BaseTable>,
    range: KeyGroupRange,
    token: string | null,
  ): Iterable<BaseRow> {
    const after = token === null ? null : (parseJson(token) as ScanPlace);
    for (const state of [...tables.keys()].sort(compareText)) {
      const order = after === null ? 1 : compareText(state, after[0]);
      if (order < 0) continue;
      const table = tables.get(state)!;
      const goesOn = order === 0 && this.#scanned?.table === table && this.#scanned.next === token;
      const keys = goesOn ? this.#scanned!.keys : new ScanKeys(table.keysByGroup(range));
      this.#scanned = { table, keys, next: null };
      yield* rowsOf(operator, state, table, keys, order === 0 ? after : null);
    }
  }
}

/** In order of key group, key and namespace, those strictly after `after`. */
function* rowsOf(operator: OperatorUid, state: string, table: BaseTable, keys: ScanKeys, after: ScanPlace | null): Iterable<BaseRow> {
  const [, afterKeyGroup, afterKey, afterNamespace] = after ?? ['', -1, '', ''];
  for (const keyGroup of keys.keyGroups) {
    if (keyGroup < afterKeyGroup) continue;
    const sorted = keys.of(keyGroup);
    for (let i = keyGroup === afterKeyGroup ? firstAtOrAfter(sorted, afterKey) : 0; i < sorted.length; i++) {
      const isStarted = keyGroup === afterKeyGroup && sorted[i] === afterKey;
      for (const row of table.ofKey(sorted[i]!)) {
        if (!isStarted || compareText(row.namespace, afterNamespace) > 0) yield baseRow(operator, state, row);
      }
    }
  }
}

type TableFinder = (operator: OperatorUid, state: string) => BaseTable | undefined;

/** Neighbours mostly belong to the same state. */
function cachedTable(find: TableFinder): TableFinder {
  let lastOperator: OperatorUid | undefined;
  let lastState: string | undefined;
  let table: BaseTable | undefined;
  return (operator, state) => {
    if (operator !== lastOperator || state !== lastState) {
      table = find(operator, state);
      lastOperator = operator;
      lastState = state;
    }
    return table;
  };
}

function tableOf(tables: Space['tables'], operator: OperatorUid, state: string): BaseTable {
  let states = tables.get(operator);
  if (states === undefined) tables.set(operator, (states = new Map<string, BaseTable>()));
  let table = states.get(state);
  if (table === undefined) states.set(state, (table = new BaseTable()));
  return table;
}

function baseRow(operator: OperatorUid, state: string, { keyGroup, key, namespace, row }: IndexedRow): BaseRow {
  return { operator, state, keyGroup, key, namespace, value: encodeDecodedValue(row.value) };
}

function scanToken({ state, keyGroup, key, namespace }: BaseRow): string {
  const place: ScanPlace = [state, keyGroup, key, namespace];
  return JSON.stringify(place);
}

function firstAtOrAfter(keys: readonly string[], key: string): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (compareText(keys[middle]!, key) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
