/**
 * Which partitions of rows a namespace of the base may have: DynamoDB cannot list them, and no plan can tell, because a restore may leave operators behind
 * or change their key groups.
 *
 * SR1. A bucket is registered before the first row is written to it.
 * SR2. The register is never taken back, also not when the namespace is dropped: other processes remember what they have registered. It is a few small
 *      items per operator.
 */
import type { OperatorUid } from '../../base/ids.ts';
import { inParallel } from './in-parallel.ts';
import { rowKeys } from './item-keys.ts';
import { number } from './stored-record.ts';
import type { Table } from './table.ts';

export interface RegisteredBucket {
  readonly operator: OperatorUid;
  readonly bucket: number;
}

const callsAtOnce = 8;

export class SpaceRegister {
  readonly #table: Table;
  readonly #known = new Set<string>();

  constructor(table: Table) {
    this.#table = table;
  }

  /** SR1. */
  async add(space: string, buckets: Iterable<RegisteredBucket>): Promise<void> {
    const pk = rowKeys.register(space);
    const unknown = new Map<string, RegisteredBucket>();
    for (const bucket of buckets) {
      const sk = rowKeys.registered(bucket.operator, bucket.bucket);
      if (!this.#known.has(pk + sk)) unknown.set(sk, bucket);
    }
    await inParallel([...unknown], callsAtOnce, async ([sk, { operator, bucket }]) => {
      await this.#table.write({ pk: { S: pk }, sk: { S: sk }, o: { S: operator }, g: number(bucket) });
      this.#known.add(pk + sk);
    });
  }

  async read(space: string): Promise<RegisteredBucket[]> {
    const items = await this.#table.all({ pk: rowKeys.register(space) });
    return items.map((item) => ({ operator: item['o']!.S as OperatorUid, bucket: Number(item['g']!.N) }));
  }
}
