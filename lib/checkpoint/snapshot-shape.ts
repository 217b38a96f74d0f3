/** A shard's snapshot as a stored document: part of manifests, and in pieces of savepoints. */
import type { ChannelId, JobId, OperatorUid } from '../base/ids.ts';
import type { Bill } from '../model/bill.ts';
import type { KeyGroupRange } from '../model/key-group-range.ts';
import type {
  DeltaRef,
  EpochSegments,
  FiredRange,
  OperatorStateValue,
  SegmentList,
  ShardSnapshot,
  SinkPart,
  SnapshotStats,
  SplitState,
} from '../model/shard-record.ts';
import { shapes, type Shape } from './shape.ts';

const { anything, flag, id, integer, list, nullable, number, object, oneOf, optional, record, text } = shapes;
const uid = id<OperatorUid>();

export const keyGroupsShape: Shape<KeyGroupRange> = object<KeyGroupRange>({ start: integer, end: integer });

export const sinkPartShape: Shape<SinkPart> = object<SinkPart>({
  operator: uid,
  shard: integer,
  checkpoint: integer,
  number: integer,
  staged: text,
  target: text,
  records: integer,
  bytes: integer,
});

const operatorState = object<OperatorStateValue>({
  kind: oneOf('operator-list', 'operator-union', 'broadcast', 'accumulator'),
  items: list(text),
});

export const billShape: Shape<Bill> = record<string, number>(number);

/** What a shard has that is neither keyed nor a position in a channel. */
export const shardStateFields = {
  uid,
  shard: integer,
  finished: flag,
  fired: list(object<FiredRange>({ keyGroups: keyGroupsShape, firedUpTo: integer })),
  nextTimer: object<ShardSnapshot['nextTimer']>({ event: nullable(integer), processing: nullable(integer) }),
  splits: nullable(
    record<string, SplitState>(
      object<SplitState>({ position: anything, ended: flag, maxTimestamp: integer, activeAtMs: integer, records: integer }),
    ),
  ),
  operatorStates: record<OperatorUid, Readonly<Record<string, OperatorStateValue>>>(record(operatorState)),
  recordsIn: integer,
  recordsOut: integer,
};

export const snapshotShape: Shape<ShardSnapshot> = object<ShardSnapshot>({
  job: id<JobId>(),
  ...shardStateFields,
  attempt: integer,
  checkpoint: integer,
  version: integer,
  inputs: record<ChannelId, number>(integer),
  begun: optional<ShardSnapshot['begun']>(record<ChannelId, number>(integer)),
  outputs: record<ChannelId, number>(integer),
  deltas: list(object<DeltaRef>({ epoch: integer, key: text, rows: integer, bytes: integer, keyGroups: keyGroupsShape })),
  parts: list(sinkPartShape),
  segments: object<SegmentList>({ recent: list(text), chained: nullable(text) }),
  inFlight: optional(
    list(
      object<EpochSegments>({
        epoch: integer,
        recent: list(text),
        chained: nullable(text),
        after: optional<EpochSegments['after']>(record<ChannelId, number>(integer)),
      }),
    ),
  ),
  stats: object<SnapshotStats>({
    deltaBytes: number,
    stateBytes: number,
    alignmentMs: number,
    snapshotMs: number,
    takenAtMs: number,
    processedBytes: optional<SnapshotStats['processedBytes']>(number),
    unaligned: optional(oneOf(true)),
  }),
  bill: optional<ShardSnapshot['bill']>(billShape),
});
