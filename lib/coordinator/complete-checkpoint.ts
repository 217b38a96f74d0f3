/**
 * Step: manifest, completion, publication, and what follows. It may die and be repeated anywhere; a repetition finds what is done.
 *
 * CC1. The manifest is created first; the write of the job record that names it is the one point of completion; publication comes after it.
 * CC2. A job is FINISHED when a checkpoint in which every shard has finished is complete and published.
 * CC3. Acknowledgements come in the order of barriers, and no shard takes an older barrier after a newer one. So what an older checkpoint lacks when a
 *      savepoint is complete never comes: it ends at once, not when its time is over.
 */
import { mutated } from '../base/mutated.ts';
import type { Attempt, CheckpointId, JobId } from '../base/ids.ts';
import { abortCheckpoint } from '../checkpoint/abort.ts';
import { missingShards } from '../checkpoint/completeness.ts';
import { completeCheckpoint as complete } from '../checkpoint/completion.ts';
import { finishJob } from '../checkpoint/job-ending.ts';
import { lacksBeginnings, oldestInFlight, trimInFlight } from '../checkpoint/trim-in-flight.ts';
import type { Manifest } from '../checkpoint/manifest.ts';
import { decodeManifest, encodeManifest } from '../checkpoint/manifest-codec.ts';
import { heldCheckpoint } from '../checkpoint/retention.ts';
import type { JobRecord, PendingCheckpoint, RetainedCheckpoint } from '../model/job-record.ts';
import { manifestKey } from '../model/object-keys.ts';
import { startCollector } from './arm-sweep.ts';
import { billOfCheckpoint } from './checkpoint-bill.ts';
import { readObject, readPlan, type CoordinatorDeps } from './coordinator-deps.ts';
import { partsAbove, publishCompleted } from './publish-parts.ts';
import { noteCompleted } from './record-history.ts';
import { startWhenDue } from './start-checkpoint.ts';
import { readJob, updateJob } from './update-job.ts';
import { unlessLost } from './whole-checkpoint.ts';
import { SluiceError } from '../base/errors.ts';

const subsumed = 'CHECKPOINT_SUBSUMED';

export interface CompleteInput {
  readonly job: JobId;
  readonly flow: string;
  readonly checkpoint: CheckpointId | null;
  readonly attempt: Attempt;
}

export type Completed = { readonly outcome: 'nothing' } | { readonly outcome: 'completed'; readonly manifest: string };

export async function completeCheckpoint(deps: CoordinatorDeps, { job, checkpoint, attempt, flow }: CompleteInput): Promise<Completed> {
  if (checkpoint === null) return { outcome: 'nothing' };
  const before = await readJob(deps, job);
  const pending = before.pending.find(({ id }) => id === checkpoint);
  const key = manifestKey(job, attempt, checkpoint);
  const manifest =
    pending === undefined ? await completedEarlier(deps, before, checkpoint, flow) : await writeManifest(deps, before, pending, key);
  const record = pending === undefined ? before : await recordCompletion(deps, before, manifest, key);
  if (mutated('manifest-after-completion')) await deps.objects.createIfAbsent(key, encodeManifest(manifest));
  await noteCompleted(deps, manifest, key);
  await deps.acknowledgements.remove(job, attempt, checkpoint);
  await startCollector(deps, before, record);
  if (manifest.kind !== 'checkpoint') {
    // A savepoint answers nothing, but it may have stood in the way of what is due.
    await startWhenDue(deps, await endPassedOver(deps, record, checkpoint), false);
    return { outcome: 'completed', manifest: key };
  }
  const published =
    record.published >= checkpoint || mutated('finished-unpublished') ? record : await publishCompleted(deps, job, manifest);
  await settle(deps, published, manifest);
  return { outcome: 'completed', manifest: key };
}

/** CC3. */
async function endPassedOver(deps: CoordinatorDeps, record: JobRecord, completed: CheckpointId): Promise<JobRecord> {
  const { plan } = await readPlan(deps, record.plan);
  let current = record;
  for (const { id } of record.pending.filter((older) => older.id < completed)) {
    const present = await deps.acknowledgements.present(record.job, record.attempt, id);
    if (missingShards(plan, present).length === 0 || mutated('passed-over-waits')) continue;
    const end = (now: JobRecord) => abortCheckpoint(now, id, subsumed, deps.clock.now());
    current = (await updateJob(deps, record.job, end, subsumed)).record;
  }
  return current;
}

