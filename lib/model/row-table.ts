/**
 * Rows of one operator and state by columns: what commits, deltas and base hand on by the thousand. Most states have one row per key and lose none, so the
 * columns that would say the same of every row are left out.
 */
import type { KeyGroup, OperatorUid } from '../base/ids.ts';

export interface RowTable {
  readonly operator: OperatorUid;
  readonly state: string;
  readonly keys: readonly string[];
  readonly keyGroups: readonly KeyGroup[];
  /** null = '' in every row. */
  readonly namespaces: readonly string[] | null;
  /** Of a deleted row: undefined. */
  readonly values: readonly unknown[];
  /** 1 = deleted; null = no row is. */
  readonly deleted: readonly number[] | null;
}

/** The keys of a block's tables. */
export type TableKeys = readonly (readonly string[])[];

export function namespaceAt({ namespaces }: RowTable, row: number): string {
  return namespaces === null ? '' : namespaces[row]!;
}

export function isDeletedAt({ deleted }: RowTable, row: number): boolean {
  return deleted !== null && deleted[row] === 1;
}

export function sliceTable(
  { operator, state, keys, keyGroups, namespaces, values, deleted }: RowTable,
  from: number,
  to: number,
): RowTable {
  return {
    operator,
    state,
    keys: keys.slice(from, to),
    keyGroups: keyGroups.slice(from, to),
    namespaces: namespaces?.slice(from, to) ?? null,
    values: values.slice(from, to),
    deleted: deleted?.slice(from, to) ?? null,
  };
}
