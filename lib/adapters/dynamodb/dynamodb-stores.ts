/** Everything of a job that is kept in DynamoDB: one table for all jobs, `pk` and `sk` as its keys, `expiresAt` for TTL (docs/formats/dynamodb.md). */
import type { AuditLog } from '../../ports/audit-log.ts';
import type { JobHistory } from '../../ports/job-history.ts';
import type { KeyedBase } from '../../ports/keyed-base.ts';
import type { AcknowledgementStore, JobRecordStore, OperationStore, ShardRecordStore } from '../../ports/records.ts';
import { DynamoDbAcknowledgements } from './acknowledgements.ts';
import { DynamoDbAuditLog } from './audit-log.ts';
import { DynamoDbJobHistory } from './job-history.ts';
import { DynamoDbJobRecords } from './job-records.ts';
import { DynamoDbKeyedBase } from './keyed-base.ts';
import { DynamoDbOperations } from './operations.ts';
import { DynamoDbShardRecords } from './shard-records.ts';
import { Table, type TableOptions } from './table.ts';

interface DynamoDbStores {
  readonly jobs: JobRecordStore;
  readonly shards: ShardRecordStore;
  readonly acknowledgements: AcknowledgementStore;
  readonly operations: OperationStore;
  readonly history: JobHistory;
  readonly audit: AuditLog;
  readonly base: KeyedBase;
}

export interface DynamoDbStoresOptions extends TableOptions {
  /** As the coordinator's `garbageAgeMs`: longer than any invocation can live. */
  readonly tombstonesKeptMs: number;
}

export function createDynamoDbStores(options: DynamoDbStoresOptions): DynamoDbStores {
  const table = new Table(options);
  return {
    jobs: new DynamoDbJobRecords(table),
    shards: new DynamoDbShardRecords(table),
    acknowledgements: new DynamoDbAcknowledgements(table),
    operations: new DynamoDbOperations(table),
    history: new DynamoDbJobHistory(table),
    audit: new DynamoDbAuditLog(table),
    base: new DynamoDbKeyedBase(table, options.tombstonesKeptMs),
  };
}
