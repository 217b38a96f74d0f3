/**
 * In-flight data of the checkpoint that a shard was restored from: read from the senders' segments of the attempt that is over, and processed before
 * anything else.
 *
 * RF1. It is finished before the shard accepts any message or takes any snapshot: nothing that its senders send anew overtakes it, and no later checkpoint
 *      has to list it again.
 * RF2. Records only: barriers, watermarks and the ends of inputs come anew on the channels of this attempt.
 * RF3. The record says how far it is, in segments, and within one where a dead letter closes a commit; a commit takes some, so that a step is bounded. All
 *      that the positions promise must have been found.
 * RF4. A record whose key selector fails was sent to the receiver's first shard, to be set aside: there it is replayed.
 */
import { mutated } from '../base/mutated.ts';
import { invariant } from '../base/invariant.ts';
import type { ReplayedChannel, SenderInFlight } from '../checkpoint/in-flight.ts';
import type { ChannelId } from '../base/ids.ts';
import { decodeEnvelope, readMessage } from '../model/envelope-codec.ts';
import type { Envelope } from '../model/envelope.ts';
import { canonicalKey } from '../model/canonical-key.ts';
import { keyGroupOf } from '../model/key-group.ts';
import type { JobRecord } from '../model/job-record.ts';
import type { InFlightProgress } from '../model/shard-record.ts';
import { readSegmentEnvelopes } from '../model/segment-envelopes.ts';
import type { LiveShard } from './live-shard.ts';
import { expandSegments, readNamed } from './named-objects.ts';
import { processRecords } from './process-elements.ts';
import type { Runtime } from './runtime-deps.ts';
import { setsAside } from './poison.ts';
import { startOfShard } from './start-of-shard.ts';
import { userError } from './user-code.ts';

/** One segment, and what of it is this shard's. */
export interface InFlightSegment {
  readonly name: string;
  readonly channels: ReadonlyMap<string, ReplayedChannel>;
}

/** Segments that one commit reads at most, whatever is in them. */
const segmentsPerCommitMax = 64;

/** Goes on with the replay, up to where a commit must be made. */
export async function replayInFlight(runtime: Runtime, job: JobRecord, shard: LiveShard, recordsMax: number): Promise<void> {
  const all = (shard.inFlight ??= await listSegments(runtime, await startOfShard(runtime, job, shard.topology)));
  const startedWith = shard.recordsIn;
  const { segments: first, envelopes, within } = shard.replay!;
  let found = envelopes;
  let next = first;
  let begun = within ?? fromTheStart;
  shard.changed = true;
  while (next < all.length && next - first < segmentsPerCommitMax && shard.recordsIn - startedWith < recordsMax) {
    const outcome = await replaySegment(runtime, shard, all[next]!, begun);
    if (outcome.stopped !== undefined) {
      shard.replay = { segments: next, envelopes: found, within: outcome.stopped };
      return;
    }
    found += outcome.found;
    next++;
    begun = fromTheStart;
  }
  shard.replay = { segments: next, envelopes: found };
  if (next < all.length && !mutated('replay-in-one-step')) return;
  const promised = promisedBy(all);
  invariant(found === promised || mutated('replay-in-one-step'), 'RF3', `of ${promised} envelopes in flight ${found} were found`, {
    address: shard.topology.address,
  });
  shard.replay = null;
  shard.inFlight = null;
}

async function listSegments(runtime: Runtime, { inFlight }: { readonly inFlight: readonly SenderInFlight[] }): Promise<InFlightSegment[]> {
  const all: InFlightSegment[] = [];
  for (const { segments, channels } of inFlight) {
    const byId = new Map<string, ReplayedChannel>(channels.map((channel) => [channel.channel, channel]));
    for (const list of segments) {
      for (const name of await expandSegments(runtime.deps.objects, list)) all.push({ name, channels: byId });
    }
  }
  return all;
}

function promisedBy(all: readonly InFlightSegment[]): number {
  const channels = [...new Set(all.map((segment) => segment.channels))].flatMap((some) => [...some.values()]);
  return channels.reduce((sum, { after, upTo }) => sum + upTo - after, 0);
}

type Within = NonNullable<InFlightProgress['within']>;

const fromTheStart: Within = { envelopes: 0, records: 0 };

