/** A job's history that is measured as it is written, by the names that Flink gives these metrics. A step that is tried again counts its entry again. */
import type { CheckpointEntry, HistoryEntry, JobHistory } from '../../ports/job-history.ts';
import type { Metrics } from '../../ports/system.ts';

export function measuredHistory(history: JobHistory, metrics: Metrics): JobHistory {
  return {
    read: (job) => history.read(job),
    append: async (job, entry) => {
      measure(entry, metrics);
      await history.append(job, entry);
    },
  };
}

function measure(entry: HistoryEntry, metrics: Metrics): void {
  if (entry.kind === 'checkpoint') measureCheckpoint(entry, metrics);
  else if (entry.kind === 'restore') metrics.count('numRestarts', 1);
  else if (entry.status === 'FAILED') metrics.count('numberOfFailedJobs', 1);
}

function measureCheckpoint({ failure, triggeredAtMs, endedAtMs, vertices }: CheckpointEntry, metrics: Metrics): void {
  if (failure !== null) return metrics.count('numberOfFailedCheckpoints', 1);
  metrics.count('numberOfCompletedCheckpoints', 1);
  metrics.gauge('lastCheckpointDuration', endedAtMs - triggeredAtMs);
  metrics.gauge('lastCheckpointSize', vertices.reduce((sum, { deltaBytes }) => sum + deltaBytes, 0)); // prettier-ignore
}
