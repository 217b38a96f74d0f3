/**
 * Step: gives the number, stores the token, sends the orders. A second try finds its own number and does the rest again.
 *
 * TC1. Token and number are stored before the orders go out; completeness is tested after both, because the last acknowledgement may have come before
 *      the token was there to be answered.
 */
import type { Attempt, CheckpointId, JobId } from '../base/ids.ts';
import { allSourcesEnded, missingShards, sourceShards } from '../checkpoint/completeness.ts';
import { failureText } from '../checkpoint/failure-reason.ts';
import { numberCheckpoint, type TriggerRequest } from '../checkpoint/pending-checkpoint.ts';
import { refused, type Transition } from '../checkpoint/transition.ts';
import { decideTrigger } from '../checkpoint/trigger-policy.ts';
import type { BarrierOrder } from '../model/envelope.ts';
import type { CheckpointKind, JobRecord, PendingCheckpoint } from '../model/job-record.ts';
import { armSweep } from './arm-sweep.ts';
import { readPlan, type CoordinatorDeps } from './coordinator-deps.ts';
import { postponed } from './flow-descriptions.ts';
import { sendControl } from './send-control.ts';
import { isCurrentFlow } from './start-checkpoint.ts';
import { readJob, updateJob } from './update-job.ts';

export interface TriggerInput {
  readonly job: JobId;
  readonly flow: string;
  readonly token: string;
  readonly kind: CheckpointKind;
  readonly stop?: 'drain' | 'suspend';
  /** For a savepoint: what follows when it is whole. */
  readonly then?: 'run-on' | 'cancel';
  /** Asked for by a person: whether anything is due, interval and minimum pause are no matter. */
  readonly manual?: true;
  /** Periodic ones end with the attempt they were started for. */
  readonly attempt?: Attempt;
}

/** What the flow goes on with; `checkpoint` null = there is nothing to do. */
export interface Triggered {
  readonly checkpoint: CheckpointId | null;
  readonly attempt: Attempt;
}

type TriggerRefusal = 'nothing-due' | 'not-yet' | 'NOT_ALL_REQUIRED_TASKS_RUNNING' | 'TOO_MANY_CHECKPOINT_REQUESTS';

export async function triggerCheckpoint(deps: CoordinatorDeps, input: TriggerInput): Promise<void> {
  // Before its number: a savepoint's flow may die too, and nobody else waits for what it leaves.
  const planKey = (await armSweep(deps, await readJob(deps, input.job))).plan;
  const { settings, plan } = await readPlan(deps, planKey);
  const updated = await updateJob(deps, input.job, (record): Transition<TriggerRefusal> => {
    const nowMs = deps.clock.now();
    // A restore under another plan, or the end of the sweep, came between: the flow's next try reads that one, or arms another.
    if (record.plan !== planKey || record.sweepAtMs === 0) return refused('not-yet');
    if (input.kind === 'checkpoint' && !record.pending.some(({ flow }) => flow === input.flow)) {
      const manual = input.manual === true;
      // One that waited by settings that have changed since is another's work now.
      if (!manual && (record.attempt !== input.attempt || !isCurrentFlow(record, input.flow))) return refused('nothing-due');
      const { decision } = decideTrigger({ record, settings, sourcesEnded: allSourcesEnded(plan, record.ended), nowMs, manual });
      if (decision !== 'trigger') return refused(decision === 'idle' ? 'nothing-due' : 'not-yet');
    }
    return numberCheckpoint(record, requestOf(input), settings, nowMs);
  });
  if (updated.outcome === 'refused') return refuse(deps, input, updated.reason, updated.record);
  const pending = updated.record.pending.find(({ flow }) => flow === input.flow)!;
  await sendOrders(deps, updated.record, pending, sourceShards(plan));
  await signalIfComplete(deps, updated.record, pending);
}

function requestOf({ kind, stop, then, flow, token }: TriggerInput): TriggerRequest {
  return { kind, flow, token, ...(stop === undefined ? {} : { stop }), ...(then === 'cancel' ? { thenCancel: true } : {}) };
}

async function sendOrders(
  deps: CoordinatorDeps,
  { job, attempt }: JobRecord,
  { id, stop, mode, overtakeAtMs }: PendingCheckpoint,
  sources: ReturnType<typeof sourceShards>,
): Promise<void> {
  const order: BarrierOrder = {
    checkpoint: id,
    ...(mode === undefined ? {} : { mode }),
    ...(stop === undefined ? {} : { stop }),
    ...(overtakeAtMs === undefined ? {} : { overtakeAtMs }),
  };
  await sendControl(deps.messages, { kind: 'order', job, attempt, number: id, order }, sources);
}

async function refuse(deps: CoordinatorDeps, { token }: TriggerInput, reason: TriggerRefusal, record: JobRecord): Promise<void> {
  if (reason === 'nothing-due') await deps.signal.succeed(token, { checkpoint: null, attempt: record.attempt } satisfies Triggered);
  else if (reason === 'not-yet') await deps.signal.fail(token, { code: postponed, cause: 'the checkpoint cannot start yet' });
  else await deps.signal.fail(token, { code: reason, cause: failureText(reason) });
}

/** Answers the token when every shard of the plan has acknowledged. Called by everyone who may be the last; "gone" is no error. */
export async function signalIfComplete(deps: CoordinatorDeps, record: JobRecord, { id, token }: PendingCheckpoint): Promise<boolean> {
  const { plan } = await readPlan(deps, record.plan);
  const present = await deps.acknowledgements.present(record.job, record.attempt, id);
  if (token === null || missingShards(plan, present).length > 0) return false;
  await deps.signal.succeed(token, { checkpoint: id, attempt: record.attempt } satisfies Triggered);
  return true;
}
