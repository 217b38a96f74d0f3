/**
 * Where audit records are kept. Nobody removes one: there is no method for it, and no role of ours that may.
 */
import type { JobId } from '../base/ids.ts';
import type { AuditHead, AuditRecord } from '../model/audit-record.ts';

export interface AuditLog {
  /** Of the furthest record that was ever written, whether it is still there or not; undefined = there was none. Strongly consistent. */
  head(job: JobId): Promise<AuditHead | undefined>;
  /** Linearizable: of several with one number one is created. The same call again, where its answer was lost, is `created` too. */
  create(record: AuditRecord): Promise<'created' | 'exists'>;
  /** Those above `after`, by their numbers, `max` at most. Strongly consistent. */
  read(job: JobId, after: number, max: number): Promise<readonly AuditRecord[]>;
}
