/**
 * Which checkpoints are held, and the floor that follows from it.
 *
 * R1. The floor is not above any retained, pinned or pending-savepoint number: each of these must stay readable, or become so.
 * R2. The floor never falls: the base may already be there.
 * R3. Before the first completed checkpoint recovery begins from nothing, so the base must hold nothing: the floor is 0.
 * R4. A checkpoint whose parts are not all published is not retired: its manifest is the only list of them.
 */
import { mutated } from '../base/mutated.ts';
import { invariant } from '../base/invariant.ts';
import type { CheckpointId } from '../base/ids.ts';
import type { JobRecord, RetainedCheckpoint } from '../model/job-record.ts';

type Holds = Pick<JobRecord, 'retained' | 'pins' | 'pending' | 'floor' | 'completed'>;

export function floorOf({ retained, pins, pending, floor, completed }: Holds): CheckpointId {
  const held = [
    ...(completed === 0 ? [0] : []),
    ...retained.map(({ id }) => id),
    ...(mutated('floor-without-pins') ? [] : pins.map(({ checkpoint }) => checkpoint)),
    ...(mutated('floor-without-pending') ? [] : pending.filter(({ kind }) => kind !== 'checkpoint').map(({ id }) => id)),
  ];
  if (held.length === 0) return floor;
  const oldest = mutated('floor-is-newest') ? Math.max(completed, ...retained.map(({ id }) => id)) : Math.min(...held);
  invariant(oldest >= floor, 'R2', `checkpoint ${oldest} is held below the floor ${floor}`, { oldest, floor });
  return oldest;
}

/** The newest `count` stay, and whatever is not published yet. */
export function pruneRetained(
  retained: readonly RetainedCheckpoint[],
  count: number,
  published: CheckpointId,
): readonly RetainedCheckpoint[] {
  const sorted = [...retained].sort((a, b) => a.id - b.id);
  const excess = sorted.length - Math.max(count, 1);
  return sorted.filter(({ id }, index) => index >= excess || (id > published && !mutated('unpublished-retired')));
}

/** What recovery and deployment go back to: the newest completed checkpoint that sinks commit, or an import. */
export function newestRetained(record: JobRecord): RetainedCheckpoint | undefined {
  return record.retained.at(-1);
}

/** A checkpoint that may be read: retained or pinned. */
export function heldCheckpoint(record: JobRecord, checkpoint: CheckpointId): RetainedCheckpoint | undefined {
  const retained = record.retained.find(({ id }) => id === checkpoint);
  if (retained !== undefined) return retained;
  const pin = record.pins.find((candidate) => candidate.checkpoint === checkpoint);
  return pin === undefined ? undefined : { id: pin.checkpoint, kind: pin.kind, manifest: pin.manifest };
}
