/** What people ask of savepoints: take one, or stop with one. The trigger id makes a request one, however often it is sent. */
import { createHash } from 'node:crypto';
import type { JobId } from '../base/ids.ts';
import type { OperationRecord } from '../ports/records.ts';
import type { SavepointFolder } from '../ports/savepoint-folder.ts';
import { readPlan, type CoordinatorDeps } from './coordinator-deps.ts';
import { requestOperation, type OperationRequest } from './operation-log.ts';
import { readJob } from './update-job.ts';

export interface SavepointOrder {
  readonly job: JobId;
  readonly trigger: string;
  /** The savepoint's own folder is made inside it. */
  readonly directory: string;
}

/** `then`: what follows when it is whole. A job that is canceled with a savepoint commits nothing after it. */
export async function takeSavepoint(
  deps: CoordinatorDeps,
  { job, trigger, directory, then }: SavepointOrder & { readonly then?: 'run-on' | 'cancel' },
): Promise<OperationRecord> {
  const { operation, input } = await savepointFlow(deps, 'savepoint', { job, trigger, directory }, { then: then ?? 'run-on' });
  return requestOperation(deps, 'savepoint', operation, input);
}

/** `drain`: all windows and timers fire, as at the end of input; `suspend`: the job can go on later as if nothing had been. */
export async function stopWithSavepoint(
  deps: CoordinatorDeps,
  { job, trigger, directory, stop }: SavepointOrder & { readonly stop: 'drain' | 'suspend' },
): Promise<OperationRecord> {
  const { operation, input } = await savepointFlow(deps, 'stop', { job, trigger, directory }, { stop });
  return requestOperation(deps, 'stop', operation, input);
}

/** What is written of a request, and what its flow is told besides. */
export interface SavepointFlow {
  readonly operation: OperationRequest;
  readonly input: { readonly timeoutSeconds: number } & Readonly<Record<string, unknown>>;
}

/** `what`: stored with the request, and told to the flow. */
export async function savepointFlow(
  deps: CoordinatorDeps,
  kind: 'savepoint' | 'stop',
  { job, trigger, directory }: SavepointOrder,
  what: { readonly then: 'run-on' | 'cancel' } | { readonly stop: 'drain' | 'suspend' },
): Promise<SavepointFlow> {
  const input = { timeoutSeconds: await timeoutSeconds(deps, job), ...what };
  return { operation: { job, trigger, kind, request: { directory, ...what } }, input };
}

/** `savepoint-<first 6 of the job>-<12 of job and trigger>`: every try of every step comes to the same. */
export function savepointFolder(deps: CoordinatorDeps, { job, trigger, request }: OperationRecord): SavepointFolder {
  const hash = createHash('sha256').update(`${job}/${trigger}`).digest('hex').slice(0, 12);
  return deps.savepoints.inside(String(request['directory']), `savepoint-${job.slice(0, 6)}-${hash}`);
}

async function timeoutSeconds(deps: CoordinatorDeps, job: JobId): Promise<number> {
  const { settings } = await readPlan(deps, (await readJob(deps, job)).plan);
  return Math.ceil(settings.timeoutMs / 1_000);
}
