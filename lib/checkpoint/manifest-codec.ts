/**
 * Manifests and restore descriptors as bytes (docs/formats/manifest.md), and what must hold of a manifest: asserted before it is written and after it
 * is read.
 *
 * M1. Exactly the shards of its plan, each once, each of this job, attempt and checkpoint.
 * M2. No received message that was not sent: a cut's input position is at most the sender's output position. Under exactly-once, aligned, both are equal.
 * M3. Deltas are of epochs up to the checkpoint, in rising order per shard, and inside the key groups there are.
 * M4. Canonical bytes: the same acknowledgements make the same manifest, but for the times.
 */
import type { ChannelId, JobId, OperatorUid } from '../base/ids.ts';
import type {
  DeltaRef,
  FiredRange,
  OperatorStateValue,
  SegmentList,
  ShardSnapshot,
  SinkPart,
  SnapshotStats,
  SplitState,
} from '../model/shard-record.ts';
import type { KeyGroupRange } from '../model/key-group.ts';
import { decodeDocument, encodeDocument, type DocumentKind } from './document.ts';
import type { Manifest, RestoreDescriptor } from './manifest.ts';
import { assertManifest } from './manifest-rules.ts';
import { planShape } from './plan-shape.ts';
import { shapes, type Shape } from './shape.ts';

const { anything, flag, id, integer, list, nullable, number, object, oneOf, record, text } = shapes;
const uid = id<OperatorUid>();
const keyGroups = object<KeyGroupRange>({ start: integer, end: integer });

export const splitsShape: Shape<Readonly<Record<string, SplitState>>> = record(
  object<SplitState>({ position: anything, ended: flag, maxTimestamp: integer, activeAtMs: integer, records: integer }),
);

export const operatorStatesShape: Shape<ShardSnapshot['operatorStates']> = record<
  OperatorUid,
  Readonly<Record<string, OperatorStateValue>>
>(record(object<OperatorStateValue>({ kind: oneOf('operator-list', 'operator-union', 'broadcast', 'accumulator'), items: list(text) })));

const snapshot = object<ShardSnapshot>({
  job: id<JobId>(),
  uid,
  shard: integer,
  attempt: integer,
  checkpoint: integer,
  version: integer,
  inputs: record<ChannelId, number>(integer),
  outputs: record<ChannelId, number>(integer),
  splits: nullable(splitsShape),
  operatorStates: operatorStatesShape,
  deltas: list(object<DeltaRef>({ epoch: integer, key: text, rows: integer, bytes: integer, keyGroups })),
  fired: list(object<FiredRange>({ keyGroups, firedUpTo: integer })),
  nextTimer: object({ event: nullable(integer), processing: nullable(integer) }),
  parts: list(
    object<SinkPart>({
      operator: uid,
      shard: integer,
      checkpoint: integer,
      number: integer,
      staged: text,
      target: text,
      records: integer,
      bytes: integer,
    }),
  ),
  finished: flag,
  segments: object<SegmentList>({ recent: list(text), chained: nullable(text) }),
  recordsIn: integer,
  recordsOut: integer,
  stats: object<SnapshotStats>({ deltaBytes: number, stateBytes: number, alignmentMs: number, snapshotMs: number, takenAtMs: number }),
});

const manifestKind: DocumentKind<Manifest> = {
  name: 'the manifest',
  format: 1,
  corruptCode: 'SLUICE-MANIFEST-CORRUPT',
  shape: object<Manifest>({
    format: oneOf(1),
    job: id<JobId>(),
    jobName: text,
    attempt: integer,
    checkpoint: integer,
    kind: oneOf('checkpoint', 'savepoint', 'stop-savepoint'),
    mode: oneOf('exactly-once', 'at-least-once'),
    plan: planShape,
    planHash: text,
    shards: list(snapshot),
    triggeredAtMs: integer,
    completedAtMs: integer,
  }),
};

const descriptorKind: DocumentKind<RestoreDescriptor> = {
  name: 'the restore descriptor',
  format: 1,
  corruptCode: 'SLUICE-MANIFEST-CORRUPT',
  shape: object<RestoreDescriptor>({
    format: oneOf(1),
    job: id<JobId>(),
    attempt: integer,
    checkpoint: integer,
    manifest: text,
    dropped: list(uid),
  }),
};

/** Shards in order of (uid, shard), whatever order their acknowledgements came in. */
export function encodeManifest(manifest: Manifest): Uint8Array {
  const shards = [...manifest.shards].sort((a, b) => (a.uid === b.uid ? a.shard - b.shard : a.uid < b.uid ? -1 : 1));
  assertManifest({ ...manifest, shards });
  return encodeDocument(manifestKind, { ...manifest, shards });
}

export function decodeManifest(bytes: Uint8Array, key: string): Manifest {
  const manifest = decodeDocument(manifestKind, bytes, key);
  assertManifest(manifest);
  return manifest;
}

export function encodeDescriptor(descriptor: RestoreDescriptor): Uint8Array {
  return encodeDocument(descriptorKind, descriptor);
}

export function decodeDescriptor(bytes: Uint8Array, key: string): RestoreDescriptor {
  return decodeDocument(descriptorKind, bytes, key);
}
