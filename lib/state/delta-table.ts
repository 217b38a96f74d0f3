import type { OperatorUid } from '../base/ids.ts';

/** Rows of one operator and state, by columns; what the hot path fills. */
export interface DeltaTable {
  readonly operator: OperatorUid;
  readonly state: string;
  readonly keys: string[];
  readonly keyGroups: number[];
  readonly namespaces: string[];
  readonly values: unknown[];
  /** 1 = deleted. */
  readonly deleted: number[];
}

/** The keys of a block's tables. */
export type TableKeys = readonly (readonly string[])[];

export function newDeltaTable(operator: OperatorUid, state: string): DeltaTable {
  return { operator, state, keys: [], keyGroups: [], namespaces: [], values: [], deleted: [] };
}

export function appendRow(table: DeltaTable, key: string, keyGroup: number, namespace: string, value: unknown, deleted: boolean): void {
  table.keys.push(key);
  table.keyGroups.push(keyGroup);
  table.namespaces.push(namespace);
  table.values.push(deleted ? undefined : value);
  table.deleted.push(deleted ? 1 : 0);
}
