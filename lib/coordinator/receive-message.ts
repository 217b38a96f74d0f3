/**
 * What shards tell the coordinator: facts into the job record, and whoever waits for them is told. Every message may come twice, late, or from an attempt
 * that is over.
 *
 * RM1. A message of another attempt changes nothing.
 * RM2. An acknowledgement is stored before completeness is tested, and the pending entry is read after it was stored (see trigger-checkpoint.ts, TC1).
 * RM3. An acknowledgement of a number that is over is dropped: its checkpoint can no longer complete.
 */
import { failureText } from '../checkpoint/failure-reason.ts';
import { noteDirty, noteEnded } from '../checkpoint/job-progress.ts';
import { abortCheckpoint } from '../checkpoint/abort.ts';
import { isWorking } from '../checkpoint/job-status.ts';
import { isOver } from '../checkpoint/pending-checkpoint.ts';
import type { CoordinatorMessage } from '../model/coordinator-message.ts';
import { withOwnCounts } from './checkpoint-bill.ts';
import type { CoordinatorDeps } from './coordinator-deps.ts';
import { jobFailed } from './fail-job.ts';
import { recoverFromLoss } from './recovery.ts';
import { restartOrFail } from './restart-batch.ts';
import { startWhenDue } from './start-checkpoint.ts';
import { signalIfComplete } from './trigger-checkpoint.ts';
import { refused } from '../checkpoint/transition.ts';
import { readJob, updateJob } from './update-job.ts';

export type MessageOutcome = 'taken' | 'dropped';

type MessageOf<Kind extends CoordinatorMessage['kind']> = Extract<CoordinatorMessage, { readonly kind: Kind }>;

export async function receiveMessage(deps: CoordinatorDeps, message: CoordinatorMessage): Promise<MessageOutcome> {
  const record = await deps.jobs.read(message.job);
  if (record === undefined || record.attempt !== message.attempt) return 'dropped';
  switch (message.kind) {
    case 'dirty':
      return takeDirty(deps, message);
    case 'acknowledgement':
      return takeAcknowledgement(deps, message);
    case 'declined':
      return takeDeclined(deps, message);
    case 'ended':
      return takeEnded(deps, message);
    case 'failed':
      return takeFailed(deps, message);
  }
}

/** Also where the epoch was known already: whoever finds work due starts it. */
async function takeDirty(deps: CoordinatorDeps, { job, attempt, epoch }: MessageOf<'dirty'>): Promise<MessageOutcome> {
  const updated = await updateJob<'superseded' | 'not-running'>(deps, job, (record) =>
    record.attempt === attempt ? noteDirty(record, epoch, deps.clock.now()) : refused('superseded'),
  );
  if (updated.outcome === 'refused') return 'dropped';
  await startWhenDue(deps, updated.record, true);
  return 'taken';
}

async function takeEnded(deps: CoordinatorDeps, { job, attempt, uid, shard }: MessageOf<'ended'>): Promise<MessageOutcome> {
  const updated = await updateJob<'superseded' | 'not-running'>(deps, job, (record) =>
    record.attempt === attempt ? noteEnded(record, uid, shard, deps.clock.now()) : refused('superseded'),
  );
  if (updated.outcome === 'refused') return 'dropped';
  await startWhenDue(deps, updated.record, true);
  return 'taken';
}

async function takeAcknowledgement(
  deps: CoordinatorDeps,
  { job, attempt, snapshot }: MessageOf<'acknowledgement'>,
): Promise<MessageOutcome> {
  const before = await deps.jobs.read(job);
  if (before === undefined || before.attempt !== attempt || isOver(before, snapshot.checkpoint)) return 'dropped';
  await deps.acknowledgements.put(withOwnCounts(deps, snapshot));
  const record = await deps.jobs.read(job);
  const pending = record?.pending.find(({ id }) => id === snapshot.checkpoint);
  if (record?.attempt !== attempt || pending === undefined) {
    // It ended while the acknowledgement was being stored; nobody else will remove what came after that.
    await deps.acknowledgements.remove(job, attempt, snapshot.checkpoint);
    return 'dropped';
  }
  await signalIfComplete(deps, record, pending);
  return 'taken';
}

/** The flow aborts its own checkpoint; where none listens any more, it is aborted here. */
async function takeDeclined(deps: CoordinatorDeps, { job, attempt, checkpoint, reason }: MessageOf<'declined'>): Promise<MessageOutcome> {
  const record = await deps.jobs.read(job);
  const pending = record?.pending.find(({ id }) => id === checkpoint);
  if (record?.attempt !== attempt || pending === undefined) return 'dropped';
  const told = pending.token === null ? 'gone' : await deps.signal.fail(pending.token, { code: reason, cause: failureText(reason) });
  if (told === 'taken') return 'taken';
  const updated = await updateJob(deps, job, (current) => abortCheckpoint(current, checkpoint, reason, deps.clock.now()), reason);
  if (updated.outcome === 'changed') await startWhenDue(deps, updated.record, false);
  return 'taken';
}

const lossCodes: readonly string[] = ['SLUICE-OBJECT-MISSING', 'SLUICE-OBJECT-DAMAGED'];

/** The restart strategy judges what another try may mend. An object that is gone for good takes the job back; everything else that a shard reports ends it. */
async function takeFailed(deps: CoordinatorDeps, message: MessageOf<'failed'>): Promise<MessageOutcome> {
  const { job, attempt, failure } = message;
  const record = await readJob(deps, job);
  if (record.attempt !== attempt) return 'dropped';
  if (message.mayRestart === true) return isWorking(record.status) ? restartOrFail(deps, record, failure) : 'dropped';
  const isLoss = lossCodes.includes(failure.code) && isWorking(record.status);
  const outcome = isLoss ? await recoverFromLoss(deps, record, failure) : await jobFailed(deps, record, failure);
  return outcome === 'superseded' ? 'dropped' : 'taken';
}
