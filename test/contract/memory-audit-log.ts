import type { JobId } from '../../lib/base/ids.ts';
import type { AuditHead, AuditRecord } from '../../lib/model/audit-record.ts';
import type { AuditLog } from '../../lib/ports/audit-log.ts';

/** The port's promises in memory; the local runner has no users, and no audit (docs/adr/0016). */
export class MemoryAuditLog implements AuditLog {
  readonly #jobs = new Map<JobId, AuditRecord[]>();

  async head(job: JobId): Promise<AuditHead | undefined> {
    const newest = this.#jobs.get(job)?.at(-1);
    return newest === undefined ? undefined : { number: newest.number, hash: newest.hash };
  }

  async create(record: AuditRecord): Promise<'created' | 'exists'> {
    const records = this.#jobs.get(record.job) ?? [];
    if (record.number !== records.length + 1) return 'exists';
    this.#jobs.set(record.job, [...records, record]);
    return 'created';
  }

  async read(job: JobId, after: number, max: number): Promise<readonly AuditRecord[]> {
    return (this.#jobs.get(job) ?? []).slice(after, after + max);
  }
}
