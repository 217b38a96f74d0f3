import { channelId, operatorUid, type JobId } from '../../lib/base/ids.ts';
import type { JobRecord } from '../../lib/model/job-record.ts';
import type { ShardRecord, ShardSnapshot } from '../../lib/model/shard-record.ts';

export const jobA = 'a'.repeat(32) as JobId;
export const jobB = 'b'.repeat(32) as JobId;

export function jobRecord(changes: Partial<JobRecord> = {}): JobRecord {
  return {
    job: jobA,
    name: 'flights',
    version: 1,
    status: 'RUNNING',
    attempt: 1,
    planHash: 'hash',
    plan: 'plan',
    descriptor: null,
    numbered: 0,
    dirtyEpoch: 0,
    completed: 0,
    published: 0,
    pending: [],
    aborted: 0,
    retained: [],
    pins: [],
    floor: 0,
    createdAtMs: 1,
    changedAtMs: 1,
    failures: 0,
    try: 0,
    failure: null,
    ...changes,
  } as JobRecord;
}

export function shardRecord(changes: Partial<ShardRecord> = {}): ShardRecord {
  const channel = channelId(0, 0, 0);
  return {
    job: jobA,
    uid: operatorUid('count'),
    shard: 0,
    version: 1,
    attempt: 1,
    tryId: 'try',
    witness: null,
    status: 'running',
    epoch: 1,
    processingTimeMs: 1,
    inputs: { [channel]: { sequence: 1, watermark: 1, idle: false, ended: false, barrier: 0 } },
    outputs: {},
    control: {},
    selfNumber: 0,
    watermark: 0,
    splits: { '0': { position: { offset: 12, seen: new Map([[1, new Date(2)]]) }, ended: false, maxTimestamp: 1, records: 1 } },
    operatorStates: {},
    nextTimer: { event: null, processing: null },
    alignment: null,
    stash: { replaying: false, envelopes: [], chained: null },
    segments: { recent: [], chained: null },
    lastSegment: null,
    deltas: [],
    baseEpoch: 0,
    pendingParts: [],
    dirty: false,
    recordsIn: 0,
    recordsOut: 0,
    ...changes,
  } as ShardRecord;
}

export function shardSnapshot(changes: Partial<ShardSnapshot> = {}): ShardSnapshot {
  return {
    job: jobA,
    uid: operatorUid('count'),
    shard: 0,
    attempt: 1,
    checkpoint: 1,
    inputs: {},
    outputs: {},
    splits: null,
    operatorStates: {},
    deltas: [],
    firedUpTo: 0,
    nextTimer: { event: null, processing: null },
    parts: [],
    finished: false,
    segments: [],
    recordsIn: 0,
    recordsOut: 0,
    stats: { deltaBytes: 0, stateBytes: 0, alignmentMs: 0, snapshotMs: 0, takenAtMs: 0 },
    ...changes,
  } as ShardSnapshot;
}
