import type { JobId } from '../../base/ids.ts';
import type { OperationRecord, OperationStore } from '../../ports/records.ts';
import type { MutationOf } from './mutation.ts';
import type { StoreContext } from './store-context.ts';

export class MemoryOperations implements OperationStore {
  readonly #context: StoreContext;
  readonly #jobs = new Map<JobId, Map<string, OperationRecord>>();

  constructor(context: StoreContext) {
    this.#context = context;
  }

  async create(
    record: OperationRecord,
  ): Promise<{ readonly outcome: 'created' } | { readonly outcome: 'exists'; readonly record: OperationRecord }> {
    const existing = this.#jobs.get(record.job)?.get(record.trigger);
    if (existing !== undefined) return { outcome: 'exists', record: existing };
    await this.#store(record);
    return { outcome: 'created' };
  }

  async read(job: JobId, trigger: string): Promise<OperationRecord | undefined> {
    return this.#jobs.get(job)?.get(trigger);
  }

  async replace(record: OperationRecord, expectedVersion: number): Promise<'stored' | 'conflict'> {
    const existing = this.#jobs.get(record.job)?.get(record.trigger);
    if (existing === undefined || (existing.version ?? 0) !== expectedVersion) return 'conflict';
    await this.#store(record);
    return 'stored';
  }

  async list(job: JobId): Promise<readonly OperationRecord[]> {
    return [...(this.#jobs.get(job)?.values() ?? [])];
  }

  apply({ record }: MutationOf<'operation-put'>): void {
    let operations = this.#jobs.get(record.job);
    if (operations === undefined) this.#jobs.set(record.job, (operations = new Map<string, OperationRecord>()));
    operations.set(record.trigger, this.#context.protect(record));
  }

  *snapshot(): Iterable<MutationOf<'operation-put'>> {
    for (const operations of this.#jobs.values()) for (const record of operations.values()) yield { kind: 'operation-put', record };
  }

  async #store(record: OperationRecord): Promise<void> {
    const mutation = { kind: 'operation-put', record } as const;
    this.apply(mutation);
    this.#context.journal.append(mutation);
    await this.#context.journal.committed();
  }
}
