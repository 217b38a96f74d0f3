import type { CheckpointSettings } from '../../lib/checkpoint/checkpoint-settings.ts';
import { defaultCheckpointSettings } from '../../lib/checkpoint/checkpoint-settings.ts';
import { channelId, type JobId, type OperatorUid } from '../../lib/base/ids.ts';
import type { Manifest } from '../../lib/checkpoint/manifest.ts';
import type { JobPlan } from '../../lib/model/job-plan.ts';
import type { JobRecord } from '../../lib/model/job-record.ts';
import { keyGroupRange } from '../../lib/model/key-group-range.ts';
import type { ShardSnapshot } from '../../lib/model/shard-record.ts';

export const job = '0123456789abcdef0123456789abcdef' as JobId;
export const settings: CheckpointSettings = { ...defaultCheckpointSettings, tolerableFailures: 2, retained: 2 };

export function recordOf(changes: Partial<JobRecord> = {}): JobRecord {
  return {
    job,
    name: 'counting',
    version: 1,
    status: 'RUNNING',
    attempt: 1,
    planHash: 'hash',
    plan: 'jobs/plan',
    descriptor: null,
    firstEpoch: 1,
    numbered: 0,
    dirtyEpoch: 0,
    completed: 0,
    published: 0,
    pending: [],
    aborted: 0,
    retained: [],
    pins: [],
    floor: 0,
    createdAtMs: 1_000,
    changedAtMs: 1_000,
    failures: 0,
    try: 0,
    triggeredAtMs: 0,
    completedAtMs: 0,
    ended: {},
    sweepAtMs: 0,
    counts: { completed: 0, failed: 0, restored: 0 },
    failure: null,
    ...changes,
  };
}

function snapshotOf(uid: OperatorUid, shard: number, changes: Partial<ShardSnapshot> = {}): ShardSnapshot {
  return {
    job,
    uid,
    shard,
    attempt: 1,
    checkpoint: 1,
    version: 5,
    inputs: {},
    outputs: {},
    splits: null,
    operatorStates: {},
    deltas: [],
    fired: [],
    nextTimer: { event: null, processing: null },
    parts: [],
    finished: false,
    segments: { recent: [], chained: null },
    recordsIn: 10,
    recordsOut: 5,
    stats: { deltaBytes: 100, stateBytes: 300, alignmentMs: 2, snapshotMs: 3, takenAtMs: 1_000 },
    ...changes,
  };
}

export function manifestOf(
  plan: JobPlan,
  changes: Partial<Manifest> = {},
  snapshot: (uid: OperatorUid, shard: number) => Partial<ShardSnapshot> = () => ({}),
): Manifest {
  const checkpoint = changes.checkpoint ?? 1;
  const attempt = changes.attempt ?? 1;
  return {
    format: 1,
    job,
    jobName: plan.name,
    attempt,
    checkpoint,
    kind: 'checkpoint',
    mode: 'exactly-once',
    plan,
    planHash: 'hash',
    shards: plan.vertices.flatMap(({ uid, parallelism }) =>
      Array.from({ length: parallelism }, (_, shard) =>
        snapshotOf(uid, shard, { attempt, checkpoint, ...positionsOf(plan, uid, shard), ...snapshot(uid, shard) }),
      ),
    ),
    triggeredAtMs: 900,
    completedAtMs: 1_000,
    ...changes,
  };
}

/** Nothing in flight: every channel is cut at 7. */
function positionsOf(plan: JobPlan, uid: OperatorUid, shard: number): Pick<ShardSnapshot, 'inputs' | 'outputs'> {
  const inputs: Record<string, number> = {};
  const outputs: Record<string, number> = {};
  for (const { index, from, to } of plan.edges) {
    const senders = plan.vertices.find((candidate) => candidate.uid === from)!.parallelism;
    const receivers = plan.vertices.find((candidate) => candidate.uid === to)!.parallelism;
    if (to === uid) for (let sender = 0; sender < senders; sender++) inputs[channelId(index, sender, shard)] = 7;
    if (from === uid) for (let receiver = 0; receiver < receivers; receiver++) outputs[channelId(index, shard, receiver)] = 7;
  }
  return { inputs, outputs };
}

/** A delta over all key groups of a shard. */
export function deltaOf(uid: OperatorUid, shard: number, parallelism: number, epoch: number, maxParallelism = 128) {
  return {
    epoch,
    key: `jobs/${job}/deltas/${uid}/${shard}/1-${epoch}-0-try`,
    rows: 10,
    bytes: 100,
    keyGroups: keyGroupRange(shard, parallelism, maxParallelism),
  };
}
