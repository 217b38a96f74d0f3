import type { Attempt } from '../../base/ids.ts';
import { invariant } from '../../base/invariant.ts';
import type { ShardAddress, ShardRecord } from '../../model/shard-record.ts';
import type { CommitOutcome, ShardRecordStore } from '../../ports/records.ts';
import { recordKeys } from './item-keys.ts';
import { isNew, number, recordItem, recordOf } from './stored-record.ts';
import type { PutCondition, Table } from './table.ts';

export class DynamoDbShardRecords implements ShardRecordStore {
  readonly #table: Table;

  constructor(table: Table) {
    this.#table = table;
  }

  async read(address: ShardAddress): Promise<ShardRecord | undefined> {
    const item = await this.#table.read(recordKeys.shard(address));
    return item === undefined ? undefined : recordOf<ShardRecord>(item);
  }

  async commit(record: ShardRecord, expected: { readonly version: number; readonly attempt: Attempt }): Promise<CommitOutcome> {
    const { job, uid, shard, version, attempt } = record;
    invariant(version === expected.version + 1, 'shard-record', 'a commit is one version above what it replaces', {
      job,
      uid,
      shard,
      version,
      expectedVersion: expected.version,
    });
    const compared = { v: number(version), a: number(attempt) };
    const item = recordItem(recordKeys.shard(record), record, { job, operator: uid, shard }, compared);
    const put = await this.#table.compareAndPut(item, conditionOf(expected));
    if (put.outcome === 'stored') return { outcome: 'committed' };
    return { outcome: 'conflict', existing: put.existing === undefined ? undefined : recordOf<ShardRecord>(put.existing) };
  }
}

function conditionOf({ version, attempt }: { readonly version: number; readonly attempt: Attempt }): PutCondition {
  if (version === 0) return isNew;
  return { expression: 'v = :version AND a = :attempt', values: { ':version': number(version), ':attempt': number(attempt) } };
}
