/**
 * The tables of `base.sqlite`: rows of keyed state by owner (job, operator, state), key group, key and namespace. Synchronous, in whatever transaction is
 * open; of the log it knows only the number that is stored with a transaction.
 *
 * SR1. A row is written only where the stored one is of no later version. A delete is a row without a value (tombstone) with the time of its write.
 * SR2. A power loss may take back the last transactions, whole and in order; what `checkpoint` has seen stays.
 */
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { SluiceError } from '../../base/errors.ts';
import type { StateAddress } from '../../model/state-row.ts';
import type { BaseRow, DueQuery, KeyedBase, KeyPage } from '../../ports/keyed-base.ts';
import type { MutationOf } from '../memory/mutation.ts';

/** The lock is held as long as the file is open, and ends with the process: a second one cannot write, whatever became of the directory's lock file. */
const pragmas = `
  PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA cache_size = -65536; PRAGMA temp_store = MEMORY;
`;

const schema = `
  CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS tables (id INTEGER PRIMARY KEY, space TEXT NOT NULL, operator TEXT NOT NULL, state TEXT NOT NULL, UNIQUE (space, operator, state));
  CREATE TABLE IF NOT EXISTS rows (
    owner INTEGER NOT NULL, key_group INTEGER NOT NULL, key TEXT NOT NULL, namespace TEXT NOT NULL,
    value TEXT, version INTEGER NOT NULL, at_ms INTEGER NOT NULL, timer INTEGER NOT NULL,
    PRIMARY KEY (owner, key_group, key, namespace)) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS due ON rows (owner, namespace, key_group, key) WHERE timer = 1;
  CREATE INDEX IF NOT EXISTS tombstones ON rows (owner, at_ms) WHERE value IS NULL;
`;

const selectRows = 'SELECT key_group, key, namespace, value FROM';

const queries = {
  applied: "SELECT value FROM meta WHERE name = 'applied'",
  setApplied: "INSERT INTO meta VALUES ('applied', ?) ON CONFLICT DO UPDATE SET value = excluded.value",
  owners: 'SELECT id, space, operator, state FROM tables',
  addOwner: 'INSERT INTO tables (space, operator, state) VALUES (?, ?, ?)',
  upsert: `INSERT INTO rows VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE
    SET value = excluded.value, version = excluded.version, at_ms = excluded.at_ms WHERE excluded.version >= rows.version`,
  purge: 'DELETE FROM rows WHERE owner = ? AND value IS NULL AND at_ms < ?',
  drop: 'DELETE FROM rows WHERE owner = ?',
  read: 'SELECT value FROM rows WHERE owner = ? AND key_group = ? AND key = ? AND namespace = ?',
  readKey: `${selectRows} rows WHERE owner = ? AND key_group = ? AND key = ? AND value IS NOT NULL ORDER BY namespace`,
  readKeyAfter: `${selectRows} rows WHERE owner = ? AND key_group = ? AND key = ? AND namespace > ? AND value IS NOT NULL ORDER BY namespace LIMIT ?`,
  scan: `${selectRows} rows WHERE owner = ? AND (key_group, key, namespace) > (?, ?, ?) AND key_group BETWEEN ? AND ? AND value IS NOT NULL
    ORDER BY key_group, key, namespace LIMIT ?`,
  // Timers have an index in this order; any other state is sorted.
  dueTimers: dueQuery('rows INDEXED BY due', 1, ''),
  dueTimersAfter: dueQuery('rows INDEXED BY due', 1, 'AND (namespace, key_group, key) > (?, ?, ?)'),
  dueRows: dueQuery('rows', 0, ''),
  dueRowsAfter: dueQuery('rows', 0, 'AND (namespace, key_group, key) > (?, ?, ?)'),
} as const;

function dueQuery(from: string, timer: 0 | 1, place: string): string {
  return `${selectRows} ${from} WHERE timer = ${timer} AND owner = ? AND value IS NOT NULL ${place} AND key_group BETWEEN ? AND ?
    ORDER BY namespace, key_group, key LIMIT ?`;
}

interface StoredRow {
  readonly key_group: number;
  readonly key: string;
  readonly namespace: string;
  /** Tombstones are not selected. */
  readonly value: string;
}

interface OwnerName {
  readonly space: string;
  readonly operator: string;
  readonly state: string;
}

export type ScanPlace = readonly [state: string, keyGroup: number, key: string, namespace: string];

export class SqliteRows {
  readonly #database: DatabaseSync;
  readonly #statements: Record<keyof typeof queries, StatementSync>;
  readonly #owners = new Map<string, number>();

  private constructor(database: DatabaseSync) {
    this.#database = database;
    database.exec(pragmas);
    database.exec(schema);
    this.#statements = Object.fromEntries(Object.entries(queries).map(([name, sql]) => [name, database.prepare(sql)])) as Record<
      keyof typeof queries,
      StatementSync
    >;
    for (const row of this.#statements.owners.all() as unknown as (OwnerName & { readonly id: number })[]) {
      this.#owners.set(ownerId(row), row.id);
    }
  }

  /** @throws SluiceError `SLUICE-DATA-DIR-LOCKED`, `SLUICE-BASE-DAMAGED` */
  static open(path: string): SqliteRows {
    const database = new DatabaseSync(path);
    try {
      return new SqliteRows(database);
    } catch (error) {
      database.close();
      throw refused(path, error);
    }
  }

