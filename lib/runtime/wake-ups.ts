/**
 * Wake-ups: messages of a shard to itself, for what must happen though nobody else comes. Each is an effect of the commit that asks for it.
 *
 * WU1. What a wake-up was asked for is only remembered in memory: whoever accepts one, even too early, and whoever starts cold, asks again.
 */
import { mutated } from '../base/mutated.ts';
import type { Clock } from '../ports/system.ts';
import { baseLags, canAdvance, type AdvanceOptions } from './advance-base.ts';
import type { LiveShard } from './live-shard.ts';
import { wakeAtRest } from './push-source.ts';
import type { SelfMessage } from './segment-content.ts';
import { hasSweeps } from './sweep-maps.ts';

/** A processing-time timer needs somebody to wake the shard. */
export function armTimer(shard: LiveShard): void {
  const { processing } = shard.nextTimers();
  if (processing === null || processing === shard.armedAtMs || shard.status !== 'running') return;
  if (mutated('timer-armed-once') && processing === shard.record.nextTimer.processing) return;
  shard.armedAtMs = processing;
  wakeAt(shard, 'wake', processing);
}

/** For what lingers. An earlier one that is under way will do. */
export function armFlush(shard: LiveShard): void {
  const dueAtMs = shard.outputs.dueAtMs();
  if (dueAtMs === null) return;
  if (shard.push?.loop === null) return wakeAtRest(shard, dueAtMs);
  if (shard.topology.isSource) return hurryLoop(shard, dueAtMs);
  if (shard.flushArmedAtMs !== null && shard.flushArmedAtMs <= dueAtMs) return;
  shard.flushArmedAtMs = dueAtMs;
  wakeAt(shard, 'flush', dueAtMs);
}

/** A source on which something lingers is in its loop, which comes back by itself: where it sleeps, not later than that. */
function hurryLoop(shard: LiveShard, dueAtMs: number): void {
  shard.self = shard.self.map((message) => (message.kind === 'wake' && message.dueAtMs > dueAtMs ? { ...message, dueAtMs } : message));
}

/** On a stream that has gone quiet nobody would come to let the base follow the floor: then, and not under load, it may follow closely.
 * What cleared maps have left in it is swept as quickly. */
export function armBase(shard: LiveShard, clock: Clock, options: AdvanceOptions): void {
  if (shard.status === 'finished' || !(baseLags(shard) || hasSweeps(shard))) {
    shard.baseWakeMs = baseWakeMinMs;
    return;
  }
  if (shard.baseArmedAtRecords !== null) return;
  shard.baseArmedAtRecords = shard.recordsIn;
  wakeAt(shard, 'wake', clock.now() + baseWaitMs(shard, options));
}

function baseWaitMs(shard: LiveShard, options: AdvanceOptions): number {
  if (options.isQuiet && (hasSweeps(shard) || canAdvance(shard, options))) return baseWakeQuietMs;
  // Neither a steady stream nor a floor that is held for hours is worth a look twice a second.
  const waitMs = shard.baseWakeMs;
  shard.baseWakeMs = Math.min(waitMs * 2, baseWakeMaxMs);
  return waitMs;
}

function wakeAt(shard: LiveShard, kind: SelfMessage['kind'], dueAtMs: number): void {
  shard.selfNumber++;
  shard.self.push({ kind, number: shard.selfNumber, dueAtMs });
}

/** How long the base waits for the floor before it looks again; a pinned checkpoint may hold the floor for hours. */
const baseWakeMinMs = 500;
const baseWakeMaxMs = 60_000;
/** While it has something to write and nothing else comes. */
const baseWakeQuietMs = 20;
