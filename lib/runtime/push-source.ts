/**
 * Push sources: an intake tells them of what comes in, and in between they rest, so that an idle job makes no request.
 *
 * PS1. At most one message to itself reads on (`loop`); an arrival starts the loop only where there is none.
 * PS2. The loop ends with a read that found nothing, in its commit. An arrival is sent when its entry can be read: what that read has missed is announced
 *      to a source at rest.
 * PS3. Arrivals are accepted once and only upwards, for each split. Gaps are legal: entries are numbered without gaps, and reading finds those before.
 * PS4. At rest it is woken for idleness and for what lingers; these wake-ups read nothing.
 */
import { mutated } from '../base/mutated.ts';
import type { ControlMessage } from '../model/envelope.ts';
import type { PushProgress } from '../model/shard-record.ts';
import type { WatermarkStrategy } from '../operators/operator.ts';
import type { LiveShard } from './live-shard.ts';
import type { Runtime } from './runtime-deps.ts';

/** Of a new attempt, whose first message to itself is `loop`; null where the source looks for its input itself. */
export function newPushProgress({ deps }: Runtime, { topology }: LiveShard, loop: number): PushProgress | null {
  return topology.isSource && passedOf(deps, topology) !== undefined ? { loop, arrived: {} } : null;
}

/** What a message that might read is worth: `read`; `rest`: it only looks after what time brings; `nothing`: the loop comes by itself. */
export function turnOf({ deps }: Runtime, { push, splits, topology }: LiveShard, control: ControlMessage): 'read' | 'rest' | 'nothing' {
  if (push === null) return 'read';
  if (push.loop !== null) return control.kind !== 'arrived' && control.number === push.loop ? 'read' : 'nothing';
  if (control.kind !== 'arrived') return 'rest';
  const { position, ended } = splits![control.split!]!;
  return mutated('arrival-starts-nothing') || ended || passedOf(deps, topology)!(position, control.number) ? 'rest' : 'read';
}

/** The message that was pushed last reads on. */
export function keepLoop(shard: LiveShard): void {
  if (shard.push !== null) shard.push = { ...shard.push, loop: shard.selfNumber };
}

/** Nobody reads on. PS4: one wake-up at the next time at which a split is found idle. */
export function rest(shard: LiveShard, { kind, idleMs }: WatermarkStrategy): void {
  shard.push = { ...shard.push!, loop: null };
  if (kind === 'none' || idleMs === 0) return;
  const idleAt = Object.values(shard.splits!).flatMap(({ ended, activeAtMs }) => {
    return ended || shard.processingTimeMs - activeAtMs >= idleMs ? [] : [activeAtMs + idleMs];
  });
  if (idleAt.length > 0) wakeAtRest(shard, Math.min(...idleAt));
}

/** For what lingers too. One that comes earlier will do: whoever accepts it looks again. */
export function wakeAtRest(shard: LiveShard, dueAtMs: number): void {
  if (shard.restArmedAtMs !== null && shard.restArmedAtMs <= dueAtMs) return;
  shard.restArmedAtMs = dueAtMs;
  shard.selfNumber++;
  shard.self.push({ kind: 'wake', number: shard.selfNumber, dueAtMs });
}

function passedOf({ connectors }: Runtime['deps'], { vertex }: LiveShard['topology']) {
  return connectors.sources[vertex.operators[0]!.connector!.connector]!.hasPassed;
}
