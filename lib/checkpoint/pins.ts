/** Ends of holds. A pin begins in the write that completes its checkpoint (completion.ts, C2). */
import type { CheckpointId } from '../base/ids.ts';
import type { JobRecord } from '../model/job-record.ts';
import { heldCheckpoint } from './retention.ts';
import { change, refused, unchanged, type Transition } from './transition.ts';

/** Holds a checkpoint that is already held, for another flow: its export may begin late. */
export function pinCheckpoint(record: JobRecord, checkpoint: CheckpointId, flow: string, nowMs: number): Transition<'not-retained'> {
  if (record.pins.some((pin) => pin.flow === flow && pin.checkpoint === checkpoint)) return unchanged(record);
  const held = heldCheckpoint(record, checkpoint);
  if (held === undefined) return refused('not-retained');
  return change(
    record,
    {
      pins: [...record.pins, { checkpoint, kind: held.kind === 'stop-savepoint' ? 'savepoint' : held.kind, flow, manifest: held.manifest }],
    },
    nowMs,
  );
}

/** The flow is done with it, or has ended without saying so. */
export function unpin(record: JobRecord, flow: string, nowMs: number): Transition<never> {
  const pins = record.pins.filter((pin) => pin.flow !== flow);
  return pins.length === record.pins.length ? unchanged(record) : change(record, { pins }, nowMs);
}