/** How many of the segment's envelopes are this shard's; or where it stopped, because a commit must be made. */
async function replaySegment(
  runtime: Runtime,
  shard: LiveShard,
  { name, channels }: InFlightSegment,
  begun: Within,
): Promise<{ readonly found: number; readonly stopped?: Within }> {
  let found = 0;
  for (const body of readSegmentEnvelopes(await readNamed(runtime.deps.objects, name), name)) {
    const message = readMessage(body);
    if (message.kind !== 'data') continue;
    const { channel: id, sequence, records } = message.header;
    const channel = channels.get(id);
    if (channel === undefined || sequence <= channel.after || sequence > channel.upTo) continue;
    found++;
    if (records === 0 || found <= begun.envelopes) continue;
    const done = found === begun.envelopes + 1 ? begun.records : 0;
    const at = await replayEnvelope(runtime, shard, channel, decodeEnvelope(body), done);
    if (shard.mustCommit) return { found, stopped: at === null ? { envelopes: found, records: 0 } : { envelopes: found - 1, records: at } };
  }
  return { found };
}

/** From its own record number `from` on. Where a commit must be made first, the number of the next; null at its end. */
async function replayEnvelope(
  runtime: Runtime,
  shard: LiveShard,
  channel: ReplayedChannel,
  envelope: Envelope,
  from: number,
): Promise<number | null> {
  const { operator, input } = channel;
  const left = envelope.header.sequence === channel.after + 1 ? behind(envelope, channel.begun) : envelope;
  const mine = channel.byKey ? ownRecords(shard, input, left) : left;
  const end = mine.values.length;
  if (from >= end) return null;
  // Named apart from what this attempt's channels bring: their numbers begin anew.
  shard.place = { kind: 'record', channel: `in-flight ${channel.channel}` as ChannelId, sequence: mine.header.sequence, index: from };
  if (operator === shard.topology.address.uid) {
    const source = { channel: { id: shard.place.channel, input, partitioner: channel.byKey ? 'hash' : 'rebalance' } } as const;
    const nowMs = (): number => runtime.deps.clock.now();
    let at = from;
    while (at < end && !shard.mustCommit) at = await processRecords(shard, source, mine, at, end, nowMs);
    return at < end ? at : null;
  }
  // What took them from a queue takes them from its chain now.
  const entry = shard.chain.entryOf(operator, input);
  shard.changed = true;
  shard.recordsIn += mine.values.length;
  mine.values.forEach((value, i) => {
    try {
      entry.emit(value, mine.timestamps[i]!);
    } catch (error) {
      throw userError(shard, error, value);
    }
  });
  return null;
}

/** Without the records that the old receiver had processed. */
function behind({ header, values, timestamps }: Envelope, begun: number): Envelope {
  return begun === 0 ? { header, values, timestamps } : { header, values: values.slice(begun), timestamps: timestamps.slice(begun) };
}

function ownRecords(shard: LiveShard, input: number, { header, values, timestamps }: Envelope): Envelope {
  const { keyGroups, vertex } = shard.topology;
  const selector = shard.keySelectors[input];
  invariant(selector !== undefined, 'IF3', 'in-flight data with keys comes to an operator without', { address: shard.topology.address });
  // An error in it is the head's, about this record, and no key is known yet.
  shard.chain.head();
  if (shard.backend !== null) shard.backend.current = undefined;
  const own: { values: unknown[]; timestamps: number[] } = { values: [], timestamps: [] };
  values.forEach((value, i) => {
    const key = keyOf(shard, selector, value);
    const keyGroup = key === undefined ? 0 : keyGroupOf(key, vertex.maxParallelism);
    if ((keyGroup < keyGroups.start || keyGroup > keyGroups.end) && !mutated('in-flight-of-others')) return;
    own.values.push(value);
    own.timestamps.push(timestamps[i]!);
  });
  return { header, ...own };
}

/** Undefined where there is none, and such records are set aside. */
function keyOf(shard: LiveShard, selector: (value: unknown) => unknown, value: unknown): string | undefined {
  try {
    return canonicalKey(selector(value));
  } catch (error) {
    if (setsAside(shard.topology)) return undefined;
    throw userError(shard, error, value);
  }
}
