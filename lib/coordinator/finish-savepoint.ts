/** Last steps of a savepoint: its checkpoint is let go, and whoever asked gets the answer. */
import { mutated } from '../base/mutated.ts';
import { errorCode, errorMessage } from '../base/errors.ts';
import { abortCheckpoint } from '../checkpoint/abort.ts';
import { failureText } from '../checkpoint/failure-reason.ts';
import { reasonOfFlowError } from '../checkpoint/flow-error.ts';
import { beginCancel } from '../checkpoint/job-ending.ts';
import { isTerminal } from '../checkpoint/job-status.ts';
import { unpin } from '../checkpoint/pins.ts';
import { unchanged } from '../checkpoint/transition.ts';
import type { JobRecord } from '../model/job-record.ts';
import { jobPrefix } from '../model/object-keys.ts';
import type { OperationRecord } from '../ports/records.ts';
import { abandonExport } from '../savepoint/finish-export.ts';
import { requestCancel } from './cancel-job.ts';
import type { CoordinatorDeps } from './coordinator-deps.ts';
import { readOperation, updateOperation, type FlowFailure, type OperationInput } from './operation-log.ts';
import { savepointFolder } from './savepoint-requests.ts';
import { startWhenDue } from './start-checkpoint.ts';
import { updateJob } from './update-job.ts';

/** Nothing can have been written there. */
const unusableFolder = 'SLUICE-FOLDER-UNUSABLE';

export async function finishSavepoint(deps: CoordinatorDeps, input: OperationInput): Promise<void> {
  const operation = await readOperation(deps, input);
  const thenCancel = operation.request['then'] === 'cancel';
  // The pin keeps checkpoints from starting; the status takes over before it is let go.
  if (thenCancel) await updateJob(deps, input.job, (record) => beginCancel(record, deps.clock.now()));
  await updateJob(deps, input.job, (record) => unpin(record, input.flow, deps.clock.now()));
  await removeReceipts(deps, input);
  if (thenCancel) await requestCancel(deps, input.job);
  await updateOperation(deps, input, { status: 'COMPLETED' });
  deps.logger.log('info', `a savepoint is at ${operation.location}`, { job: input.job, trigger: input.trigger });
}

/** A savepoint that is whole stays, and is named, whatever failed after it: it belongs to the user. */
export async function failSavepoint(deps: CoordinatorDeps, input: OperationInput & { readonly error: FlowFailure }): Promise<void> {
  const record = await letGo(deps, input);
  const operation = await readOperation(deps, input);
  const location = await whatStays(deps, operation);
  const isWhole = location !== null;
  await removeReceipts(deps, input);
  // The flow's own timeout is that of the checkpoint.
  const hasExpired = input.error.Error === 'States.Timeout';
  const cause = hasExpired ? failureText('CHECKPOINT_EXPIRED') : input.error.Cause;
  const message = isWhole ? `A savepoint has been created at: ${location}, but the job could not be stopped: ${cause}` : cause;
  const failure = {
    code: hasExpired ? 'CHECKPOINT_EXPIRED' : input.error.Error,
    message,
    hint: hintOf(isWhole, isTerminal(record.status), input.error.Error),
  };
  await updateOperation(deps, input, { status: 'COMPLETED', failure, location });
  deps.logger.log('warn', `a savepoint of job ${input.job} failed: ${message}`, { trigger: input.trigger });
  await startWhenDue(deps, record, false);
}

/** Its checkpoint too, where that is still pending: periodic ones may be waiting for it. */
async function letGo(deps: CoordinatorDeps, { job, flow, error }: OperationInput & { readonly error: FlowFailure }): Promise<JobRecord> {
  const reason = reasonOfFlowError(error.Error, 'trigger');
  await updateJob(
    deps,
    job,
    (record) => {
      const own = record.pending.find((pending) => pending.flow === flow && pending.kind !== 'stop-savepoint');
      return own === undefined || mutated('failed-savepoint-stays-pending')
        ? unchanged(record)
        : abortCheckpoint(record, own.id, reason, deps.clock.now());
    },
    reason,
  );
  return (await updateJob(deps, job, (record) => unpin(record, flow, deps.clock.now()))).record;
}

/** Where it is; null where there is none. A folder that cannot be read or cleaned does not keep the answer from whoever waits for it. */
async function whatStays(deps: CoordinatorDeps, operation: OperationRecord): Promise<string | null> {
  try {
    const folder = savepointFolder(deps, operation);
    return (await abandonExport(folder)) === 'whole' ? folder.location : null;
  } catch (error) {
    const { job, trigger } = operation;
    if (errorCode(error) === unusableFolder) return null;
    deps.logger.log('warn', `what a failed savepoint has written could not be removed: ${errorMessage(error)}`, { job, trigger });
    return operation.location;
  }
}

function hintOf(isWhole: boolean, hasEnded: boolean, code: string): string {
  if (hasEnded) return isWhole ? 'The savepoint can be used. The job has ended.' : 'The job has ended; run it again to take a savepoint.';
  if (isWhole) return 'The savepoint can be used. The job runs on; stop it again.';
  return `The job runs on as it was. ${code === unusableFolder ? 'Name a folder that it can write to.' : 'Try again.'}`;
}

async function removeReceipts(deps: CoordinatorDeps, { job, trigger }: OperationInput): Promise<void> {
  const written = await deps.objects.list(`${jobPrefix(job)}exports/${trigger}/`);
  if (written.length > 0) await deps.objects.remove(written.map(({ key }) => key));
}
