import type { JobPlan } from '../../model/job-plan.ts';
import type { ShardSnapshot } from '../../model/shard-record.ts';

/**
 * Why these snapshots are no aligned cut; undefined where they are one: every channel was received up to where it was sent, and of the records, which
 * are counted over all attempts (and so not after one has begun from a checkpoint at least once: `areCountsExact`), each that was sent has been worked off. Needs no restore to notice what one would double or lose.
 */
export function cutProblem(plan: JobPlan, shards: readonly ShardSnapshot[], areCountsExact = true): string | undefined {
  const received = new Map(shards.flatMap(({ inputs }) => Object.entries(inputs)));
  for (const { uid, shard, outputs } of shards) {
    for (const [channel, sent] of Object.entries(outputs)) {
      if (received.get(channel) !== sent) return `${uid}[${shard}] sent ${channel} up to ${sent}, received up to ${received.get(channel)}`;
    }
  }
  // A record of a broadcast is counted once where it is sent, and by every shard that takes it, however many there were then.
  if (!areCountsExact || plan.edges.some(({ partitioner }) => partitioner === 'broadcast')) return undefined;
  const fed = new Set(plan.edges.map(({ to }) => to));
  const sent = shards.reduce((sum, { recordsOut }) => sum + recordsOut, 0);
  const workedOff = shards.reduce((sum, { uid, recordsIn }) => sum + (fed.has(uid) ? recordsIn : 0), 0);
  return sent === workedOff ? undefined : `${sent} records were sent, ${workedOff} worked off`;
}
