/** Somebody must come when what lingers is due. */
import type { LiveShard } from './live-shard.ts';

/** An earlier wake-up that is under way will do: whoever accepts it, even too early, asks again. */
export function armFlush(shard: LiveShard): void {
  const dueAtMs = shard.outputs.dueAtMs();
  if (dueAtMs === null) return;
  if (shard.topology.isSource) return hurryLoop(shard, dueAtMs);
  if (shard.flushArmedAtMs !== null && shard.flushArmedAtMs <= dueAtMs) return;
  shard.flushArmedAtMs = dueAtMs;
  shard.selfNumber++;
  shard.self.push({ kind: 'flush', number: shard.selfNumber, dueAtMs });
}

/** A source whose records linger is in its loop, which comes back by itself: where it sleeps, not later than that. */
function hurryLoop(shard: LiveShard, dueAtMs: number): void {
  shard.self = shard.self.map((message) => (message.kind === 'wake' && message.dueAtMs > dueAtMs ? { ...message, dueAtMs } : message));
}
