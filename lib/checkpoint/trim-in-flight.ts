/**
 * What a manifest lists as in flight, of what its snapshots do: they list all that their senders kept then.
 *
 * IF4. Nothing is listed that senders may have forgotten when the checkpoint completes. Where each epoch began is in the lists, but not behind a checkpoint that
 *      overtakes nothing: there the older checkpoint that completed last knows it, by which senders forget.
 */
import type { Epoch } from '../base/ids.ts';
import type { JobPlan } from '../model/job-plan.ts';
import type { ShardSnapshot } from '../model/shard-record.ts';
import { inFlightChannels, neededFor } from './in-flight.ts';

/** Snapshots as the manifest has them: listed is only what holds something that is in flight. `older`: of the attempt, which has completed (IF4). */
export function trimInFlight(
  { plan, shards }: { readonly plan: JobPlan; readonly shards: readonly ShardSnapshot[] },
  older: readonly ShardSnapshot[] = [],
): readonly ShardSnapshot[] {
  const channels = inFlightChannels({ plan, shards });
  return shards.map((snapshot) => {
    const { inFlight = [], ...rest } = snapshot;
    const own = channels.filter(({ edge, from }) => edge.from === snapshot.uid && from === snapshot.shard);
    const before = older.find(({ uid, shard }) => uid === snapshot.uid && shard === snapshot.shard);
    const firstBehind = inFlight.findIndex(({ epoch }) => before !== undefined && epoch > before.checkpoint);
    const begins = inFlight.map(({ after }, index) => after ?? (index === firstBehind ? before?.outputs : undefined));
    const needed = neededFor(own, inFlight, begins);
    return needed.length === 0 ? rest : { ...rest, inFlight: needed };
  });
}

/** Whether an older checkpoint may know more of where epochs began. */
export function lacksBeginnings(shards: readonly ShardSnapshot[]): boolean {
  return shards.some(({ inFlight = [] }) => inFlight.some(({ after }, index) => index > 0 && after === undefined));
}

/** The oldest epoch that is listed: senders keep it for the checkpoints that follow. */
export function oldestInFlight(shards: readonly ShardSnapshot[]): Epoch | null {
  const epochs = shards.flatMap(({ inFlight = [] }) => inFlight.map(({ epoch }) => epoch));
  return epochs.length === 0 ? null : Math.min(...epochs);
}
