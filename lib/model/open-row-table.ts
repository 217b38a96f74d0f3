import type { KeyGroup, OperatorUid } from '../base/ids.ts';
import type { RowTable } from './row-table.ts';

/** A table that is being filled. */
export interface OpenRowTable extends RowTable {
  readonly keys: string[];
  readonly keyGroups: KeyGroup[];
  namespaces: string[] | null;
  readonly values: unknown[];
  deleted: number[] | null;
}

export function newRowTable(operator: OperatorUid, state: string): OpenRowTable {
  return { operator, state, keys: [], keyGroups: [], namespaces: null, values: [], deleted: null };
}

export function appendRow(table: OpenRowTable, key: string, keyGroup: KeyGroup, namespace: string, value: unknown, deleted: boolean): void {
  const row = table.keys.length;
  if (namespace !== '') table.namespaces ??= new Array<string>(row).fill('');
  if (deleted) table.deleted ??= new Array<number>(row).fill(0);
  table.keys.push(key);
  table.keyGroups.push(keyGroup);
  table.namespaces?.push(namespace);
  table.values.push(deleted ? undefined : value);
  table.deleted?.push(deleted ? 1 : 0);
}
