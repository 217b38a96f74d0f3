/** Durable records of what people (or recovery) asked for: what their flows read, and what callers look at. */
import { SluiceError } from '../base/errors.ts';
import type { JobId } from '../base/ids.ts';
import { addBills, type Bill } from '../model/bill.ts';
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

export type OperationRequest = Pick<OperationRecord, 'job' | 'trigger' | 'kind' | 'request'>;

/** Creates the record and starts the flow; again with the same trigger id it only answers what is there, and starts a flow that was never started. */
export async function requestOperation(
  deps: CoordinatorDeps,
  flow: string,
  request: OperationRequest,
  input: Readonly<Record<string, unknown>>,
): Promise<OperationRecord> {
  const current = await writeOperation(deps, request);
  if (current.status === 'COMPLETED') return current;
  await deps.flows.start(flow, `${flow}-${request.job}-${request.trigger}`, { job: request.job, trigger: request.trigger, ...input });
  return current;
}

/** What is stored under that trigger id, now at the latest. */
export async function writeOperation(deps: CoordinatorDeps, request: OperationRequest): Promise<OperationRecord> {
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
  return created.outcome === 'created' ? record : created.record;
}

type OperationChange = Partial<Pick<OperationRecord, 'status' | 'progress' | 'location' | 'failure'>>;

/**
 * What `change` says is written over what is stored then, and asked for again where another write came between.
 *
 * OP1. An operation that has ended stays as it is: a zombie of an earlier step neither opens it again nor takes its answer away.
 * OP2. Progress only grows, and a location stays.
 *
 * `unless`: of the record as it is then; where it holds nothing is written.
 */
export async function updateOperation(
  deps: CoordinatorDeps,
  input: Pick<OperationInput, 'job' | 'trigger'>,
  change: OperationChange,
  unless: (record: OperationRecord) => boolean = () => false,
): Promise<OperationRecord> {
  for (let counted: Bill | undefined; ;) {
    const record = await readOperation(deps, input);
    if (record.status === 'COMPLETED' || unless(record)) return record;
    const version = record.version ?? 0;
    counted = addBills(counted, deps.bill?.());
    const bill = addBills(record.bill, counted);
    const changed = {
      ...record,
      ...change,
      progress: grown(record, change),
      ...(bill === undefined ? {} : { bill }),
      changedAtMs: deps.clock.now(),
      version: version + 1,
    };
    if ((await deps.operations.replace(changed, version)) === 'stored') return changed;
  }
}

function grown({ progress }: OperationRecord, change: OperationChange): OperationRecord['progress'] {
  const stepsOf = (some: OperationRecord['progress'] = {}): number => Number(some['next'] ?? 0);
  return stepsOf(progress) > stepsOf(change.progress) ? { ...change.progress, ...progress } : { ...progress, ...change.progress };
}
