/**
 * Manifests and restore descriptors as bytes (docs/formats/manifest.md), and what must hold of a manifest: asserted before it is written and after it
 * is read.
 *
 * M1. Exactly the shards of its plan, each once, each of this job, attempt and checkpoint.
 * M2. No received message that was not sent: a cut's input position is at most the sender's output position. Under exactly-once, aligned, both are equal.
 *     Unaligned, what lies between is in flight: only on channels that can be dealt out again, and listed by the sender's snapshot (in-flight.ts, IF1, IF2).
 * M3. Deltas are of epochs up to the checkpoint, in rising order per shard, and inside the key groups there are.
 * M4. Canonical bytes: the same acknowledgements make the same manifest, but for the times and the bill.
 */
import type { JobId, OperatorUid } from '../base/ids.ts';
import { decodeDocument, encodeDocument, type DocumentKind } from './document.ts';
import type { Manifest, RestoreDescriptor } from './manifest.ts';
import { assertManifest } from './manifest-rules.ts';
import { planShape } from './plan-shape.ts';
import { shapes } from './shape.ts';
import { billShape, snapshotShape } from './snapshot-shape.ts';

const { id, integer, list, object, oneOf, optional, text } = shapes;

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
    space: optional(text),
    kind: oneOf('checkpoint', 'savepoint', 'stop-savepoint'),
    mode: oneOf('exactly-once', 'at-least-once'),
    unaligned: optional(oneOf(true)),
    plan: planShape,
    planHash: text,
    shards: list(snapshotShape),
    triggeredAtMs: integer,
    completedAtMs: integer,
    bill: optional<Manifest['bill']>(billShape),
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
    dropped: list(id<OperatorUid>()),
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
