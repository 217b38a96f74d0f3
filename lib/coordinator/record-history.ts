/**
 * Writes down what has happened, for people. Nothing of the protocol hangs on it, so a failure to write it is logged and forgotten.
 */
import { errorMessage } from '../base/errors.ts';
import type { Attempt, CheckpointId, JobId } from '../base/ids.ts';
import { failureText, type FailureReason } from '../checkpoint/failure-reason.ts';
import type { Manifest } from '../checkpoint/manifest.ts';
import type { JobPlan } from '../model/job-plan.ts';
import type { CheckpointKind, JobRecord, PendingCheckpoint } from '../model/job-record.ts';
import type { ShardSnapshot } from '../model/shard-record.ts';
import type { HistoryEntry, VertexCheckpoint } from '../ports/job-history.ts';
import { billOfShards, recordsRead } from './checkpoint-bill.ts';
import { readPlan, type CoordinatorDeps } from './coordinator-deps.ts';

type HistoryDeps = Pick<CoordinatorDeps, 'history' | 'logger' | 'acknowledgements' | 'objects'>;

export async function noteStatus(deps: HistoryDeps, before: JobRecord | null, after: JobRecord): Promise<void> {
  if (before?.status === after.status) return;
  await append(deps, after.job, { kind: 'status', id: after.version, status: after.status, atMs: after.changedAtMs });
}

export async function noteCompleted(deps: HistoryDeps, manifest: Manifest, location: string): Promise<void> {
  const { job, checkpoint, attempt, kind, plan, shards, triggeredAtMs, completedAtMs, bill } = manifest;
  await append(deps, job, {
    kind: 'checkpoint',
    id: checkpoint,
    attempt,
    checkpointKind: kind,
    triggeredAtMs,
    endedAtMs: completedAtMs,
    vertices: byVertex(plan, shards),
    location,
    failure: null,
    ...(bill === undefined ? {} : { bill, records: recordsRead(manifest) }),
  });
}

/** Called before the acknowledgements that came are removed. */
export async function noteFailed(
  deps: HistoryDeps,
  record: JobRecord,
  pending: PendingCheckpoint,
  reason: FailureReason,
  atMs: number,
): Promise<void> {
  const { plan } = await readPlan(deps, record.plan);
  const shards = await deps.acknowledgements.list(record.job, record.attempt, pending.id);
  const bill = billOfShards(shards);
  await append(deps, record.job, {
    kind: 'checkpoint',
    id: pending.id,
    attempt: record.attempt,
    checkpointKind: pending.kind,
    triggeredAtMs: pending.triggeredAtMs,
    endedAtMs: atMs,
    vertices: byVertex(plan, shards),
    location: null,
    failure: { reason, message: failureText(reason) },
    ...(bill === undefined ? {} : { bill }),
  });
}

export async function noteRestored(
  deps: HistoryDeps,
  job: JobId,
  restored: {
    readonly attempt: Attempt;
    readonly checkpoint: CheckpointId;
    readonly checkpointKind: CheckpointKind;
    readonly atMs: number;
  },
): Promise<void> {
  const { attempt, ...rest } = restored;
  await append(deps, job, { kind: 'restore', id: attempt, ...rest });
}

/** What the snapshots say of every vertex of the plan. */
export function byVertex(plan: JobPlan, shards: readonly ShardSnapshot[]): readonly VertexCheckpoint[] {
  return plan.vertices.map(({ uid, parallelism }) => {
    const stats = shards.filter((snapshot) => snapshot.uid === uid).map((snapshot) => snapshot.stats);
    const processedBytes = stats.reduce((total, { processedBytes: bytes = 0 }) => total + bytes, 0);
    const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
    return {
      uid,
      shards: parallelism,
      acknowledged: stats.length,
      lastAcknowledgedAtMs: Math.max(-1, ...stats.map(({ takenAtMs }) => takenAtMs)),
      deltaBytes: sum(stats.map(({ deltaBytes }) => deltaBytes)),
      stateBytes: sum(stats.map(({ stateBytes }) => stateBytes)),
      ...(processedBytes === 0 ? {} : { processedBytes }),
      alignmentMs: Math.max(0, ...stats.map(({ alignmentMs }) => alignmentMs)),
      snapshotMs: Math.max(0, ...stats.map(({ snapshotMs }) => snapshotMs)),
      ...(stats.some(({ unaligned }) => unaligned) ? ({ unaligned: true } as const) : {}),
    };
  });
}

async function append({ history, logger }: HistoryDeps, job: JobId, entry: HistoryEntry): Promise<void> {
  try {
    await history.append(job, entry);
  } catch (error) {
    logger.log('warn', `the history of job ${job} lacks an entry`, { kind: entry.kind, id: entry.id, error: errorMessage(error) });
  }
}
