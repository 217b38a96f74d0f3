import { invariant } from '../../base/invariant.ts';
import type { JobId } from '../../base/ids.ts';
import type { JobRecord } from '../../model/job-record.ts';
import type { JobRecordStore } from '../../ports/records.ts';
import type { Item } from '../aws-sdk/item-size.ts';
import { recordKeys } from './item-keys.ts';
import { textOfPart } from './key-text.ts';
import { isNew, number, recordItem, recordOf } from './stored-record.ts';
import type { Table } from './table.ts';

export class DynamoDbJobRecords implements JobRecordStore {
  readonly #table: Table;

  constructor(table: Table) {
    this.#table = table;
  }

  async read(job: JobId): Promise<JobRecord | undefined> {
    const item = await this.#table.read(recordKeys.job(job));
    return item === undefined ? undefined : recordOf<JobRecord>(item);
  }

  async list(): Promise<readonly JobRecord[]> {
    const listed = await this.#table.all({ pk: recordKeys.jobs }, 'sk');
    const jobs = listed.map((item) => textOfPart(item['sk']!.S!) as JobId);
    const items = await this.#table.readMany(jobs.map(recordKeys.job), 'pk, sk, x');
    const records = items.map((item) => recordOf<JobRecord>(item));
    return records.sort((a, b) => a.createdAtMs - b.createdAtMs || (a.job < b.job ? -1 : 1));
  }

  async create(record: JobRecord): Promise<'stored' | 'conflict'> {
    const { pk, sk } = recordKeys.listedJob(record.job);
    // First: a job that is there is always listed, and one that is listed need not be there.
    await this.#table.write({ pk: { S: pk }, sk: { S: sk } });
    return (await this.#table.compareAndPut(itemOf(record), isNew)).outcome;
  }

  async replace(record: JobRecord, expectedVersion: number): Promise<'stored' | 'conflict'> {
    invariant(record.version === expectedVersion + 1, 'job-record', 'a replacement is one version above what it replaces', {
      job: record.job,
      version: record.version,
      expectedVersion,
    });
    const condition = { expression: 'v = :expected', values: { ':expected': number(expectedVersion) } };
    return (await this.#table.compareAndPut(itemOf(record), condition)).outcome;
  }
}

function itemOf(record: JobRecord): Item {
  return recordItem(recordKeys.job(record.job), record, { job: record.job }, { v: number(record.version) });
}
