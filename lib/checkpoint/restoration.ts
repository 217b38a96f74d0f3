/**
 * Going back to a checkpoint: one write.
 *
 * S1. A restore is conditional on its checkpoint still being held; where the newest was wanted, on its still being the newest; where a person chose, on
 *     `published` being what the preview showed.
 * S2. The same write raises the attempt, forgets every newer checkpoint and pin, and ends what is pending.
 * S3. Before a restore to an older checkpoint the newer ones' parts are all published, so that no late publisher is left; those of the checkpoint
 *     itself may follow, because they stay listed (transition.ts, J6).
 * S4. Numbers go on above every number ever given.
 */
import { mutated } from '../base/mutated.ts';
import type { CheckpointId } from '../base/ids.ts';
import type { JobRecord, Pin, RetainedCheckpoint } from '../model/job-record.ts';
import { isTerminal, mayMove } from './job-status.ts';
import { nextAttempt, type NextAttempt } from './next-attempt.ts';
import { heldCheckpoint, newestRetained } from './retention.ts';
import { change, refused, type Transition } from './transition.ts';

export interface Restoration extends NextAttempt {
  /** null = from nothing, where no checkpoint was ever retained. */
  readonly checkpoint: CheckpointId | null;
  /** `newest` for recovery and deployment; `chosen` by a person or a flow, with what it had seen. */
  readonly wanted: { readonly kind: 'newest' } | { readonly kind: 'chosen'; readonly publishedSeen: CheckpointId | null };
  /** The checkpoint that is gone back to stays held: a deployment that is rolled back needs it. One such hold at a time. */
  readonly pin?: Required<Pick<Pin, 'flow' | 'untilMs'>>;
}

export type RestoreRefusal =
  'superseded' | 'not-retained' | 'not-newest' | 'published-changed' | 'publication-pending' | 'status-forbids' | 'settings-changed';

export function restore(record: JobRecord, restoration: Restoration, nowMs: number): Transition<RestoreRefusal> {
  const reason = refusalOf(record, restoration);
  if (reason !== null) return refused(reason);
  const target = restoration.checkpoint === null ? undefined : heldCheckpoint(record, restoration.checkpoint);
  const checkpoint = target?.id ?? 0;
  const older = record.retained.filter(({ id }) => id < checkpoint);
  const { begun, patch } = nextAttempt(record, restoration);
  return change(
    begun,
    {
      ...patch,
      firstEpoch: record.numbered + 1,
      ...(mutated('numbers-reused') ? { numbered: checkpoint, firstEpoch: checkpoint + 1 } : {}),
      retained: target === undefined ? [] : mutated('restore-keeps-newer') ? record.retained : [...older, target],
      pins: pinsOf(record, target, restoration.pin),
      completed: checkpoint,
      dirtyEpoch: checkpoint,
    },
    nowMs,
  );
}

function pinsOf({ pins }: JobRecord, target: RetainedCheckpoint | undefined, pin: Restoration['pin']): readonly Pin[] {
  const checkpoint = target?.id ?? 0;
  const kept = pins.filter((held) => held.checkpoint <= checkpoint && !(held.checkpoint === checkpoint && held.kind === 'stop-savepoint'));
  if (pin === undefined || target === undefined) return kept;
  const others = kept.filter(({ untilMs }) => untilMs === undefined);
  return [...others, { ...pin, checkpoint, kind: target.kind === 'stop-savepoint' ? 'savepoint' : target.kind, manifest: target.manifest }];
}

function refusalOf(record: JobRecord, { checkpoint, wanted, fromAttempt, planSeen }: Restoration): RestoreRefusal | null {
  if (record.attempt !== fromAttempt) return 'superseded';
  if (record.status === 'FINISHED') return 'status-forbids';
  if (record.status !== 'RESTARTING' && !mayMove(record.status, 'RESTARTING')) return 'status-forbids';
  if (planSeen !== undefined && record.plan !== planSeen) return 'settings-changed';
  const newest = newestRetained(record);
  if (checkpoint === null && newest !== undefined) return 'not-newest';
  // Nothing is retained, but the base is no longer empty: there is no "nothing" to go back to.
  if (checkpoint === null) return record.completed === 0 ? null : 'not-retained';
  if (heldCheckpoint(record, checkpoint) === undefined && !mutated('restore-not-retained')) return 'not-retained';
  if (wanted.kind === 'newest' && newest?.id !== checkpoint && !mutated('restore-not-newest')) return 'not-newest';
  if (wanted.kind === 'chosen' && wanted.publishedSeen !== null && wanted.publishedSeen !== record.published) return 'published-changed';
  return checkpoint < record.completed && record.published < record.completed ? 'publication-pending' : null;
}

/** What a stop that failed after its barrier goes back to: its own checkpoint if that completed and nothing was drained, else the newest before it. */
export function stopFallback(record: JobRecord, flow: string, drained: boolean): CheckpointId | null {
  const pin = record.pins.find((candidate) => candidate.flow === flow);
  return pin !== undefined && !drained ? pin.checkpoint : (newestRetained(record)?.id ?? null);
}

export function needsRestore(record: JobRecord, tolerableFailures: number): boolean {
  return record.failures > tolerableFailures && !isTerminal(record.status);
}
