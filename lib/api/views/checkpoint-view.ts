/** Checkpoints in Flink's shapes: `/jobs/:jobid/checkpoints`, its details and its configuration. */
import type { CheckpointId } from '../../base/ids.ts';
import { limits } from '../../base/limits.ts';
import type { CheckpointSettings } from '../../checkpoint/checkpoint-settings.ts';
import type { CheckpointKind } from '../../model/job-record.ts';
import type { CheckpointEntry, RestoreEntry, VertexCheckpoint } from '../../ports/job-history.ts';
import type { CheckpointsOfJob, PendingCheckpointDetails } from '../checkpoints-of-job.ts';
import { costView } from './cost-view.ts';
import { summaryOf } from './percentiles.ts';
import { vertexId } from './vertex-id.ts';

type View = Readonly<Record<string, unknown>>;

const checkpointTypes: Readonly<Record<CheckpointKind, string>> = {
  checkpoint: 'CHECKPOINT',
  savepoint: 'SAVEPOINT',
  'stop-savepoint': 'SYNC_SAVEPOINT',
};

export function checkpointsView(checkpoints: CheckpointsOfJob, nowMs: number): View {
  const { counts, pending, ended, discarded, lastRestore } = checkpoints;
  const completed = ended.filter(({ failure }) => failure === null);
  const latest = (found: CheckpointEntry | undefined): View | null => (found === undefined ? null : endedView(found, discarded, false));
  const running = [...pending].sort((a, b) => b.id - a.id).map((entry) => pendingView(entry, nowMs, false));
  return {
    counts: {
      restored: counts.restored,
      total: counts.completed + counts.failed + pending.length,
      in_progress: pending.length,
      completed: counts.completed,
      failed: counts.failed,
    },
    summary: summaryView(completed),
    latest: {
      completed: latest(completed.find(({ checkpointKind }) => checkpointKind === 'checkpoint')),
      savepoint: latest(completed.find(({ checkpointKind }) => checkpointKind !== 'checkpoint')),
      failed: latest(ended.find(({ failure }) => failure !== null)),
      restored: lastRestore === null ? null : restoredView(lastRestore, ended),
    },
    history: [...running, ...ended.slice(0, limits.historyCheckpointsShown).map((entry) => endedView(entry, discarded, false))],
  };
}

/** With its vertices; undefined where the number is not in the history. */
export function checkpointDetailsView(
  { pending, ended, discarded }: CheckpointsOfJob,
  checkpoint: CheckpointId,
  nowMs: number,
): View | undefined {
  const running = pending.find(({ id }) => id === checkpoint);
  if (running !== undefined) return pendingView(running, nowMs, true);
  const entry = ended.find(({ id }) => id === checkpoint);
  return entry === undefined ? undefined : endedView(entry, discarded, true);
}

export function checkpointConfigView(settings: CheckpointSettings): View {
  return {
    mode: settings.mode.replaceAll('-', '_'),
    interval: settings.intervalMs,
    timeout: settings.timeoutMs,
    min_pause: settings.minPauseMs,
    max_concurrent: settings.maxConcurrent,
    externalization: { enabled: true, delete_on_cancellation: settings.retentionOnCancellation === 'delete' },
    state_backend: 'base and deltas',
    checkpoint_storage: 'object store',
    unaligned_checkpoints: settings.unaligned,
    tolerable_failed_checkpoints: settings.tolerableFailures,
    num_retained: settings.retained,
    aligned_checkpoint_timeout: settings.alignedTimeoutMs,
    checkpoints_after_tasks_finish: true,
    state_changelog_enabled: false,
    changelog_periodic_materialization_interval: 0,
    changelog_storage: null,
  };
}

function endedView(entry: CheckpointEntry, discarded: ReadonlySet<CheckpointId>, withTasks: boolean): View {
  const { id, checkpointKind, triggeredAtMs, endedAtMs, vertices, location, failure } = entry;
  const status = failure === null ? 'COMPLETED' : 'FAILED';
  const common = commonView({
    id,
    kind: checkpointKind,
    status,
    triggeredAtMs,
    durationMs: endedAtMs - triggeredAtMs,
    vertices,
    withTasks,
  });
  return failure === null
    ? { className: 'completed', ...common, ...costView(entry, withTasks), external_path: location, discarded: discarded.has(id) }
    : { className: 'failed', ...common, ...costView(entry, withTasks), failure_timestamp: endedAtMs, failure_message: failure.message };
}

