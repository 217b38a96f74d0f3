import type { OperatorUid } from '../base/ids.ts';
import { newDeltaTable, type DeltaTable } from './delta-table.ts';

/** Delta tables of one operator by state, made as they are needed. */
export class TableSet {
  readonly #operator: OperatorUid;
  readonly #tables = new Map<string, DeltaTable>();

  constructor(operator: OperatorUid) {
    this.#operator = operator;
  }

  of(state: string): DeltaTable {
    let table = this.#tables.get(state);
    if (table === undefined) this.#tables.set(state, (table = newDeltaTable(this.#operator, state)));
    return table;
  }

  list(): DeltaTable[] {
    return [...this.#tables.values()];
  }
}
