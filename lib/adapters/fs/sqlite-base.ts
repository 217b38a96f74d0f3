/**
 * The base of keyed state in SQLite (part of Node): point reads, so that opening it does not load the state.
 *
 * SB1. Every write is also in the log, in the log's order. SQLite's transaction that holds writes up to entry L commits only when the log is on disk up to
 *      L, and stores L: what SQLite has is always a prefix of the log, and entries behind L are applied again at the next start.
 * SB2. A write is fenced per row by epoch; a delete is a row without a value (tombstone) with the time of its write.
 */
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import type { Epoch } from '../../base/ids.ts';
import type { StateAddress } from '../../model/state-row.ts';
import type { BaseRow, DueQuery, KeyedBase } from '../../ports/keyed-base.ts';
import type { Clock } from '../../ports/system.ts';
import type { Mutation, MutationOf } from '../memory/mutation.ts';

export type BaseMutation = MutationOf<'base-write' | 'base-purge' | 'base-drop'>;

const schema = `
  CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS tables (id INTEGER PRIMARY KEY, space TEXT NOT NULL, operator TEXT NOT NULL, state TEXT NOT NULL, UNIQUE (space, operator, state));
  CREATE TABLE IF NOT EXISTS rows (
    owner INTEGER NOT NULL, key_group INTEGER NOT NULL, key TEXT NOT NULL, namespace TEXT NOT NULL,
    value TEXT, epoch INTEGER NOT NULL, at_ms INTEGER NOT NULL, timer INTEGER NOT NULL,
    PRIMARY KEY (owner, key_group, key, namespace)) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS due ON rows (owner, namespace, key_group, key) WHERE timer = 1;
  CREATE INDEX IF NOT EXISTS tombstones ON rows (owner, at_ms) WHERE value IS NULL;
`;

interface StoredRow {
  readonly key_group: number;
  readonly key: string;
  readonly namespace: string;
  readonly value: string | null;
}

export interface SqliteBaseOptions {
  readonly path: string;
  readonly clock: Clock;
  /** Appends to the log and returns the entry's number. */
  readonly append: (mutation: Mutation) => number;
  readonly durable: () => Promise<void>;
}

/** Rows written into one transaction before writers wait for the log. */
const rowsPerTransactionMax = 200_000;

export class SqliteBase implements KeyedBase {
  readonly #options: SqliteBaseOptions;
  readonly #database: DatabaseSync;
  readonly #tables = new Map<string, number>();
  readonly #statements: Record<'upsert' | 'read' | 'readKey' | 'purge' | 'count', StatementSync>;
  readonly #due: Record<number, { readonly due: StatementSync; readonly dueAfter: StatementSync }> = {};
  /** Last entry in the open transaction; 0 = none is open. */
  #openEntry = 0;
  #openRows = 0;
  #applied: number;

