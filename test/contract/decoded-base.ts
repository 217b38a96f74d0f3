import type { StateAddress } from '../../lib/model/state-row.ts';
import { decodeValue } from '../../lib/model/value-json.ts';
import type { BaseRow, DueQuery, KeyedBase } from '../../lib/ports/keyed-base.ts';
import { baseTables } from '../setup/base-tables.ts';

/** undefined = delete. */
export interface ValueRow extends StateAddress {
  readonly value: string | undefined;
}

/** A base whose values are strings, going in and coming out. */
export class DecodedBase {
  readonly #base: KeyedBase;

  constructor(base: KeyedBase) {
    this.#base = base;
  }

  write(space: string, version: number, rows: readonly ValueRow[]): Promise<void> {
    return this.#base.write(space, version, baseTables(rows));
  }

  async read(space: string, addresses: readonly StateAddress[]): Promise<(string | undefined)[]> {
    const texts = await this.#base.read(space, addresses);
    return texts.map((text) => (text === undefined ? undefined : (decodeValue(text) as string)));
  }

  async readKey(space: string, address: Omit<StateAddress, 'namespace'>): Promise<ValueRow[]> {
    return (await this.#base.readKey(space, address)).map(decoded);
  }

  async readDue(space: string, query: DueQuery): Promise<ValueRow[]> {
    return (await this.#base.readDue(space, query)).map(decoded);
  }

  async scan(space: string, query: Parameters<KeyedBase['scan']>[1]): Promise<{ readonly rows: ValueRow[]; readonly next: string | null }> {
    const { rows, next } = await this.#base.scan(space, query);
    return { rows: rows.map(decoded), next };
  }

  purgeTombstones(space: string, olderThanMs: number): Promise<number> {
    return this.#base.purgeTombstones(space, olderThanMs);
  }

  drop(space: string): Promise<void> {
    return this.#base.drop(space);
  }
}

function decoded(row: BaseRow): ValueRow {
  return { ...row, value: decodeValue(row.value) as string };
}
