import type { JobId } from '../../base/ids.ts';
import { invariant } from '../../base/invariant.ts';
import type { OperationRecord, OperationStore } from '../../ports/records.ts';
import type { Item } from '../aws-sdk/item-size.ts';
import { recordKeys, type ItemKey } from './item-keys.ts';
import { isNew, number, recordItem, recordOf } from './stored-record.ts';
import type { Table } from './table.ts';

export class DynamoDbOperations implements OperationStore {
  readonly #table: Table;

  constructor(table: Table) {
    this.#table = table;
  }

  async create(
    record: OperationRecord,
  ): Promise<{ readonly outcome: 'created' } | { readonly outcome: 'exists'; readonly record: OperationRecord }> {
    const put = await this.#table.compareAndPut(itemOf(record), isNew);
    if (put.outcome === 'stored') return { outcome: 'created' };
    const existing = put.existing === undefined ? await this.read(record.job, record.trigger) : recordOf<OperationRecord>(put.existing);
    invariant(existing !== undefined, 'operations', 'an operation that is there can be read', { job: record.job, trigger: record.trigger });
    return { outcome: 'exists', record: existing };
  }

  async read(job: JobId, trigger: string): Promise<OperationRecord | undefined> {
    const item = await this.#table.read(keyOf({ job, trigger }));
    return item === undefined ? undefined : recordOf<OperationRecord>(item);
  }

  async replace(record: OperationRecord, expectedVersion: number): Promise<'stored' | 'conflict'> {
    const condition = { expression: 'v = :expected', values: { ':expected': number(expectedVersion) } };
    return (await this.#table.compareAndPut(itemOf(record), condition)).outcome;
  }

  async list(job: JobId): Promise<readonly OperationRecord[]> {
    const items = await this.#table.all({ pk: recordKeys.operations(job) });
    return items.map((item) => recordOf<OperationRecord>(item)).sort((a, b) => a.createdAtMs - b.createdAtMs);
  }
}

function keyOf({ job, trigger }: Pick<OperationRecord, 'job' | 'trigger'>): ItemKey {
  return { pk: recordKeys.operations(job), sk: recordKeys.trigger(trigger) };
}

function itemOf(record: OperationRecord): Item {
  const { job, trigger, version = 0 } = record;
  return recordItem(keyOf(record), record, { job, trigger }, { v: number(version) });
}