  constructor(options: SqliteBaseOptions) {
    this.#options = options;
    const database = new DatabaseSync(options.path);
    this.#database = database;
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -65536; PRAGMA temp_store = MEMORY;');
    database.exec(schema);
    for (const row of database.prepare('SELECT id, space, operator, state FROM tables').all() as unknown as (TableName & {
      id: number;
    })[]) {
      this.#tables.set(tableId(row), row.id);
    }
    const columns = 'key_group, key, namespace, value';
    this.#statements = {
      upsert: database.prepare(`INSERT INTO rows VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE
        SET value = excluded.value, epoch = excluded.epoch, at_ms = excluded.at_ms WHERE excluded.epoch >= rows.epoch`),
      read: database.prepare('SELECT value FROM rows WHERE owner = ? AND key_group = ? AND key = ? AND namespace = ?'),
      readKey: database.prepare(
        `SELECT ${columns} FROM rows WHERE owner = ? AND key_group = ? AND key = ? AND value IS NOT NULL ORDER BY namespace`,
      ),
      purge: database.prepare('DELETE FROM rows WHERE owner = ? AND value IS NULL AND at_ms < ?'),
      count: database.prepare("INSERT INTO meta VALUES ('applied', ?) ON CONFLICT DO UPDATE SET value = excluded.value"),
    };
    const applied = database.prepare("SELECT value FROM meta WHERE name = 'applied'").get() as { value: number } | undefined;
    this.#applied = applied?.value ?? 0;
  }

  async read(space: string, addresses: readonly StateAddress[]): Promise<readonly (string | undefined)[]> {
    return addresses.map(({ operator, state, keyGroup, key, namespace }) => {
      const owner = this.#tables.get(tableId({ space, operator, state }));
      if (owner === undefined) return undefined;
      const row = this.#statements.read.get(owner, keyGroup, key, namespace) as { value: string | null } | undefined;
      return row?.value ?? undefined;
    });
  }

  async readKey(space: string, { operator, state, keyGroup, key }: Omit<StateAddress, 'namespace'>): Promise<readonly BaseRow[]> {
    const owner = this.#tables.get(tableId({ space, operator, state }));
    if (owner === undefined) return [];
    return (this.#statements.readKey.all(owner, keyGroup, key) as unknown as StoredRow[]).map((row) => baseRow(operator, state, row));
  }

  async readDue(space: string, { operator, state, keyGroups: { start, end }, after, rowsMax }: DueQuery): Promise<readonly BaseRow[]> {
    const owner = this.#tables.get(tableId({ space, operator, state }));
    if (owner === undefined) return [];
    const { due, dueAfter } = this.#dueStatements(state);
    const rows =
      after === null
        ? due.all(owner, start, end, rowsMax)
        : dueAfter.all(owner, after.namespace, after.keyGroup, after.key, start, end, rowsMax);
    return (rows as unknown as StoredRow[]).map((row) => baseRow(operator, state, row));
  }

  /** Timers have an index in that order; any other state is sorted. */
  #dueStatements(state: string): { readonly due: StatementSync; readonly dueAfter: StatementSync } {
    const [from, timer] = state.startsWith('#') ? ['rows INDEXED BY due', 1] : ['rows', 0];
    const known = this.#due[timer];
    if (known !== undefined) return known;
    const query = (place: string): StatementSync =>
      this.#database
        .prepare(`SELECT key_group, key, namespace, value FROM ${from} WHERE timer = ${timer} AND owner = ? AND value IS NOT NULL
        ${place} AND key_group BETWEEN ? AND ? ORDER BY namespace, key_group, key LIMIT ?`);
    return (this.#due[timer] = { due: query(''), dueAfter: query('AND (namespace, key_group, key) > (?, ?, ?)') });
  }

  async write(space: string, epoch: Epoch, rows: readonly BaseRow[]): Promise<void> {
    if (rows.length === 0) return;
    this.#change({ kind: 'base-write', space, epoch, atMs: this.#options.clock.now(), rows });
    if (this.#openRows > rowsPerTransactionMax) await this.#options.durable();
  }

  async scan(space: string, query: Parameters<KeyedBase['scan']>[1]): ReturnType<KeyedBase['scan']> {
    const { operator, keyGroups, after, rowsMax } = query;
    const owners = this.#ownersOf(space, operator);
    const place = after === null ? undefined : (JSON.parse(after) as [state: string, keyGroup: number, key: string, namespace: string]);
    const rows: BaseRow[] = [];
    for (const [state, owner] of owners) {
      if (place !== undefined && state < place[0]) continue;
      const from = place !== undefined && state === place[0] ? place.slice(1) : [-1, '', ''];
      const left = rowsMax + 1 - rows.length;
      const found = this.#database
        .prepare(
          `SELECT key_group, key, namespace, value FROM rows WHERE owner = ? AND (key_group, key, namespace) > (?, ?, ?)
           AND key_group BETWEEN ? AND ? AND value IS NOT NULL ORDER BY key_group, key, namespace LIMIT ?`,
        )
        .all(owner, ...(from as [number, string, string]), keyGroups.start, keyGroups.end, left);
      for (const row of found as unknown as StoredRow[]) rows.push(baseRow(operator, state, row));
      if (rows.length > rowsMax) break;
    }
    if (rows.length <= rowsMax) return { rows, next: null };
    rows.length = rowsMax;
    const { state, keyGroup, key, namespace } = rows[rowsMax - 1]!;
    return { rows, next: JSON.stringify([state, keyGroup, key, namespace]) };
  }

  async purgeTombstones(space: string, olderThanMs: number): Promise<number> {
    return this.#change({ kind: 'base-purge', space, olderThanMs });
  }

  async drop(space: string): Promise<void> {
    this.#change({ kind: 'base-drop', space });
  }

  /** Whether SQLite had committed that entry of the log before the start. */
  has(entry: number): boolean {
    return entry <= this.#applied;
  }

  /** From the log at the start: what SQLite has already is passed over. */
  replay(mutation: BaseMutation, entry: number): void {
    if (!this.has(entry)) this.#applyIn(mutation, entry);
  }

  /** The log is on disk up to `entry`. */
  synced(entry: number): void {
    if (this.#openEntry !== 0 && this.#openEntry <= entry) this.commit();
  }

  /** Ends the open transaction; the log must be on disk up to its last entry. */
  commit(): void {
    if (this.#openEntry === 0) return;
    this.#statements.count.run(this.#openEntry);
    this.#database.exec('COMMIT');
    this.#applied = this.#openEntry;
    this.#openEntry = 0;
    this.#openRows = 0;
  }

  close(): void {
    this.commit();
    this.#database.close();
  }

  #change(mutation: BaseMutation): number {
    return this.#applyIn(mutation, this.#options.append(mutation));
  }

  #applyIn(mutation: BaseMutation, entry: number): number {
    if (this.#openEntry === 0) this.#database.exec('BEGIN IMMEDIATE');
    this.#openEntry = entry;
    return this.#apply(mutation);
  }

  #apply(mutation: BaseMutation): number {
    switch (mutation.kind) {
      case 'base-write':
        return this.#applyRows(mutation);
      case 'base-purge':
        return this.#ownersOf(mutation.space).reduce(
          (sum, [, owner]) => sum + Number(this.#statements.purge.run(owner, mutation.olderThanMs).changes),
          0,
        );
      case 'base-drop':
        for (const [, owner] of this.#ownersOf(mutation.space)) this.#database.prepare('DELETE FROM rows WHERE owner = ?').run(owner);
        return 0;
    }
  }

  #applyRows({ space, epoch, atMs, rows }: MutationOf<'base-write'>): number {
    const { upsert } = this.#statements;
    for (const { operator, state, keyGroup, key, namespace, value } of rows) {
      upsert.run(
        this.#tableOf({ space, operator, state }),
        keyGroup,
        key,
        namespace,
        value ?? null,
        epoch,
        atMs,
        state.startsWith('#') ? 1 : 0,
      );
    }
    this.#openRows += rows.length;
    return rows.length;
  }

  #tableOf(name: TableName): number {
    const id = tableId(name);
    let owner = this.#tables.get(id);
    if (owner === undefined) {
      const { lastInsertRowid } = this.#database
        .prepare('INSERT INTO tables (space, operator, state) VALUES (?, ?, ?)')
        .run(name.space, name.operator, name.state);
      this.#tables.set(id, (owner = Number(lastInsertRowid)));
    }
    return owner;
  }

  /** In order of their state's name. */
  #ownersOf(space: string, operator?: string): readonly (readonly [state: string, owner: number])[] {
    const owners: [string, number][] = [];
    for (const [id, owner] of this.#tables) {
      const [ofSpace, ofOperator, state] = JSON.parse(id) as [string, string, string];
      if (ofSpace === space && (operator === undefined || ofOperator === operator)) owners.push([state, owner]);
    }
    return owners.sort(([a], [b]) => (a < b ? -1 : 1));
  }
}

interface TableName {
  readonly space: string;
  readonly operator: string;
  readonly state: string;
}

function tableId({ space, operator, state }: TableName): string {
  return JSON.stringify([space, operator, state]);
}

function baseRow(operator: BaseRow['operator'], state: string, { key_group: keyGroup, key, namespace, value }: StoredRow): BaseRow {
  return { operator, state, keyGroup, key, namespace, value: value ?? undefined };
}
