/**
 * Step: nothing asks for messages of a job that has ended; of one that goes on, something does.
 *
 * TE1. Whoever turns looks at the record afterwards, and again until what it did is what the record wants: whoever is last, is right.
 * TE2. Turning on is never lost: it is part of resuming, which is done by whoever meets it. Turning off may be: that costs money, and a sweep mends it.
 */
import type { JobId } from '../base/ids.ts';
import { isTerminal } from '../checkpoint/job-status.ts';
import type { JobRecord } from '../model/job-record.ts';
import type { CoordinatorDeps } from './coordinator-deps.ts';

type TurnDeps = Pick<CoordinatorDeps, 'jobs' | 'eventSources' | 'flows'>;

export async function turnEventSources({ jobs, eventSources }: TurnDeps, { job }: { readonly job: JobId }): Promise<void> {
  if (eventSources === undefined) return;
  let turned: 'on' | 'off' | undefined;
  for (;;) {
    const record = await jobs.read(job);
    const wanted = record === undefined || isTerminal(record.status) ? 'off' : 'on';
    if (wanted === turned) return;
    await eventSources.turn(job, wanted);
    turned = wanted;
  }
}

/** Called when the record has changed. */
export async function restWhenEnded({ flows, eventSources }: TurnDeps, before: JobRecord, after: JobRecord): Promise<void> {
  if (eventSources === undefined || isTerminal(before.status) || !isTerminal(after.status)) return;
  const { job, createdAtMs, version } = after;
  await flows.start('event-sources', `event-sources-${job}-${createdAtMs.toString(36)}-${version}`, { job });
}
