/** A job's checkpoints out of its record, its history, the acknowledgements of pending ones and its operations. Pure. */
import type { CheckpointId } from '../base/ids.ts';
import { heldCheckpoint } from '../checkpoint/retention.ts';
import type { JobPlan } from '../model/job-plan.ts';
import type { JobRecord } from '../model/job-record.ts';
import type { ShardSnapshot } from '../model/shard-record.ts';
import { byVertex } from '../coordinator/record-history.ts';
import type { CheckpointEntry, HistoryEntry } from '../ports/job-history.ts';
import type { CheckpointsOfJob } from './checkpoints-of-job.ts';

export interface CheckpointFacts {
  readonly record: JobRecord;
  readonly plan: JobPlan;
  readonly history: readonly HistoryEntry[];
  /** Of every pending checkpoint, by its number. */
  readonly acknowledged: ReadonlyMap<CheckpointId, readonly ShardSnapshot[]>;
  /** Where finished savepoints are, by the number of their checkpoint. */
  readonly savepoints: ReadonlyMap<CheckpointId, string>;
  readonly billed: CheckpointsOfJob['billed'];
  readonly checkpointLocation: (manifest: string) => string;
}

export function describeCheckpoints(facts: CheckpointFacts): CheckpointsOfJob {
  const { record, plan, history, acknowledged } = facts;
  const ended = history
    .filter((entry): entry is CheckpointEntry => entry.kind === 'checkpoint')
    .map((entry) => ({ ...entry, location: locationOf(facts, entry) }))
    .sort((a, b) => b.id - a.id);
  const restores = history.filter((entry) => entry.kind === 'restore');
  return {
    counts: record.counts,
    pending: record.pending.map((pending) => ({ ...pending, vertices: byVertex(plan, acknowledged.get(pending.id) ?? []) })),
    ended,
    discarded: new Set(ended.filter((entry) => isDiscarded(record, entry)).map(({ id }) => id)),
    lastRestore: restores.at(-1) ?? null,
    billed: facts.billed,
  };
}

/** A savepoint whose export is not done, or has failed, is nowhere. */
function locationOf({ savepoints, checkpointLocation }: CheckpointFacts, { id, checkpointKind, location }: CheckpointEntry): string | null {
  if (checkpointKind !== 'checkpoint') return savepoints.get(id) ?? null;
  return location === null ? null : checkpointLocation(location);
}

/** Savepoints belong to the user: that their checkpoint is no longer held says nothing about them. */
function isDiscarded(record: JobRecord, { id, checkpointKind, failure }: CheckpointEntry): boolean {
  return failure === null && checkpointKind === 'checkpoint' && heldCheckpoint(record, id) === undefined;
}
