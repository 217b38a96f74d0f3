/** One job in Flink's shapes: an entry of `/jobs/overview`, `/jobs/:jobid`, `/jobs/:jobid/config`. Numbers are never null. */
import { restartStrategyText } from '../../checkpoint/restart-strategy.ts';
import type { JobStatus } from '../../model/job-record.ts';
import type { JobDetails, JobSummary, ShardDetails, VertexDetails } from '../job-details.ts';
import { planView } from './plan-view.ts';
import { countByState, taskCounts, vertexState } from './task-states.ts';
import { vertexId } from './vertex-id.ts';

type View = Readonly<Record<string, unknown>>;

const statuses: readonly JobStatus[] = [
  'INITIALIZING',
  'CREATED',
  'RUNNING',
  'FAILING',
  'FAILED',
  'CANCELLING',
  'CANCELED',
  'FINISHED',
  'RESTARTING',
  'SUSPENDED',
  'RECONCILING',
];

/** Flink groups tasks that may share a slot; here everything may. */
const slotSharingGroup = '0'.repeat(32);

export function overviewEntry(summary: JobSummary, nowMs: number): View {
  const { job, name, status, statusTimes, startedAtMs, shards, unreadable } = summary;
  return {
    jid: job,
    name,
    jobType: 'STREAMING',
    schedulerType: 'Default',
    ...times(summary, nowMs),
    state: status,
    'last-modification': statusTimes[status] ?? startedAtMs,
    tasks: taskCounts(shards),
    'pending-operators': 0,
    // Beyond Flink: its clients ignore what they do not know.
    ...(unreadable === null ? {} : { unreadable }),
  };
}

export function jobView(details: JobDetails, nowMs: number): View {
  const { job, name, status, statusTimes, plan, vertices } = details;
  const ended = endedAtOf(details);
  return {
    jid: job,
    // Flink 2.3 puts an application above every job; here each job is its own.
    'application-id': job,
    name,
    isStoppable: false,
    state: status,
    'job-type': 'STREAMING',
    schedulerType: 'Default',
    ...times(details, nowMs),
    maxParallelism: -1,
    now: nowMs,
    timestamps: Object.fromEntries(statuses.map((known) => [known, statusTimes[known] ?? 0])),
    vertices: vertices.map((vertex) => vertexView(vertex, details, ended, nowMs)),
    'status-counts': countVertices(vertices),
    plan: planView(job, plan),
    'pending-operators': 0,
  };
}

export function configView({ job, name, plan, restart }: JobDetails): View {
  return {
    jid: job,
    name,
    'execution-config': {
      'restart-strategy': restartStrategyText(restart),
      'job-parallelism': Math.max(...plan.vertices.map(({ parallelism }) => parallelism)),
      'object-reuse-mode': false,
      'user-config': plan.parameters,
    },
  };
}

/** `read-bytes` and its like are not counted: their `-complete` says so. */
export function ioMetrics(shards: readonly ShardDetails[]): View {
  const known = shards.every(({ state }) => state !== 'CREATED' && state !== 'INITIALIZING');
  return {
    'read-bytes': 0,
    'read-bytes-complete': false,
    'write-bytes': 0,
    'write-bytes-complete': false,
    'read-records': sum(shards, ({ recordsIn }) => recordsIn),
    'read-records-complete': known,
    'write-records': sum(shards, ({ recordsOut }) => recordsOut),
    'write-records-complete': known,
    'accumulated-backpressured-time': 0,
    'accumulated-idle-time': 0,
    'accumulated-busy-time': 0,
  };
}

function vertexView({ uid, name, maxParallelism, shards }: VertexDetails, details: JobDetails, endedAtMs: number, nowMs: number): View {
  return {
    id: vertexId(uid),
    slotSharingGroupId: slotSharingGroup,
    name,
    maxParallelism,
    parallelism: shards.length,
    status: vertexState(shards),
    'start-time': details.startedAtMs,
    'end-time': endedAtMs,
    duration: durationOf(details, nowMs),
    tasks: countByState(shards),
    metrics: ioMetrics(shards),
    // Beyond Flink: its clients ignore what they do not know.
    uid,
  };
}

/** Flink counts vertices here, not shards. */
function countVertices(vertices: readonly VertexDetails[]): Readonly<Record<string, number>> {
  return countByState(vertices.map(({ shards }) => ({ ...shards[0]!, state: vertexState(shards) })));
}

type Life = Pick<JobSummary, 'startedAtMs' | 'endedAtMs'>;

function times(life: Life, nowMs: number): View {
  return { 'start-time': life.startedAtMs, 'end-time': endedAtOf(life), duration: durationOf(life, nowMs) };
}

function endedAtOf({ endedAtMs }: Life): number {
  return endedAtMs ?? -1;
}

function durationOf({ startedAtMs, endedAtMs }: Life, nowMs: number): number {
  return Math.max(0, (endedAtMs ?? nowMs) - startedAtMs);
}

function sum(shards: readonly ShardDetails[], of: (shard: ShardDetails) => number): number {
  return shards.reduce((total, shard) => total + of(shard), 0);
}
