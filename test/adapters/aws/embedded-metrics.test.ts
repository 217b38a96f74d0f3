import { expect, test } from 'vitest';
import { createEmbeddedMetrics } from '../../../lib/adapters/lambda/embedded-metrics.ts';
import { measuredHistory } from '../../../lib/adapters/lambda/measured-history.ts';
import type { JobId, OperatorUid } from '../../../lib/base/ids.ts';
import type { CheckpointEntry, HistoryEntry } from '../../../lib/ports/job-history.ts';

const job = 'a'.repeat(32) as JobId;

function recorded() {
  const lines: string[] = [];
  const metrics = createEmbeddedMetrics({
    clock: { now: () => 1_700_000_000_000, monotonic: () => 0 },
    job,
    write: (line) => lines.push(line),
  });
  const told = (): unknown[] => {
    metrics.flush();
    return lines.splice(0).map((line) => JSON.parse(line) as unknown);
  };
  return { metrics, told };
}

test('what was counted is one line per set of labels, of the job as a whole too, and is counted anew afterwards', () => {
  const { metrics, told } = recorded();
  metrics.count('deadLetters', 2, { operator: 'map' });
  metrics.count('deadLetters', 1, { operator: 'map' });
  metrics.count('numRestarts', 1);
  expect(told()).toEqual([
    {
      _aws: {
        Timestamp: 1_700_000_000_000,
        CloudWatchMetrics: [
          { Namespace: 'Sluice', Dimensions: [['job'], ['job', 'operator']], Metrics: [{ Name: 'deadLetters', Unit: 'Count' }] },
        ],
      },
      job,
      operator: 'map',
      deadLetters: 3,
    },
    {
      _aws: {
        Timestamp: 1_700_000_000_000,
        CloudWatchMetrics: [{ Namespace: 'Sluice', Dimensions: [['job']], Metrics: [{ Name: 'numRestarts', Unit: 'Count' }] }],
      },
      job,
      numRestarts: 1,
    },
  ]);
  expect(told()).toEqual([]);
});

test('an invocation that has nothing to tell writes nothing', () => {
  expect(recorded().told()).toEqual([]);
});

test('a line is a line, whatever a label holds', () => {
  const lines: string[] = [];
  const metrics = createEmbeddedMetrics({ clock: { now: () => 0, monotonic: () => 0 }, job, write: (line) => lines.push(line) });
  metrics.count('deadLetters', 1, { operator: 'a\n"b"\u2028' });
  metrics.flush();
  expect(lines).toHaveLength(1);
  expect(lines[0]!.trimEnd()).not.toContain('\n');
  expect(JSON.parse(lines[0]!)).toMatchObject({ operator: 'a\n"b"\u2028' });
});

const vertex = {
  uid: 'map' as OperatorUid,
  shards: 1,
  acknowledged: 1,
  lastAcknowledgedAtMs: 5,
  stateBytes: 9,
  alignmentMs: 0,
  snapshotMs: 0,
};
const completed: CheckpointEntry = {
  ...{
    kind: 'checkpoint',
    id: 1,
    attempt: 1,
    checkpointKind: 'checkpoint',
    triggeredAtMs: 100,
    endedAtMs: 350,
    location: 'there',
    failure: null,
  },
  vertices: [
    { ...vertex, deltaBytes: 10 },
    { ...vertex, deltaBytes: 20 },
  ],
};

test.each<readonly [string, HistoryEntry, Readonly<Record<string, number>>]>([
  ['a completed checkpoint', completed, { numberOfCompletedCheckpoints: 1, lastCheckpointDuration: 250, lastCheckpointSize: 30 }],
  ['a failed checkpoint', { ...completed, failure: { reason: 'r', message: 'm' } }, { numberOfFailedCheckpoints: 1 }],
  ['a restore', { kind: 'restore', id: 2, checkpoint: 1, checkpointKind: 'checkpoint', atMs: 1 }, { numRestarts: 1 }],
  ['a failed job', { kind: 'status', id: 3, status: 'FAILED', atMs: 1 }, { numberOfFailedJobs: 1 }],
])('%s in the history is measured as it is written', async (_, entry, values) => {
  const { metrics, told } = recorded();
  const kept: HistoryEntry[] = [];
  const history = measuredHistory({ append: async (_job, one) => void kept.push(one), read: async () => kept }, metrics);
  await history.append(job, entry);
  expect(await history.read(job)).toEqual([entry]);
  expect(told()).toEqual([expect.objectContaining(values)]);
});

test('another change of status is no metric', async () => {
  const { metrics, told } = recorded();
  await measuredHistory({ append: async () => undefined, read: async () => [] }, metrics).append(job, {
    kind: 'status',
    id: 3,
    status: 'RUNNING',
    atMs: 1,
  });
  expect(told()).toEqual([]);
});
