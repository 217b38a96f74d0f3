/**
 * The base of keyed state in memory. Nothing here is journaled: with a data directory the base is SQLite's (../fs/sqlite-base.ts).
 *
 * K1. A write is fenced per row: a stored row of a higher version stays, tombstones included.
 */
import type { KeyGroup, OperatorUid } from '../../base/ids.ts';
import type { KeyGroupRange } from '../../model/key-group-range.ts';
import type { StateAddress } from '../../model/state-row.ts';
import type { BaseRow, DueQuery, KeyedBase } from '../../ports/keyed-base.ts';
import type { Clock } from '../../ports/system.ts';
import { BaseTable } from './base-table.ts';
import { Deque } from './deque.ts';
import type { IndexedRow, Row } from './due-index.ts';
import { compareText } from './text-order.ts';

interface Tombstone {
  readonly table: BaseTable;
  readonly keyGroup: KeyGroup;
  readonly key: string;
  readonly namespace: string;
  readonly row: Row;
  readonly atMs: number;
}

interface Space {
  readonly tables: Map<OperatorUid, Map<string, BaseTable>>;
  readonly tombstones: Deque<Tombstone>;
}

type ScanPlace = readonly [state: string, keyGroup: KeyGroup, key: string, namespace: string];

export class MemoryKeyedBase implements KeyedBase {
  readonly #clock: Clock;
  readonly #spaces = new Map<string, Space>();
  /** The keys of the key group that a scan stands in: sorted once for all its pages, as long as no key comes or goes. */
  #scanned:
    { readonly table: BaseTable; readonly keyGroup: KeyGroup; readonly keyChanges: number; readonly keys: readonly string[] } | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async read(space: string, addresses: readonly StateAddress[]): Promise<readonly (string | undefined)[]> {
    const tables = this.#spaces.get(space)?.tables;
    const values = new Array<string | undefined>(addresses.length).fill(undefined);
    if (tables === undefined) return values;
    const find = cachedTable((operator, state) => tables.get(operator)?.get(state));
    for (let i = 0; i < addresses.length; i++) {
      const { operator, state, keyGroup, key, namespace } = addresses[i]!;
      values[i] = find(operator, state)?.get(keyGroup, key, namespace)?.value;
    }
    return values;
  }

  async readKey(space: string, { operator, state, keyGroup, key }: Omit<StateAddress, 'namespace'>): Promise<readonly BaseRow[]> {
    const rows = this.#spaces.get(space)?.tables.get(operator)?.get(state)?.ofKey(keyGroup, key) ?? [];
    return rows.map((row) => baseRow(operator, state, row));
  }

  async readDue(space: string, query: DueQuery): Promise<readonly BaseRow[]> {
    const { operator, state, keyGroups, after, rowsMax } = query;
    const rows = this.#spaces.get(space)?.tables.get(operator)?.get(state)?.due(keyGroups, after, rowsMax) ?? [];
    return rows.map((row) => baseRow(operator, state, row));
  }

  async write(space: string, version: number, rows: readonly BaseRow[]): Promise<void> {
    const { tables, tombstones } = this.#space(space);
    const atMs = this.#clock.now();
    const find = cachedTable((operator, state) => tableOf(tables, operator, state));
    for (const { operator, state, keyGroup, key, namespace, value } of rows) {
      const table = find(operator, state)!;
      const tombstone = table.put(keyGroup, key, namespace, value, version);
      if (tombstone !== undefined) tombstones.push({ table, keyGroup, key, namespace, row: tombstone, atMs });
    }
  }

  async scan(
    space: string,
    query: Parameters<KeyedBase['scan']>[1],
  ): Promise<{ readonly rows: readonly BaseRow[]; readonly next: string | null }> {
    const { operator, keyGroups, after, rowsMax } = query;
    // What a new scan finds begins now, not where an earlier one of the same group did.
    if (after === null) this.#scanned = undefined;
    const tables = this.#spaces.get(space)?.tables.get(operator) ?? new Map<string, BaseTable>();
    const rows: BaseRow[] = [];
    for (const row of this.#rowsAfter(operator, tables, keyGroups, after === null ? null : (JSON.parse(after) as ScanPlace))) {
      if (rows.length === rowsMax) return { rows, next: scanToken(rows.at(-1)!) };
      rows.push(row);
    }
    return { rows, next: null };
  }

  async purgeTombstones(space: string, olderThanMs: number): Promise<number> {
    const tombstones = this.#spaces.get(space)?.tombstones;
    let purged = 0;
    for (let oldest = tombstones?.peek(); oldest !== undefined && oldest.atMs < olderThanMs; oldest = tombstones?.peek()) {
      tombstones?.shift();
      const { table, keyGroup, key, namespace, row } = oldest;
      if (table.get(keyGroup, key, namespace) !== row) continue;
      table.remove(keyGroup, key, namespace);
      purged += 1;
    }
    return purged;
  }

  async drop(space: string): Promise<void> {
    this.#spaces.delete(space);
    this.#scanned = undefined;
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
    after: ScanPlace | null,
  ): Iterable<BaseRow> {
    const [afterState, afterKeyGroup, afterKey, afterNamespace] = after ?? ['', -1, '', ''];
    for (const state of [...tables.keys()].sort(compareText)) {
      const stateOrder = after === null ? 1 : compareText(state, afterState);
      if (stateOrder < 0) continue;
      const table = tables.get(state)!;
      for (const keyGroup of table.keyGroupsIn(range)) {
        const inStartedGroup = stateOrder === 0 && keyGroup === afterKeyGroup;
        if (stateOrder === 0 && keyGroup < afterKeyGroup) continue;
        const keys = this.#sortedKeys(table, keyGroup);
        for (let i = inStartedGroup ? firstAtOrAfter(keys, afterKey) : 0; i < keys.length; i++) {
          const inStartedKey = inStartedGroup && keys[i] === afterKey;
          for (const row of table.ofKey(keyGroup, keys[i]!)) {
            if (!inStartedKey || compareText(row.namespace, afterNamespace) > 0) yield baseRow(operator, state, row);
          }
        }
      }
    }
  }

  #sortedKeys(table: BaseTable, keyGroup: KeyGroup): readonly string[] {
    const { keyChanges } = table;
    let sorted = this.#scanned;
    if (sorted?.table !== table || sorted.keyGroup !== keyGroup || sorted.keyChanges !== keyChanges) {
      this.#scanned = sorted = { table, keyGroup, keyChanges, keys: table.keysOf(keyGroup) };
    }
    return sorted.keys;
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
  return { operator, state, keyGroup, key, namespace, value: row.value };
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
