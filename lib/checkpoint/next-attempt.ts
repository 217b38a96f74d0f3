/** What every restore makes anew, whatever it goes back to. */
import type { JobRecord } from '../model/job-record.ts';
import { isTerminal } from './job-status.ts';
import { noRestarts } from './restart-attempts.ts';

export interface NextAttempt {
  /** The attempt that is given up: a second try of the same restore changes nothing more. */
  readonly fromAttempt: number;
  readonly descriptor: string | null;
  readonly plan: string;
  readonly planHash: string;
  /** Where the job keeps its plan: the one that `plan` was made of. Settings may change at any moment. */
  readonly planSeen?: string;
}

/** `begun`: the record without what belongs to the attempt that is given up. The new one begins with nothing sent. */
export function nextAttempt(
  record: JobRecord,
  { descriptor, plan, planHash }: NextAttempt,
): { readonly begun: JobRecord; readonly patch: Partial<JobRecord> } {
  const { inFlightFrom: _, ...begun } = record;
  const patch: Partial<JobRecord> = {
    status: 'RESTARTING',
    attempt: record.attempt + 1,
    planHash,
    plan,
    descriptor,
    pending: [],
    failures: 0,
    try: 0,
    ended: {},
    failure: null,
    // Whoever runs a failed job again, or another version of it, has seen to what made it fail.
    ...(record.restarts !== undefined && (isTerminal(record.status) || plan !== record.plan) ? { restarts: noRestarts } : {}),
    counts: { ...record.counts, restored: record.counts.restored + 1 },
  };
  return { begun, patch };
}