  /** Number of the log's last entry that is in the file. */
  get applied(): number {
    return (this.#statements.applied.get() as { readonly value: number } | undefined)?.value ?? 0;
  }

  begin(): void {
    this.#database.exec('BEGIN IMMEDIATE');
  }

  commit(applied: number): void {
    this.#statements.setApplied.run(applied);
    this.#database.exec('COMMIT');
  }

  /** All that was committed survives a power loss. */
  checkpoint(): void {
    this.#database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  }

  /** What was not committed is gone. */
  close(): void {
    this.#database.close();
  }

  write({ space, version, atMs, rows }: MutationOf<'base-write'>): void {
    const { upsert } = this.#statements;
    for (const { operator, state, keyGroup, key, namespace, value } of rows) {
      const timer = isTimer(state) ? 1 : 0;
      upsert.run(this.#ownerOf({ space, operator, state }), keyGroup, key, namespace, value ?? null, version, atMs, timer);
    }
  }

  /** How many tombstones are gone. */
  purge({ space, olderThanMs }: MutationOf<'base-purge'>): number {
    return this.#ownersOf(space).reduce((sum, [, owner]) => sum + Number(this.#statements.purge.run(owner, olderThanMs).changes), 0);
  }

  drop({ space }: MutationOf<'base-drop'>): void {
    for (const [, owner] of this.#ownersOf(space)) this.#statements.drop.run(owner);
  }

  read(space: string, { operator, state, keyGroup, key, namespace }: StateAddress): string | undefined {
    const owner = this.#owners.get(ownerId({ space, operator, state }));
    if (owner === undefined) return undefined;
    const row = this.#statements.read.get(owner, keyGroup, key, namespace) as { readonly value: string | null } | undefined;
    return row?.value ?? undefined;
  }

  readKey(space: string, { operator, state, keyGroup, key }: Omit<StateAddress, 'namespace'>, page?: KeyPage): readonly BaseRow[] {
    const owner = this.#owners.get(ownerId({ space, operator, state }));
    if (owner === undefined) return [];
    const { readKey, readKeyAfter } = this.#statements;
    const rows = page === undefined ? readKey.all(owner, keyGroup, key) : readKeyAfter.all(owner, keyGroup, key, page.after, page.rowsMax);
    return baseRows(operator, state, rows);
  }

  readDue(space: string, { operator, state, keyGroups: { start, end }, after, rowsMax }: DueQuery): readonly BaseRow[] {
    const owner = this.#owners.get(ownerId({ space, operator, state }));
    if (owner === undefined) return [];
    const { dueTimers, dueTimersAfter, dueRows, dueRowsAfter } = this.#statements;
    const [fromStart, fromPlace] = isTimer(state) ? [dueTimers, dueTimersAfter] : [dueRows, dueRowsAfter];
    const rows =
      after === null
        ? fromStart.all(owner, start, end, rowsMax)
        : fromPlace.all(owner, after.namespace, after.keyGroup, after.key, start, end, rowsMax);
    return baseRows(operator, state, rows);
  }

  /** At most `rowsMax`, in order of state, key group, key, namespace. */
  scan(
    space: string,
    { operator, keyGroups }: Pick<Parameters<KeyedBase['scan']>[1], 'operator' | 'keyGroups'>,
    after: ScanPlace | null,
    rowsMax: number,
  ): BaseRow[] {
    const found: BaseRow[] = [];
    for (const [state, owner] of this.#ownersOf(space, operator)) {
      if (after !== null && state < after[0]) continue;
      const [, keyGroup, key, namespace] = after !== null && state === after[0] ? after : [state, -1, '', ''];
      const left = rowsMax - found.length;
      const rows = this.#statements.scan.all(owner, keyGroup, key, namespace, keyGroups.start, keyGroups.end, left);
      for (const row of baseRows(operator, state, rows)) found.push(row);
      if (found.length >= rowsMax) break;
    }
    return found;
  }

  #ownerOf(name: OwnerName): number {
    const id = ownerId(name);
    let owner = this.#owners.get(id);
    if (owner === undefined) {
      owner = Number(this.#statements.addOwner.run(name.space, name.operator, name.state).lastInsertRowid);
      this.#owners.set(id, owner);
    }
    return owner;
  }

  /** In order of their state's name. */
  #ownersOf(space: string, operator?: string): readonly (readonly [state: string, owner: number])[] {
    const owners: [string, number][] = [];
    for (const [id, owner] of this.#owners) {
      const [ofSpace, ofOperator, state] = JSON.parse(id) as [string, string, string];
      if (ofSpace === space && (operator === undefined || ofOperator === operator)) owners.push([state, owner]);
    }
    return owners.sort(([a], [b]) => (a < b ? -1 : 1));
  }
}

function isTimer(state: string): boolean {
  return state.startsWith('#');
}

function ownerId({ space, operator, state }: OwnerName): string {
  return JSON.stringify([space, operator, state]);
}

function baseRows(operator: BaseRow['operator'], state: string, rows: unknown[]): BaseRow[] {
  return (rows as StoredRow[]).map(({ key_group: keyGroup, key, namespace, value }) => ({
    operator,
    state,
    keyGroup,
    key,
    namespace,
    value,
  }));
}

/** SQLite's result codes: https://www.sqlite.org/rescode.html */
const busy = 5;
const corrupt = 11;
const notADatabase = 26;

function refused(path: string, error: unknown): unknown {
  const result = (error as { readonly errcode?: number }).errcode ?? 0;
  if (result === busy) {
    return new SluiceError('SLUICE-DATA-DIR-LOCKED', `${path} is in use by another process`, {
      hint: 'Stop that run first (sluice stop, or Ctrl-C where it runs), or use another data directory.',
      facts: { path },
      cause: error,
    });
  }
  if (result !== notADatabase && (result & 0xff) !== corrupt) return error;
  return new SluiceError('SLUICE-BASE-DAMAGED', `${path} is damaged: SQLite cannot read it`, {
    hint: 'Restore the data directory from a copy, or start from a savepoint in an empty one.',
    facts: { path },
    cause: error,
  });
}
