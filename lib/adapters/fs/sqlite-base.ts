/**
 * The base of keyed state in SQLite (part of Node): point reads, so that opening it does not load the state.
 *
 * SB1. Every write is also in the log, in the log's order. SQLite's transaction that holds writes up to entry L commits only when the log is on disk up to
 *      L, and stores L: what SQLite has is always a prefix of the log, and entries behind L are applied again at the next start.
 * SB2. SQLite commits without a sync; a power loss may take it back, and then the log has it. Before a generation of the log ends, which had it, SQLite
 *      is synced.
 */
import { SluiceError } from '../../base/errors.ts';
import { rowsOfTables } from '../../model/table-rows.ts';
import type { RowTable } from '../../model/row-table.ts';
import type { StateAddress } from '../../model/state-row.ts';
import { encodeDecodedValue } from '../../model/value-json.ts';
import type { BaseRow, DueQuery, KeyedBase, KeyPage } from '../../ports/keyed-base.ts';
import type { Clock } from '../../ports/system.ts';
import type { MutationOf, WrittenRow } from '../memory/mutation.ts';
import type { FileJournal, LogFacts } from './file-journal.ts';
import { SqliteRows, type ScanPlace } from './sqlite-rows.ts';

type BaseMutation = MutationOf<'base-write' | 'base-purge' | 'base-drop'>;

export interface SqliteBaseOptions {
  readonly path: string;
  readonly clock: Clock;
  readonly journal: Pick<FileJournal, 'append' | 'durable'>;
}

/** Rows written into one transaction before writers wait for the log. */
const rowsPerTransactionMax = 200_000;

export class SqliteBase implements KeyedBase {
  readonly #options: SqliteBaseOptions;
  readonly #rows: SqliteRows;
  /** Last entry in the open transaction; 0 = none is open. */
  #openEntry = 0;
  #openRows = 0;
  #applied: number;

  /** @throws SluiceError `SLUICE-DATA-DIR-LOCKED`, `SLUICE-BASE-DAMAGED` */
  constructor(options: SqliteBaseOptions) {
    this.#options = options;
    this.#rows = SqliteRows.open(options.path);
    this.#applied = this.#rows.applied;
  }

  async read(space: string, addresses: readonly StateAddress[]): Promise<readonly (string | undefined)[]> {
    return addresses.map((address) => this.#rows.read(space, address));
  }

  async readKey(space: string, address: Omit<StateAddress, 'namespace'>, page?: KeyPage): Promise<readonly BaseRow[]> {
    return this.#rows.readKey(space, address, page);
  }

  async readDue(space: string, query: DueQuery): Promise<readonly BaseRow[]> {
    return this.#rows.readDue(space, query);
  }

  async scan(space: string, query: Parameters<KeyedBase['scan']>[1]): ReturnType<KeyedBase['scan']> {
    const { after, rowsMax } = query;
    const rows = this.#rows.scan(space, query, after === null ? null : (JSON.parse(after) as ScanPlace), rowsMax + 1);
    if (rows.length <= rowsMax) return { rows, next: null };
    rows.length = rowsMax;
    const { state, keyGroup, key, namespace } = rows[rowsMax - 1]!;
    return { rows, next: JSON.stringify([state, keyGroup, key, namespace] satisfies ScanPlace) };
  }

  async write(space: string, version: number, tables: readonly RowTable[]): Promise<void> {
    const rows = writtenRows(tables);
    if (rows.length === 0) return;
    this.#change({ kind: 'base-write', space, version, atMs: this.#options.clock.now(), rows });
    if (this.#openRows > rowsPerTransactionMax) await this.#options.journal.durable();
  }

  async purgeTombstones(space: string, olderThanMs: number): Promise<number> {
    return this.#change({ kind: 'base-purge', space, olderThanMs });
  }

  async drop(space: string): Promise<void> {
    this.#change({ kind: 'base-drop', space });
  }

  /** Whether SQLite had committed that entry of the log. */
  has(entry: number): boolean {
    return entry <= this.#applied;
  }

  /** From the log at the start: what SQLite has already is passed over. */
  replay(mutation: BaseMutation, entry: number): void {
    if (!this.has(entry)) this.#apply(mutation, entry);
  }

  /**
   * At the start: the log continues what SQLite has, and has all of it.
   * @throws SluiceError `SLUICE-BASE-DAMAGED`, `SLUICE-LOG-DAMAGED`
   */
  check({ lastEntry, baseEntry }: LogFacts): void {
    const { path } = this.#options;
    const facts = { path, applied: this.#applied, lastEntry, baseEntry };
    const hint = 'Restore the data directory from a copy, or start from a savepoint in an empty one.';
    if (this.#applied < baseEntry) {
      throw new SluiceError(
        'SLUICE-BASE-DAMAGED',
        `${path} is missing or old: it ends at entry ${this.#applied}, the log needs ${baseEntry}`,
        {
          hint,
          facts,
        },
      );
    }
    if (this.#applied > lastEntry) {
      throw new SluiceError('SLUICE-LOG-DAMAGED', `the log is cut off at entry ${lastEntry}: ${path} has entry ${this.#applied}`, {
        hint,
        facts,
      });
    }
  }

  /** The log is on disk up to `entry`. */
  synced(entry: number): void {
    if (this.#openEntry === 0 || this.#openEntry > entry) return;
    this.#rows.commit(this.#openEntry);
    this.#applied = this.#openEntry;
    this.#openEntry = 0;
    this.#openRows = 0;
  }

  /** Survives a power loss from now on; the number of the last entry that does. */
  settle(): number {
    this.#rows.checkpoint();
    return this.#applied;
  }

  /** What the log has on disk was committed; the rest is not to be. */
  close(): void {
    this.#rows.close();
  }

  #change(mutation: BaseMutation): number {
    return this.#apply(mutation, this.#options.journal.append(mutation));
  }

  /** Rows purged. */
  #apply(mutation: BaseMutation, entry: number): number {
    if (this.#openEntry === 0) this.#rows.begin();
    this.#openEntry = entry;
    switch (mutation.kind) {
      case 'base-write':
        this.#rows.write(mutation);
        this.#openRows += mutation.rows.length;
        return 0;
      case 'base-purge':
        return this.#rows.purge(mutation);
      case 'base-drop':
        this.#rows.drop(mutation);
        return 0;
    }
  }
}

function writtenRows(tables: readonly RowTable[]): WrittenRow[] {
  const rows: WrittenRow[] = [];
  for (const { operator, state, keyGroup, key, namespace, value, deleted } of rowsOfTables(tables)) {
    rows.push({ operator, state, keyGroup, key, namespace, value: deleted ? undefined : encodeDecodedValue(value) });
  }
  return rows;
}
