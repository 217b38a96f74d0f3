/**
 * The base catches up with the floor: rows of completed epochs' deltas are written to it, lazily and coalesced.
 *
 * AB1. The base only ever advances to the floor: what a retained or pinned checkpoint shows is never overwritten by something newer.
 * AB2. In order of epochs; a delta leaves the record in the commit after its rows have been written. Writing them twice changes nothing.
 * AB3. A step is kept in memory, and who comes next may be another container that begins it anew. Once the base lags several times as far as it may, whoever
 *      comes finishes a whole step: so the lag is bounded, however the invocations are spread.
 */
import { mutated } from '../base/mutated.ts';
import { limits } from '../base/limits.ts';
import type { DeltaRef } from '../model/shard-record.ts';
import { BaseStep, rowsOf } from './base-step.ts';
import type { LiveShard } from './live-shard.ts';
import type { Runtime } from './runtime-deps.ts';

/** Whether the base should follow once the stream is quiet: a restore would have to read what has gathered. */
export function baseLags(shard: LiveShard): boolean {
  return shard.backend !== null && (shard.baseStep !== null || rowsOf(shard.deltas) >= limits.baseAdvanceRowsQuiet);
}

export interface AdvanceOptions {
  readonly floor: number;
  /** Nothing has come for a while, so nobody waits. */
  readonly isQuiet: boolean;
}

/** `done`: the base has all of some deltas, which the commit that follows makes count. */
export type AdvanceOutcome = 'nothing' | 'slice' | 'done';

/**
 * Reads or writes one slice. Under load the base follows late, so that a row that changes in every epoch is written once for several of them, and in
 * slices that hold up no barrier.
 */
export async function advanceBase(runtime: Runtime, shard: LiveShard, options: AdvanceOptions): Promise<AdvanceOutcome> {
  const { backend } = shard;
  if (backend === null || !canAdvance(shard, options)) return 'nothing';
  const { floor, isQuiet } = options;
  const inOrder = shard.deltas.filter(({ epoch }) => epoch <= floor || mutated('base-above-floor'));
  const ready = mutated('newest-delta-first') ? inOrder.reverse() : inOrder;
  const step = (shard.baseStep ??= new BaseStep(ready));
  if (!step.isRead) {
    await step.read(runtime, shard.deltaKeys);
    return 'slice';
  }
  const rows = isQuiet ? limits.baseRowsPerSliceQuiet : limits.baseRowsPerSlice;
  const share = Math.min(1, runtime.program.settings.functionTimeoutMs / limits.functionTimeoutMs);
  const { version, tables } = step.take(Math.max(Math.ceil(rows * share), rowsOf(ready) >> 4));
  if (mutated('deltas-leave-first')) shard.deltas = shard.deltas.filter((ref) => !step.refs.includes(ref));
  const { base } = runtime.deps;
  if (tables.length > 0) await base.write(shard.space, mutated('no-base-fence') ? Number.MAX_SAFE_INTEGER : version, tables);
  if (mutated('no-tombstone')) await base.purgeTombstones(shard.space, Number.POSITIVE_INFINITY);
  backend.baseWritten();
  if (!step.isEmpty) return 'slice';
  shard.baseStep = null;
  // Not by key: after a rescaling an object is listed once for each old shard's key groups.
  const done = new Set(step.refs);
  shard.deltas = shard.deltas.filter((ref) => !done.has(ref));
  for (const { key } of step.refs) shard.deltaKeys.delete(key);
  // Only when no part of an epoch is left does the base stand at it.
  const { epoch } = step.refs.at(-1)!;
  const whole = !shard.deltas.some((ref) => ref.epoch <= epoch);
  shard.baseEpoch = Math.max(shard.baseEpoch, whole ? epoch : baseHoldsSomething);
  backend.baseEpoch = shard.baseEpoch;
  return 'done';
}

/** A base epoch of -1 says that nothing was ever written, and nothing is read then. */
const baseHoldsSomething = 0;

/** A step of slices ends within as many checkpoints as it has epochs and slices, where one container takes all; beyond that it holds up barriers. */
const overdueEpochs = 4;
const overdueRows = 2;

/** Overdue: a step in slices has not come to its end for as long again (AB3). */
export function isOverdue({ deltas }: LiveShard, floor: number): boolean {
  const ready = deltas.filter(({ epoch }) => epoch <= floor);
  return (
    !mutated('base-in-slices-only') &&
    (rowsOf(ready) >= overdueRows * limits.baseAdvanceRows || epochsOf(ready) >= overdueEpochs * limits.baseAdvanceEpochs)
  );
}

function epochsOf(deltas: readonly DeltaRef[]): number {
  return new Set(deltas.map(({ epoch }) => epoch)).size;
}

/** Whether enough has gathered at or below the floor, or something was begun. */
export function canAdvance(shard: LiveShard, { floor, isQuiet }: AdvanceOptions): boolean {
  if (shard.baseStep !== null) return true;
  if (mutated('base-stands-still')) return false;
  const ready = shard.deltas.filter(({ epoch }) => epoch <= floor || mutated('base-above-floor'));
  return rowsOf(ready) >= (isQuiet ? limits.baseAdvanceRowsQuiet : limits.baseAdvanceRows) || epochsOf(ready) >= limits.baseAdvanceEpochs;
}
