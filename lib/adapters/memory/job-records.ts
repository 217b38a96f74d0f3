import { invariant } from '../../base/invariant.ts';
import type { JobId } from '../../base/ids.ts';
import type { JobRecord } from '../../model/job-record.ts';
import type { JobRecordStore } from '../../ports/records.ts';
import type { MutationOf } from './mutation.ts';
import type { StoreContext } from './store-context.ts';

export class MemoryJobRecords implements JobRecordStore {
  readonly #context: StoreContext;
  readonly #records = new Map<JobId, JobRecord>();

  constructor(context: StoreContext) {
    this.#context = context;
  }

  async read(job: JobId): Promise<JobRecord | undefined> {
    return this.#records.get(job);
  }

  async list(): Promise<readonly JobRecord[]> {
    return [...this.#records.values()];
  }

  async create(record: JobRecord): Promise<'stored' | 'conflict'> {
    if (this.#records.has(record.job)) return 'conflict';
    return this.#store(record);
  }

  async replace(record: JobRecord, expectedVersion: number): Promise<'stored' | 'conflict'> {
    invariant(record.version === expectedVersion + 1, 'job-record', 'a replacement is one version above what it replaces', {
      job: record.job,
      version: record.version,
      expectedVersion,
    });
    if (this.#records.get(record.job)?.version !== expectedVersion) return 'conflict';
    return this.#store(record);
  }

  apply(mutation: MutationOf<'job-put'>): void {
    this.#records.set(mutation.record.job, this.#context.protect(mutation.record));
  }

  *snapshot(): Iterable<MutationOf<'job-put'>> {
    for (const record of this.#records.values()) yield { kind: 'job-put', record };
  }

  async #store(record: JobRecord): Promise<'stored'> {
    const mutation = { kind: 'job-put', record } as const;
    this.apply(mutation);
    this.#context.journal.append(mutation);
    await this.#context.journal.committed();
    return 'stored';
  }
}
