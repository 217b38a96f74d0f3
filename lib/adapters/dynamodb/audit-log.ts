/**
 * The audit records of a job in one partition, by number, and behind them the head: the furthest record that was ever written.
 *
 * AL1. The head is written after its record, so it may be behind, never before: a record that is missing below it was removed.
 */
import type { JobId } from '../../base/ids.ts';
import type { AuditHead, AuditRecord } from '../../model/audit-record.ts';
import type { AuditLog } from '../../ports/audit-log.ts';
import { recordKeys } from './item-keys.ts';
import { isNew, number, recordItem, recordOf } from './stored-record.ts';
import type { Table } from './table.ts';

export class DynamoDbAuditLog implements AuditLog {
  readonly #table: Table;

  constructor(table: Table) {
    this.#table = table;
  }

  async head(job: JobId): Promise<AuditHead | undefined> {
    const { items } = await this.#table.page({ range: { pk: recordKeys.audit(job) }, itemsMax: 2, newestFirst: true });
    const ends = items.map((item) => recordOf<AuditHead>(item)).sort((a, b) => b.number - a.number);
    return ends[0] === undefined ? undefined : { number: ends[0].number, hash: ends[0].hash };
  }

  async create(record: AuditRecord): Promise<'created' | 'exists'> {
    const { job, hash } = record;
    const pk = recordKeys.audit(job);
    const item = recordItem({ pk, sk: recordKeys.auditRecord(record.number) }, record, { job });
    if ((await this.#table.compareAndPut(item, isNew)).outcome === 'conflict') return 'exists';
    const head: AuditHead = { number: record.number, hash };
    await this.#table.write(recordItem({ pk, sk: recordKeys.auditHead }, head, { job }, { v: number(record.number) }), {
      expression: 'attribute_not_exists(v) OR v < :v',
      values: { ':v': number(record.number) },
    });
    return 'created';
  }

  async read(job: JobId, after: number, max: number): Promise<readonly AuditRecord[]> {
    const range = { pk: recordKeys.audit(job), from: recordKeys.auditRecord(after + 1), to: recordKeys.auditRecord(after + max) };
    return (await this.#table.all(range)).map((item) => recordOf<AuditRecord>(item));
  }
}
