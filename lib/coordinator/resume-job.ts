/**
 * Step: what a switch to a new attempt leaves to be done, by whoever meets it: publish what the restored checkpoint lists, remove what the given-up
 * attempt staged, wake all shards.
 *
 * RJ1. Publication comes before the kicks: nothing runs on from a checkpoint whose output is still to come.
 * RJ2. Only parts between the restored checkpoint (a savepoint: from the first on) and the attempt's first epoch are removed; the new attempt's own are above it, so doing this late, or twice, harms nothing.
 */
import { mutated } from '../base/mutated.ts';
import type { Attempt, JobId } from '../base/ids.ts';
import { canonicalJson } from '../base/canonical-json.ts';
import { markRunning } from '../checkpoint/job-progress.ts';
import { isWorking } from '../checkpoint/job-status.ts';
import { decodeManifest } from '../checkpoint/manifest-codec.ts';
import type { Manifest } from '../checkpoint/manifest.ts';
import { heldCheckpoint } from '../checkpoint/retention.ts';
import type { ConnectorSpec } from '../model/job-plan.ts';
import type { JobRecord } from '../model/job-record.ts';
import { importAttempt } from '../savepoint/import-target.ts';
import { armSweep } from './arm-sweep.ts';
import { settle } from './complete-checkpoint.ts';
import { readObject, readPlan, type CoordinatorDeps } from './coordinator-deps.ts';
import { publishCompleted } from './publish-parts.ts';
import { coordinatorItself, recoverFromLoss } from './recovery.ts';
import { noteRestored } from './record-history.ts';
import { kickShards } from './start-job.ts';
import { turnEventSources } from './turn-event-sources.ts';
import { readJob, updateJob } from './update-job.ts';
import { unlessLost } from './whole-checkpoint.ts';

export async function resumeJob(
  deps: CoordinatorDeps,
  { job, attempt }: { readonly job: JobId; readonly attempt: Attempt },
): Promise<void> {
  const switched = await armSweep(deps, await readJob(deps, job));
  if (switched.attempt !== attempt || !isWorking(switched.status)) return;
  if (!mutated('sources-stay-off')) await turnEventSources(deps, { job });
  const record = await publishCompleted(deps, job);
  const held = heldCheckpoint(record, record.completed);
  const manifest =
    held === undefined ? undefined : await unlessLost(async () => decodeManifest(await readObject(deps, held.manifest), held.manifest));
  if (typeof manifest === 'string') return manifestLost(deps, record, manifest);
  await discardStaged(deps, record, manifest);
  await kickShards(deps, record, 1);
  const updated = await updateJob(deps, job, (current) => markRunning(current, attempt, deps.clock.now()));
  if (updated.outcome === 'refused' || manifest === undefined) return;
  const { checkpoint, kind } = manifest;
  await noteRestored(deps, job, { attempt, checkpoint, checkpointKind: kind, atMs: deps.clock.now() });
  await settle(deps, updated.record, manifest);
}

/** Since the switch: no shard can begin from it, and trying again would not end. */
async function manifestLost(deps: CoordinatorDeps, record: JobRecord, problem: string): Promise<void> {
  const { job, completed } = record;
  const message = `the job cannot begin from checkpoint ${completed}: ${problem}`;
  const hint = 'Put the object back and run the job again, or start it from a savepoint.';
  const facts = { job, checkpoint: completed };
  const failure = { code: 'SLUICE-OBJECT-MISSING', message, hint, facts, operator: coordinatorItself, shard: 0, atMs: deps.clock.now() };
  await recoverFromLoss(deps, record, failure);
}

/**
 * Of the present plan's sinks and of those that the restored plan had. Behind a savepoint everything staged is of what was given up: its own parts are
 * published.
 */
async function discardStaged(deps: CoordinatorDeps, record: JobRecord, manifest: Manifest | undefined): Promise<void> {
  const above = manifest?.attempt === importAttempt ? 0 : record.completed;
  if (record.firstEpoch - above <= 1) return;
  const { plan } = await readPlan(deps, record.plan);
  const sinks = new Map<string, ConnectorSpec>();
  for (const { operators } of [plan, ...(manifest === undefined ? [] : [manifest.plan])].flatMap(({ vertices }) => vertices)) {
    for (const { connector } of operators) if (connector !== undefined) sinks.set(canonicalJson(connector), connector);
  }
  for (const sink of sinks.values()) {
    await deps.connectors.sinks[sink.connector]?.discardAbove(
      sink,
      record.job,
      above,
      mutated('own-parts-discarded') ? Number.POSITIVE_INFINITY : record.firstEpoch,
    );
  }
}
