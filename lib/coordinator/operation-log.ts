/** Durable records of what people (or recovery) asked for: what their flows read, and what callers look at. */
import { SluiceError } from '../base/errors.ts';
import type { JobId } from '../base/ids.ts';
import type { OperationRecord } from '../ports/records.ts';
import type { CoordinatorDeps } from './coordinator-deps.ts';

/** What every step of an operation's flow is told. */
export interface OperationInput {
  readonly job: JobId;
  readonly trigger: string;
  readonly flow: string;
}

export interface FlowFailure {
  readonly Error: string;
  readonly Cause: string;
}

export async function readOperation(
  deps: CoordinatorDeps,
  { job, trigger }: Pick<OperationInput, 'job' | 'trigger'>,
): Promise<OperationRecord> {
  const record = await deps.operations.read(job, trigger);
  if (record !== undefined) return record;
  throw new SluiceError('SLUICE-OPERATION-UNKNOWN', `there is no operation ${trigger} of job ${job}`, {
    hint: 'Check the trigger id; operations are kept with their job.',
    facts: { job, trigger },
  });
}

/** Creates the record and starts the flow; again with the same trigger id it only answers what is there, and starts a flow that was never started. */
export async function requestOperation(
  deps: CoordinatorDeps,
  flow: string,
  request: { readonly job: JobId; readonly trigger: string; readonly kind: string; readonly request: Readonly<Record<string, unknown>> },
  input: Readonly<Record<string, unknown>>,
): Promise<OperationRecord> {
  const nowMs = deps.clock.now();
  const record: OperationRecord = {
    ...request,
    status: 'IN_PROGRESS',
    progress: {},
    location: null,
    failure: null,
    createdAtMs: nowMs,
    changedAtMs: nowMs,
  };
  const created = await deps.operations.create(record);
  const current = created.outcome === 'created' ? record : created.record;
  if (current.status === 'COMPLETED') return current;
  await deps.flows.start(flow, `${flow}-${request.job}-${request.trigger}`, { job: request.job, trigger: request.trigger, ...input });
  return current;
}

export async function updateOperation(
  deps: CoordinatorDeps,
  record: OperationRecord,
  patch: Partial<OperationRecord>,
): Promise<OperationRecord> {
  const changed = { ...record, ...patch, changedAtMs: deps.clock.now() };
  await deps.operations.update(changed);
  return changed;
}
