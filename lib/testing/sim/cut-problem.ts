import { inFlightChannels } from '../../checkpoint/in-flight.ts';
import { readMessage } from '../../model/envelope-codec.ts';
import type { JobPlan } from '../../model/job-plan.ts';
import { readSegmentEnvelopes } from '../../model/segment-envelopes.ts';
import type { ShardSnapshot } from '../../model/shard-record.ts';
import type { ObjectStore } from '../../ports/object-store.ts';
import { expandSegments, readNamed } from '../../runtime/named-objects.ts';

/**
/**
 * Why these snapshots are no cut; undefined where they are one: every channel was received up to where it was sent, or what lies between stands once in the
 * segments that its sender lists; and of the records, which are counted over all attempts (and so not after one has begun from a checkpoint at least once:
 * `areCountsExact`), each that was sent has been worked off or is in flight. Needs no restore to notice what one would double or lose.
 */
export async function cutProblem(
  objects: ObjectStore,
  plan: JobPlan,
  shards: readonly ShardSnapshot[],
  { isUnaligned, areCountsExact = true }: { readonly isUnaligned: boolean; readonly areCountsExact?: boolean },
): Promise<string | undefined> {
  const received = new Map(shards.flatMap(({ inputs }) => Object.entries(inputs)));
  const lagging = new Set<string>(isUnaligned ? inFlightChannels({ plan, shards }).map(({ channel }) => channel) : []);
  for (const { uid, shard, outputs } of shards) {
    for (const [channel, sent] of Object.entries(outputs)) {
      if (received.get(channel) === sent || lagging.has(channel)) continue;
      return `${uid}[${shard}] sent ${channel} up to ${sent}, received up to ${received.get(channel)}`;
    }
  }
  const inFlight = await recordsInFlight(objects, plan, shards);
  if (typeof inFlight === 'string') return inFlight;
  // A record of a broadcast is counted once where it is sent, and by every shard that takes it, however many there were then.
  if (!areCountsExact || plan.edges.some(({ partitioner }) => partitioner === 'broadcast')) return undefined;
  const fed = new Set(plan.edges.map(({ to }) => to));
  const sent = shards.reduce((sum, { recordsOut }) => sum + recordsOut, 0);
  const workedOff = shards.reduce((sum, { uid, recordsIn }) => sum + (fed.has(uid) ? recordsIn : 0), 0);
  return sent === workedOff + inFlight ? undefined : `${sent} records were sent, ${workedOff} worked off, ${inFlight} are in flight`;
}

/** How many, or which envelope the listed segments have not, or twice. */
async function recordsInFlight(objects: ObjectStore, plan: JobPlan, shards: readonly ShardSnapshot[]): Promise<number | string> {
  const channels = inFlightChannels({ plan, shards });
  let records = 0;
  for (const snapshot of shards) {
    const own = new Map(
      channels.filter(({ edge, from }) => edge.from === snapshot.uid && from === snapshot.shard).map((one) => [one.channel, one]),
    );
    const found = new Map<string, number>();
    for (const list of snapshot.inFlight ?? []) {
      for (const name of await expandSegments(objects, list)) {
        for (const body of readSegmentEnvelopes(await readNamed(objects, name), name)) {
          const message = readMessage(body);
          if (message.kind !== 'data') continue;
          const { channel, sequence, records: count } = message.header;
          const range = own.get(channel);
          if (range === undefined || sequence <= range.after || sequence > range.upTo) continue;
          const last = found.get(channel) ?? range.after;
          if (sequence !== last + 1) return `${channel} lists envelope ${sequence} behind ${last}`;
          found.set(channel, sequence);
          records += sequence === range.after + 1 ? count - range.begun : count;
        }
      }
    }
    for (const { channel, after, upTo } of own.values()) {
      if ((found.get(channel) ?? after) !== upTo)
        return `${channel} lists up to ${found.get(channel)}, ${upTo} were sent, ${after} received`;
    }
  }
  return records;
}