/** The next checkpoint, or the job's end. */
export async function settle(deps: CoordinatorDeps, record: JobRecord, manifest: Manifest): Promise<void> {
  if (manifest.kind === 'checkpoint' && manifest.shards.every(({ finished }) => finished)) {
    const ended = { checkpoint: manifest.checkpoint, attempt: record.attempt };
    const updated = await updateJob(deps, record.job, (current) => finishJob(current, ended, deps.clock.now()));
    if (updated.outcome === 'changed') deps.logger.log('info', `job ${record.job} has finished`, { checkpoint: manifest.checkpoint });
    if (updated.outcome !== 'refused') return;
  }
  await startWhenDue(deps, record, false);
}

/** A dead try got as far as the record. Where it is not even there, the checkpoint was aborted: the flow's failure says so. */
async function completedEarlier(deps: CoordinatorDeps, record: JobRecord, checkpoint: CheckpointId, flow: string): Promise<Manifest> {
  const held = heldCheckpoint(record, checkpoint);
  if (held !== undefined) return readHeld(deps, record, held);
  throw new SluiceError('SLUICE-REFUSED', `checkpoint ${checkpoint} of flow ${flow} has been aborted or subsumed`, {
    hint: 'Nothing is lost: the next checkpoint holds what this one would have held.',
    facts: { job: record.job, checkpoint, flow },
  });
}

async function readHeld(deps: CoordinatorDeps, { job }: JobRecord, { kind, manifest }: RetainedCheckpoint): Promise<Manifest> {
  try {
    return decodeManifest(await readObject(deps, manifest), manifest);
  } catch (error) {
    // Without it nothing can be settled, but what it was to make visible is not forgotten.
    if (kind === 'checkpoint') await publishCompleted(deps, job);
    throw error;
  }
}

async function writeManifest(deps: CoordinatorDeps, record: JobRecord, pending: PendingCheckpoint, key: string): Promise<Manifest> {
  const { plan } = await readPlan(deps, record.plan);
  const acknowledged = await deps.acknowledgements.list(record.job, record.attempt, pending.id);
  const { shards, ...bill } = billOfCheckpoint(deps, acknowledged, pending.flow);
  const missing = missingShards(plan, shards);
  if (missing.length > 0 && !mutated('incomplete-completes')) {
    throw new SluiceError('SLUICE-REFUSED', `checkpoint ${pending.id} lacks ${missing.length} acknowledgements`, {
      hint: 'It is aborted and the next one follows. If it lasts, report it.',
      facts: { job: record.job, checkpoint: pending.id, missing },
    });
  }
  const manifest: Manifest = {
    format: 1,
    job: record.job,
    jobName: record.name,
    attempt: record.attempt,
    checkpoint: pending.id,
    ...(record.space === undefined ? {} : { space: record.space }),
    kind: pending.kind,
    mode: pending.mode ?? 'exactly-once',
    ...(pending.overtakeAtMs === undefined ? {} : { unaligned: true }),
    plan,
    planHash: record.planHash,
    shards: trimInFlight({ plan, shards }, lacksBeginnings(shards) ? await olderShards(deps, record, pending) : []),
    triggeredAtMs: pending.triggeredAtMs,
    completedAtMs: deps.clock.now(),
    ...bill,
  };
  if (mutated('manifest-after-completion')) return manifest;
  const outcome = await deps.objects.createIfAbsent(key, encodeManifest(manifest));
  // Attempt and number are in its name and acknowledgements stay as they came first: what exists is ours, but for the time.
  return outcome === 'created' ? manifest : decodeManifest(await readObject(deps, key), key);
}

/** Of the checkpoint that this attempt completed last, where it is an older one. What is lost of it only makes the manifest list more. */
async function olderShards(deps: CoordinatorDeps, record: JobRecord, { id }: PendingCheckpoint): Promise<Manifest['shards']> {
  const older = record.completed >= record.firstEpoch && record.completed < id ? heldCheckpoint(record, record.completed) : undefined;
  if (older === undefined) return [];
  const manifest = await unlessLost(async () => decodeManifest(await readObject(deps, older.manifest), older.manifest));
  return typeof manifest === 'string' ? [] : manifest.shards;
}

async function recordCompletion(deps: CoordinatorDeps, before: JobRecord, manifest: Manifest, key: string): Promise<JobRecord> {
  const { settings } = await readPlan(deps, before.plan);
  const updated = await updateJob(deps, before.job, (record) =>
    complete(
      record,
      {
        checkpoint: manifest.checkpoint,
        manifest: key,
        retainedCount: settings.retained,
        nothingToPublish: partsAbove(manifest, record.published).length === 0,
        inFlightFrom: oldestInFlight(manifest.shards),
      },
      deps.clock.now(),
    ),
  );
  if (updated.outcome !== 'refused') return updated.record;
  throw new SluiceError('SLUICE-REFUSED', `checkpoint ${manifest.checkpoint} was aborted before it could complete`, {
    hint: 'Nothing is lost: the next checkpoint holds what this one would have held.',
    facts: { job: before.job, checkpoint: manifest.checkpoint },
  });
}
