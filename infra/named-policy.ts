/**
 * What a plan names (operators' queues, the user's data) is allowed by policies that are called after these names.
 *
 * NP1. Another plan has other policies instead of changed ones. CloudFormation removes what a template no longer has when all else is done, the restore of the
 *      deployment too: until then the job of the old plan keeps what it needs, and so does the publication of what its sinks have staged. Where a deployment is
 *      refused or rolled back, they were never gone.
 */
import { createHash } from 'node:crypto';
import type { JobPlan } from '../lib/model/job-plan.ts';

/** Is another where a plan names other operators, or other places of the user's. */
export function namesOf({ vertices }: JobPlan): string {
  const named = vertices.map(({ uid, operators }) => [uid, operators.map(({ connector }) => placesOf(connector?.options ?? {}))]);
  return createHash('sha256').update(JSON.stringify(named)).digest('hex').slice(0, 12);
}

function placesOf({ uri, table, queue }: Readonly<Record<string, unknown>>): readonly unknown[] {
  return [uri, table, queue];
}
