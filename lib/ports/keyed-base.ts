/**
 * The base of keyed state: every row as of some moment at or below the floor.
 *
 * Guarantees needed:
 * - Point reads: cost and time do not depend on the size of the state.
 * - Writes are absolute values, fenced per row: a row whose stored version is higher stays. A delete leaves a tombstone with its version.
 *   Whoever writes a version of an address writes the same value, so that a zombie changes nothing.
 * - Reads see every completed write.
 * - A key is always in the same key group.
 * - Texts may be of any length. Order is by UTF-8 bytes; namespaces that agree in their first 180 bytes may come in another order, always the same.
 * Values come as what they are, decoded from bytes, and belong to the store; they are read as text of value-json.
 */
import type { OperatorUid } from '../base/ids.ts';
import type { KeyGroupRange } from '../model/key-group-range.ts';
import type { RowTable } from '../model/row-table.ts';
import type { StateAddress } from '../model/state-row.ts';

export interface BaseRow extends StateAddress {
  /** Text of value-json. */
  readonly value: string;
}

export interface DueCursor {
  readonly namespace: string;
  readonly keyGroup: number;
  readonly key: string;
}

export interface DueQuery {
  readonly operator: OperatorUid;
  readonly state: string;
  readonly keyGroups: KeyGroupRange;
  readonly after: DueCursor | null;
  readonly rowsMax: number;
}

export interface KeyPage {
  readonly after: string;
  readonly rowsMax: number;
}

export interface KeyedBase {
  /** One result per address, `undefined` where there is no row. `space` is the job's own namespace. */
  read(space: string, addresses: readonly StateAddress[]): Promise<readonly (string | undefined)[]>;
  /**
   * Rows of one key in one state that is no timer state, in order of their namespace: maps and windows. All, or a page: those strictly after a namespace,
   * at most `rowsMax`; fewer = there are no more.
   */
  readKey(space: string, address: Omit<StateAddress, 'namespace'>, page?: KeyPage): Promise<readonly BaseRow[]>;
  /**
   * Timers by time: rows of one of the timer states (`timerStates`; no other state is kept so) in a range of key groups, in order of (namespace, key group,
   * key), strictly after the cursor `after` (null = from the start), at most `rowsMax`. Fewer rows than asked for = there are no more.
   */
  readDue(space: string, query: DueQuery): Promise<readonly BaseRow[]>;
  /** Of an address that comes twice the last row counts. `version` is a whole number that grows with time. */
  write(space: string, version: number, tables: readonly RowTable[]): Promise<void>;
  /** Pages through an operator's rows in a range of key groups, in any stable order; for exports. */
  scan(
    space: string,
    query: { readonly operator: OperatorUid; readonly keyGroups: KeyGroupRange; readonly after: string | null; readonly rowsMax: number },
  ): Promise<{ readonly rows: readonly BaseRow[]; readonly next: string | null }>;
  /**
   * Removes tombstones written before `olderThanMs` (time of the write, not a version), and says how many. A base whose tombstones go by themselves, a
   * given time after their write or later, removes none.
   */
  purgeTombstones(space: string, olderThanMs: number): Promise<number>;
  drop(space: string): Promise<void>;
}
