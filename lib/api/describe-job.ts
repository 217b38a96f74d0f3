/** A job's details out of its record, its plan, its shards' records and its history. Pure: the facts are read by port-job-control.ts. */
import type { JobFailure } from '../model/coordinator-message.ts';
import type { StoredPlan } from '../checkpoint/stored-plan.ts';
import { defaultRestartStrategy } from '../checkpoint/restart-strategy.ts';
import { isTerminal } from '../checkpoint/job-status.ts';
import type { JobRecord, JobStatus } from '../model/job-record.ts';
import type { PlannedVertex } from '../model/job-plan.ts';
import type { ShardRecord } from '../model/shard-record.ts';
import { MIN_WATERMARK } from '../model/time.ts';
import type { HistoryEntry } from '../ports/job-history.ts';
import type { JobDetails, JobSummary, ShardDetails, TaskState, VertexDetails } from './job-details.ts';

export interface JobFacts {
  readonly record: JobRecord;
  readonly stored: StoredPlan;
  /** By vertex and shard, in the order of the plan; undefined = not begun. */
  readonly shards: readonly (readonly (ShardRecord | undefined)[])[];
  readonly history: readonly HistoryEntry[];
  readonly failure: JobFailure | null;
}

export function describeJob(facts: JobFacts): JobDetails {
  const { record, stored, history } = facts;
  const { job, name, status, attempt, createdAtMs, changedAtMs } = record;
  const statusTimes = timesOf(history, createdAtMs);
  // Without an entry for it, the last change of the record is the nearest there is.
  const sinceMs = statusTimes[status] ?? changedAtMs;
  return {
    job,
    name,
    status,
    attempt,
    startedAtMs: createdAtMs,
    endedAtMs: isTerminal(status) ? sinceMs : null,
    statusTimes: { ...statusTimes, [status]: sinceMs },
    plan: stored.plan,
    settings: stored.settings,
    restart: stored.restart ?? defaultRestartStrategy,
    vertices: stored.plan.vertices.map((vertex, index) => vertexOf(facts, vertex, facts.shards[index]!)),
  };
}

export function summaryOf({ job, name, status, startedAtMs, endedAtMs, statusTimes, vertices }: JobDetails): JobSummary {
  const shards = vertices.flatMap((vertex) => vertex.shards);
  return { job, name, status, startedAtMs, endedAtMs, statusTimes, shards, unreadable: null };
}

/** By its record alone. */
export function summaryOfRecord(
  { job, name, status, createdAtMs, changedAtMs }: JobRecord,
  unreadable: NonNullable<JobSummary['unreadable']>,
): JobSummary {
  const statusTimes = { ...timesOf([], createdAtMs), [status]: changedAtMs };
  const endedAtMs = isTerminal(status) ? changedAtMs : null;
  return { job, name, status, startedAtMs: createdAtMs, endedAtMs, statusTimes, shards: [], unreadable };
}

function timesOf(history: readonly HistoryEntry[], createdAtMs: number): Partial<Record<JobStatus, number>> {
  const times: Partial<Record<JobStatus, number>> = { INITIALIZING: createdAtMs, CREATED: createdAtMs };
  for (const entry of history) if (entry.kind === 'status') times[entry.status] = entry.atMs;
  return times;
}

function vertexOf(facts: JobFacts, vertex: PlannedVertex, shards: readonly (ShardRecord | undefined)[]): VertexDetails {
  const { uid, name, maxParallelism, parallelism } = vertex;
  const details = Array.from({ length: parallelism }, (_, shard) => shardOf(facts, vertex, shard, shards[shard]));
  return { uid, name, maxParallelism, shards: details };
}

function shardOf(facts: JobFacts, { uid }: PlannedVertex, shard: number, record: ShardRecord | undefined): ShardDetails {
  // What an attempt that was given up has left says nothing about this one.
  const current = record?.attempt === facts.record.attempt ? record : undefined;
  const hasFailed = facts.failure?.operator === uid && facts.failure.shard === shard;
  return {
    shard,
    state: stateOf(facts.record.status, current, hasFailed),
    attempt: record?.attempt ?? 0,
    recordsIn: current?.recordsIn ?? 0,
    recordsOut: current?.recordsOut ?? 0,
    watermark: current?.watermark ?? MIN_WATERMARK,
  };
}

function stateOf(status: JobStatus, shard: ShardRecord | undefined, hasFailed: boolean): TaskState {
  switch (status) {
    case 'FINISHED':
      return 'FINISHED';
    case 'FAILED':
      return hasFailed ? 'FAILED' : endedOr(shard, 'CANCELED');
    case 'CANCELED':
    case 'SUSPENDED':
      return endedOr(shard, 'CANCELED');
    case 'CANCELLING':
    case 'FAILING':
      return endedOr(shard, 'CANCELING');
    case 'INITIALIZING':
    case 'CREATED':
    case 'RUNNING':
    case 'RESTARTING':
    case 'RECONCILING':
      // One that has no more input still takes part in checkpoints, until one says that it has finished.
      return shard === undefined ? 'INITIALIZING' : endedOr(shard, 'RUNNING');
  }
}

function endedOr(shard: ShardRecord | undefined, otherwise: TaskState): TaskState {
  return shard?.status === 'finished' ? 'FINISHED' : otherwise;
}
