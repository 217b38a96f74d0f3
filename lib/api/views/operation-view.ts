import type { OperationRecord } from '../../ports/records.ts';
import { failureCauseView } from './failure-cause.ts';

type View = Readonly<Record<string, unknown>>;

/** Poll answer of a savepoint or stop: location xor failure-cause, and never null in the place of either. */
export function savepointOperationView({ status, location, failure }: OperationRecord): View {
  if (status === 'IN_PROGRESS') return { status: { id: 'IN_PROGRESS' }, operation: null };
  const operation = failure === null ? { location } : { 'failure-cause': failureCauseView(failure) };
  return { status: { id: 'COMPLETED' }, operation };
}

/** Poll answer of a restore: the attempt that it began xor failure-cause; while it goes on, how far an import is. */
export function restoreOperationView({ status, progress, failure }: OperationRecord): View {
  const { next, units } = progress;
  const imported = units === undefined ? {} : { progress: { done: next, of: units } };
  if (status === 'IN_PROGRESS') return { status: { id: 'IN_PROGRESS' }, operation: null, ...imported };
  const operation = failure === null ? { attempt: progress['attempt'] } : { 'failure-cause': failureCauseView(failure) };
  return { status: { id: 'COMPLETED' }, operation, ...imported };
}

/** Poll answer of a checkpoint; unlike the others it has no hyphen in its name. */
export function checkpointOperationView({ status, progress, failure }: OperationRecord): View {
  if (status === 'IN_PROGRESS') return { status: { id: 'IN_PROGRESS' }, operation: null };
  const operation = failure === null ? { checkpointId: progress['checkpoint'] } : { failureCause: failureCauseView(failure) };
  return { status: { id: 'COMPLETED' }, operation };
}