function pendingView({ id, kind, triggeredAtMs, vertices }: PendingCheckpointDetails, nowMs: number, withTasks: boolean): View {
  const common = commonView({ id, kind, status: 'IN_PROGRESS', triggeredAtMs, durationMs: nowMs - triggeredAtMs, vertices, withTasks });
  return { className: 'in_progress', ...common };
}

interface CommonFacts {
  readonly id: CheckpointId;
  readonly kind: CheckpointKind;
  readonly status: 'COMPLETED' | 'FAILED' | 'IN_PROGRESS';
  readonly triggeredAtMs: number;
  readonly durationMs: number;
  readonly vertices: readonly VertexCheckpoint[];
  readonly withTasks: boolean;
}

function commonView({ id, kind, status, triggeredAtMs, durationMs, vertices, withTasks }: CommonFacts): View {
  const tasks = withTasks ? vertices.map((vertex) => [vertexId(vertex.uid), taskView(id, status, triggeredAtMs, vertex)] as const) : [];
  return {
    id,
    status,
    is_savepoint: kind !== 'checkpoint',
    savepointFormat: kind === 'checkpoint' ? null : 'CANONICAL',
    trigger_timestamp: triggeredAtMs,
    ...sizesView(vertices),
    end_to_end_duration: Math.max(0, durationMs),
    checkpoint_type: kind === 'checkpoint' && vertices.some(({ unaligned }) => unaligned) ? 'UNALIGNED_CHECKPOINT' : checkpointTypes[kind],
    tasks: Object.fromEntries(tasks),
  };
}

function taskView(id: CheckpointId, status: CommonFacts['status'], triggeredAtMs: number, vertex: VertexCheckpoint): View {
  const { lastAcknowledgedAtMs } = vertex;
  const durationMs = lastAcknowledgedAtMs === -1 ? -1 : Math.max(0, lastAcknowledgedAtMs - triggeredAtMs);
  return { id, status, ...sizesView([vertex]), end_to_end_duration: durationMs };
}

/** What is held back or in flight stands in its sender's segments, and a checkpoint only lists those: nothing is buffered or persisted for it. */
function sizesView(vertices: readonly VertexCheckpoint[]): View {
  return {
    latest_ack_timestamp: Math.max(-1, ...vertices.map(({ lastAcknowledgedAtMs }) => lastAcknowledgedAtMs)),
    checkpointed_size: sum(vertices, ({ deltaBytes }) => deltaBytes),
    state_size: sum(vertices, ({ stateBytes }) => stateBytes),
    alignment_buffered: 0,
    processed_data: sum(vertices, processedOf),
    persisted_data: 0,
    num_subtasks: sum(vertices, ({ shards }) => shards),
    num_acknowledged_subtasks: sum(vertices, ({ acknowledged }) => acknowledged),
  };
}

function summaryView(completed: readonly CheckpointEntry[]): View {
  const nothing = completed.map(() => 0);
  return {
    checkpointed_size: summaryOf(completed.map(({ vertices }) => sum(vertices, ({ deltaBytes }) => deltaBytes))),
    state_size: summaryOf(completed.map(({ vertices }) => sum(vertices, ({ stateBytes }) => stateBytes))),
    end_to_end_duration: summaryOf(completed.map(({ triggeredAtMs, endedAtMs }) => Math.max(0, endedAtMs - triggeredAtMs))),
    alignment_buffered: summaryOf(nothing),
    processed_data: summaryOf(completed.map(({ vertices }) => sum(vertices, processedOf))),
    persisted_data: summaryOf(nothing),
  };
}

function restoredView({ checkpoint, checkpointKind, atMs }: RestoreEntry, ended: readonly CheckpointEntry[]): View {
  return {
    id: checkpoint,
    restore_timestamp: atMs,
    is_savepoint: checkpointKind !== 'checkpoint',
    external_path: ended.find(({ id }) => id === checkpoint)?.location ?? null,
  };
}

function processedOf({ processedBytes = 0 }: VertexCheckpoint): number {
  return processedBytes;
}

function sum(vertices: readonly VertexCheckpoint[], of: (vertex: VertexCheckpoint) => number): number {
  return vertices.reduce((total, vertex) => total + of(vertex), 0);
}
