/**
 * Step: nothing asks for messages of a job that has ended; of one that goes on, something does.
 *
 * TE1. Whoever turns looks at the record afterwards, and again until what it did is what the record wants: whoever is last, is right.
 * TE2. Turning on is never lost: it is part of resuming, which is done by whoever meets it. Turning off may be: that costs money, and a sweep mends it.
 * TE3. A restore whose job waits for event sources that cannot be turned on says so: its operation fails with the reason, while the step is tried on.
 */
import { errorCode, errorMessage, SluiceError } from '../base/errors.ts';
import type { JobId } from '../base/ids.ts';
import { isTerminal } from '../checkpoint/job-status.ts';
import type { JobRecord } from '../model/job-record.ts';
import type { EventSources } from '../ports/event-sources.ts';
import type { CoordinatorDeps } from './coordinator-deps.ts';
import { readOperation, updateOperation, type OperationInput } from './operation-log.ts';

type TurnDeps = Pick<CoordinatorDeps, 'jobs' | 'eventSources' | 'flows'>;

export async function turnEventSources({ jobs, eventSources }: TurnDeps, { job }: { readonly job: JobId }): Promise<void> {
  if (eventSources === undefined) return;
  let turned: 'on' | 'off' | undefined;
  for (;;) {
    const record = await jobs.read(job);
    const wanted = record === undefined || isTerminal(record.status) ? 'off' : 'on';
    if (wanted === turned) return;
    await turn(eventSources, job, wanted);
    turned = wanted;
  }
}

const stuckCode = 'SLUICE-EVENT-SOURCES-STUCK';
/** Longer than a mapping is busy with an earlier turn, and than a new permission takes to be seen; shorter than a deployment waits. */
const patienceMs = 120_000;

async function turn(eventSources: EventSources, job: JobId, to: 'on' | 'off'): Promise<void> {
  try {
    await eventSources.turn(job, to);
  } catch (error) {
    const consequence = to === 'on' ? 'until they are, the job gets no message and stays RESTARTING' : 'they cost money while they are on';
    throw new SluiceError(stuckCode, `the event sources of job ${job} cannot be turned ${to}: ${errorMessage(error)}`, {
      hint: `It is tried again by itself, and ${consequence}. Deploy again, which gives back the permissions and the mappings that belong to the job.`,
      facts: { job, to },
      cause: error,
      retryable: true,
    });
  }
}

/** TE3, around what goes on with a job. */
export async function sayingWhatIsStuck(deps: CoordinatorDeps, input: OperationInput, resume: () => Promise<void>): Promise<void> {
  try {
    await resume();
  } catch (error) {
    if (errorCode(error) === stuckCode) await noteStuck(deps, input, error as SluiceError);
    throw error;
  }
}

async function noteStuck(deps: CoordinatorDeps, input: OperationInput, { code, message, hint }: SluiceError): Promise<void> {
  const { progress } = await readOperation(deps, input);
  const { stuckSinceMs } = progress;
  const nowMs = deps.clock.now();
  if (typeof stuckSinceMs !== 'number') await updateOperation(deps, input, { progress: { stuckSinceMs: nowMs } });
  else if (nowMs - stuckSinceMs >= patienceMs)
    await updateOperation(deps, input, { status: 'COMPLETED', failure: { code, message, hint } });
}

/** Called when the record has changed. */
export async function restWhenEnded({ flows, eventSources }: TurnDeps, before: JobRecord, after: JobRecord): Promise<void> {
  if (eventSources === undefined || isTerminal(before.status) || !isTerminal(after.status)) return;
  const { job, createdAtMs, version } = after;
  await flows.start('event-sources', `event-sources-${job}-${createdAtMs.toString(36)}-${version}`, { job });
}
