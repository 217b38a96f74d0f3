/** One vertex, shard by shard: `/jobs/:jobid/vertices/:vertexid` and its watermarks. */
import { MAX_WATERMARK, MIN_WATERMARK } from '../../model/time.ts';
import type { JobDetails, VertexDetails } from '../job-details.ts';
import { ioMetrics } from './job-view.ts';
import { percentile } from './percentiles.ts';
import { vertexId } from './vertex-id.ts';

type View = Readonly<Record<string, unknown>>;

export function vertexDetailsView(details: JobDetails, { uid, name, maxParallelism, shards }: VertexDetails, nowMs: number): View {
  const { startedAtMs, endedAtMs } = details;
  const duration = Math.max(0, (endedAtMs ?? nowMs) - startedAtMs);
  return {
    id: vertexId(uid),
    name,
    parallelism: shards.length,
    maxParallelism,
    now: nowMs,
    subtasks: shards.map((shard) => ({
      subtask: shard.shard,
      status: shard.state,
      // Flink counts attempts from 0.
      attempt: Math.max(0, shard.attempt - 1),
      endpoint: 'local',
      'start-time': startedAtMs,
      'end-time': endedAtMs ?? -1,
      duration,
      metrics: ioMetrics([shard]),
      'taskmanager-id': 'local',
      'status-duration': inStates(duration),
      start_time: startedAtMs,
    })),
    aggregated: {
      metrics: aggregated(shards.map((shard) => ioMetrics([shard]))),
      'status-duration': aggregated(shards.map(() => inStates(duration))),
    },
  };
}

/** Shards begin with the job: nothing is scheduled or deployed for them. */
function inStates(duration: number): View {
  return { SCHEDULED: 0, DEPLOYING: 0, RUNNING: duration, INITIALIZING: 0, CREATED: 0 };
}

/** Every number over all shards. */
function aggregated(views: readonly View[]): View {
  const names = Object.entries(views[0] ?? {}).filter(([, value]) => typeof value === 'number');
  return Object.fromEntries(names.map(([name]) => [name, distribution(views.map((view) => Number(view[name])))]));
}

function distribution(values: readonly number[]): View {
  const sum = values.reduce((total, value) => total + value, 0);
  const at = (quantile: number): number => percentile(values, quantile) ?? 0;
  return {
    min: Math.min(...values),
    max: Math.max(...values),
    avg: Math.floor(sum / values.length),
    sum,
    median: at(0.5),
    p25: at(0.25),
    p75: at(0.75),
    p95: at(0.95),
  };
}

/** Flink's ends of time are Java's, so these are texts. */
export function watermarksView({ shards }: VertexDetails): readonly View[] {
  return shards.map(({ shard, watermark }) => ({ id: `${shard}.currentInputWatermark`, value: javaTime(watermark) }));
}

function javaTime(watermark: number): string {
  if (watermark === MIN_WATERMARK) return '-9223372036854775808';
  return watermark === MAX_WATERMARK ? '9223372036854775807' : String(watermark);
}
