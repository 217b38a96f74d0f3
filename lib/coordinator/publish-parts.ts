/**
 * Publishes what completed checkpoints list. By the flow, not by the shard that staged a part: after a change of parallelism that one may not exist.
 *
 * PU1. Oldest checkpoint first, every part of a manifest before `published` moves past it. Publishing twice is once.
 * PU2. What may work later is tried until it does. What cannot ends the job, with its inputs kept: the next run publishes first.
 * PU3. Of one operator's shard one part after the other, in the order of the manifest: oldest first. Queues show them in that order.
 * PU4. A manifest that is lost is made good by a newer one, which lists all parts that were not published when it was made. Where there is none, nobody
 *      knows what is to be shown: the job goes back or ends as after any loss (recovery.ts), and this ends too.
 */
import { mutated } from '../base/mutated.ts';
import { errorMessage, SluiceError } from '../base/errors.ts';
import type { CheckpointId, JobId, OperatorUid } from '../base/ids.ts';
import { markPublished, unpublished } from '../checkpoint/completion.ts';
import { isTerminal } from '../checkpoint/job-status.ts';
import type { Manifest } from '../checkpoint/manifest.ts';
import { decodeManifest } from '../checkpoint/manifest-codec.ts';
import type { ConnectorSpec, JobPlan } from '../model/job-plan.ts';
import type { JobRecord } from '../model/job-record.ts';
import type { SinkPart } from '../model/shard-record.ts';
import type { SinkCommitter } from '../ports/connectors.ts';
import { readObject, readPlan, type CoordinatorDeps } from './coordinator-deps.ts';
import { jobFailed } from './fail-job.ts';
import { coordinatorItself, recoverFromLoss } from './recovery.ts';
import { readJob, updateJob } from './update-job.ts';
import { unlessLost } from './whole-checkpoint.ts';

/** Parts are small requests to a file system or an object store. */
const atOnce = 8;

/** Parts that the checkpoint made visible; older ones are there already. */
export function partsAbove(manifest: Manifest, published: CheckpointId): readonly SinkPart[] {
  return manifest.shards.flatMap(({ parts }) => parts).filter((part) => part.checkpoint > published);
}

/**
 * Everything that is completed and not published; returns the record as it is then. `known` spares reading the newest manifest again.
 *
 * @throws SluiceError `SLUICE-PUBLISH-FAILED`, retryable: what is completed must become visible; `SLUICE-CHECKPOINTS-LOST` where that cannot be (PU2, PU4)
 */
export async function publishCompleted(deps: CoordinatorDeps, job: JobId, known?: Manifest): Promise<JobRecord> {
  let record = await readJob(deps, job);
  let lost: { readonly id: CheckpointId; readonly problem: string } | null = null;
  for (const { id, manifest: key } of unpublished(record)) {
    try {
      const manifest = known?.checkpoint === id ? known : await unlessLost(async () => decodeManifest(await readObject(deps, key), key));
      lost = typeof manifest === 'string' ? { id, problem: manifest } : null;
      if (typeof manifest !== 'string') record = await publishManifest(deps, record, manifest);
    } catch (error) {
      if (error instanceof SluiceError && !error.retryable) return cannotPublish(deps, job, id, error);
      const failed = publishFailed(job, id, error);
      deps.problems?.met(placeOf(job), failed);
      throw failed;
    }
  }
  deps.problems?.passed(placeOf(job));
  return lost === null ? record : cannotPublish(deps, job, lost.id, lost.problem);
}

function placeOf(job: JobId): string {
  return `publish/${job}`;
}

/**
 * `why`: what a sink refuses for good, or what is wrong with the manifest. Of a job that has ended nothing more is done: who removes the cause and runs it
 * again publishes then.
 */
async function cannotPublish(deps: CoordinatorDeps, job: JobId, checkpoint: CheckpointId, why: SluiceError | string): Promise<JobRecord> {
  const record = await readJob(deps, job);
  if (record.published >= checkpoint) return record;
  const isLost = typeof why === 'string';
  const message = `the output of checkpoint ${checkpoint} cannot be published: ${isLost ? why : why.message}`;
  if (isTerminal(record.status)) {
    deps.logger.log('warn', message, { job, checkpoint });
    return record;
  }
  const { code, hint, facts } = isLost
    ? { code: 'SLUICE-OBJECT-MISSING', hint: 'Put the object back and run the job again, or start it from a savepoint.', facts: {} }
    : { code: why.code, hint: `${why.hint} Then run the job again: it publishes first.`, facts: why.facts };
  const failure = { code, message, hint, facts, operator: coordinatorItself, shard: 0, atMs: deps.clock.now() };
  await (isLost ? recoverFromLoss(deps, record, failure) : jobFailed(deps, record, failure));
  throw new SluiceError('SLUICE-CHECKPOINTS-LOST', message, { hint, facts: { job, checkpoint } });
}

async function publishManifest(deps: CoordinatorDeps, record: JobRecord, manifest: Manifest): Promise<JobRecord> {
  const parts = partsAbove(manifest, record.published);
  if (mutated('published-before-parts')) await notePublished(deps, record, manifest);
  // One after the other.
  const lines = [...Map.groupBy(parts, ({ operator, shard }) => `${operator}/${shard}`).values()];
  for (let at = 0; at < lines.length; at += atOnce) {
    await Promise.all(
      lines.slice(at, at + atOnce).map(async (line) => {
        for (const part of mutated('parts-in-any-order') ? line.toReversed() : line) {
          const { sink, committer } = committerOf(deps, manifest.plan, part.operator);
          await committer.publish(sink, part, record);
        }
      }),
    );
  }
  return notePublished(deps, record, manifest);
}

async function notePublished(deps: CoordinatorDeps, record: JobRecord, manifest: Manifest): Promise<JobRecord> {
  const { settings } = await readPlan(deps, record.plan);
  const updated = await updateJob(deps, record.job, (current) =>
    markPublished(current, manifest.checkpoint, settings.retained, deps.clock.now()),
  );
  return updated.record;
}

function publishFailed(job: JobId, checkpoint: CheckpointId, cause: unknown): SluiceError {
  return new SluiceError('SLUICE-PUBLISH-FAILED', `the output of checkpoint ${checkpoint} could not be published: ${errorMessage(cause)}`, {
    hint: 'It is tried until it works. Look at the target of the sink: does it exist, may it be written?',
    facts: { job, checkpoint },
    cause,
    retryable: true,
  });
}

/** By the plan that staged the part: the present one may no longer have the sink. */
export function committerOf(
  { connectors }: Pick<CoordinatorDeps, 'connectors'>,
  plan: JobPlan,
  uid: OperatorUid,
): { readonly sink: ConnectorSpec; readonly committer: SinkCommitter } {
  const sink = plan.vertices.flatMap(({ operators }) => operators).find((operator) => operator.uid === uid)?.connector;
  const committer = sink === undefined ? undefined : connectors.sinks[sink.connector];
  if (sink !== undefined && committer !== undefined) return { sink, committer };
  throw new SluiceError('SLUICE-CONNECTOR-UNKNOWN', `there is no sink connector ${sink?.connector ?? '(none)'} for operator ${uid}`, {
    hint: 'Run the version of the program that has this connector until its checkpoint is published.',
    facts: { operator: uid, connector: sink?.connector },
    retryable: true,
  });
}
