/**
 * From pending to completed, and from completed to published.
 *
 * C1. The one point of completion is the write that `completeCheckpoint` describes. The manifest exists before it; one that is not named here does not exist.
 * C2. A pin is set in the write that completes its checkpoint and names its flow.
 * C3. An intermediate savepoint commits nothing: `completed` and `published` do not move. A stop's do so once its export is done.
 * C4. `published` follows `completed`, in order; what follows from a published checkpoint (retiring, FINISHED) waits for it.
 * C5. What the last completed one lists as in flight, senders keep: what is in flight at a later one was so then, or was sent after it. A savepoint that comes
 *     to its end behind a newer checkpoint says nothing: the floor passes it when its export is done.
 */
import { mutated } from '../base/mutated.ts';
import type { Attempt, CheckpointId, Epoch } from '../base/ids.ts';
import type { JobRecord, PendingCheckpoint, RetainedCheckpoint } from '../model/job-record.ts';
import { heldCheckpoint, pruneRetained } from './retention.ts';
import { change, refused, unchanged, type Transition } from './transition.ts';

export interface Completion {
  readonly checkpoint: CheckpointId;
  /** Key of the manifest, which exists. */
  readonly manifest: string;
  readonly retainedCount: number;
  /** The manifest lists no part newer than `published`: nothing is left to do for the sinks. */
  readonly nothingToPublish: boolean;
  /** The oldest epoch with something that is in flight at it; null or absent where nothing is. */
  readonly inFlightFrom?: Epoch | null;
}

export function completeCheckpoint(before: JobRecord, completion: Completion, nowMs: number): Transition<'not-pending'> {
  const record = withInFlight(before, completion);
  const entry = record.pending.find(({ id }) => id === completion.checkpoint);
  if (entry === undefined) return heldCheckpoint(record, completion.checkpoint) === undefined ? refused('not-pending') : unchanged(before);
  const common = {
    pending: record.pending.filter((other) => other !== entry && !isSubsumed(other, entry)),
    failures: 0,
    completedAtMs: nowMs,
    counts: { ...record.counts, completed: record.counts.completed + 1 },
  };
  const { id, kind } = entry;
  const checkpoint: RetainedCheckpoint = { id, kind, manifest: completion.manifest };
  if (kind !== 'checkpoint' && !(kind === 'stop-savepoint' && mutated('stop-retained-at-once'))) {
    const then = entry.thenCancel === true ? ({ thenCancel: true } as const) : {};
    return change(
      record,
      {
        ...common,
        ...(mutated('savepoint-clears-dirty') ? { dirtyEpoch: record.completed } : {}),
        pins: mutated('pin-never')
          ? record.pins
          : [...record.pins, { checkpoint: id, kind, flow: entry.flow, manifest: completion.manifest, ...then }],
      },
      nowMs,
    );
  }
  const published = completion.nothingToPublish && record.published >= record.completed ? id : record.published;
  const retained = pruneRetained([...record.retained, checkpoint], completion.retainedCount, published);
  return change(record, { ...common, completed: id, published, retained, try: 0 }, nowMs);
}

function withInFlight(before: JobRecord, { checkpoint, inFlightFrom = null }: Completion): JobRecord {
  if (checkpoint < before.completed) return before;
  const { inFlightFrom: _, ...record } = before;
  return inFlightFrom === null || mutated('in-flight-not-kept') ? record : { ...record, inFlightFrom };
}

/** A completed checkpoint ends older ones of its kind; savepoints are asked for by a person and go on. */
function isSubsumed(other: PendingCheckpoint, completed: PendingCheckpoint): boolean {
  return completed.kind === 'checkpoint' && other.kind === 'checkpoint' && other.id < completed.id;
}

/** Checkpoints whose parts are to be published, oldest first. */
export function unpublished(record: JobRecord): readonly RetainedCheckpoint[] {
  return record.retained.filter(({ id }) => id > record.published && id <= record.completed);
}

/** All parts of all manifests up to `checkpoint` are published; older checkpoints may go now. */
export function markPublished(
  record: JobRecord,
  checkpoint: CheckpointId,
  retainedCount: number,
  nowMs: number,
): Transition<'not-completed'> {
  if (checkpoint > record.completed) return refused('not-completed');
  if (checkpoint <= record.published) return unchanged(record);
  return change(record, { published: checkpoint, retained: pruneRetained(record.retained, retainedCount, checkpoint) }, nowMs);
}

/**
 * The export of a stop is done: its checkpoint becomes one that sinks commit, and is retained instead of pinned. Only in the attempt that was stopped:
 * after a restore the job runs on, and a late flow must not end it.
 */
export function commitStopped(
  record: JobRecord,
  stopped: { readonly checkpoint: CheckpointId; readonly attempt: Attempt },
  retainedCount: number,
  nowMs: number,
): Transition<'superseded'> {
  if (record.attempt !== stopped.attempt) return refused('superseded');
  const pin = record.pins.find(({ checkpoint, kind }) => checkpoint === stopped.checkpoint && kind === 'stop-savepoint');
  if (pin === undefined) return record.retained.some(({ id }) => id === stopped.checkpoint) ? unchanged(record) : refused('superseded');
  const checkpoint: RetainedCheckpoint = { id: pin.checkpoint, kind: pin.kind, manifest: pin.manifest };
  return change(
    record,
    {
      pins: record.pins.filter((other) => other !== pin),
      // Older ones that never came to an end lie below the floor now.
      pending: record.pending.filter(({ id }) => id > pin.checkpoint),
      completed: Math.max(record.completed, pin.checkpoint),
      retained: pruneRetained([...record.retained, checkpoint], retainedCount, record.published),
      try: 0,
    },
    nowMs,
  );
}
