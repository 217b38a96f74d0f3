/**
 * In-flight data of a cut: what a sender had sent at its snapshot and the receiver had not taken at its own. It is never copied: it stands in the
 * senders' segments, and the manifest lists those.
 *
 * IF1. In flight on a channel is (input position, output position], but for the records of the first envelope that the receiver had processed; on channels
 *      without a key nothing is.
 * IF2. The segments that a snapshot lists in the manifest hold all of it, and no epoch that holds none.
 * IF3. Every in-flight record has exactly one new shard: by its key, and where it has none by the old receiver's number.
 */
import { mutated } from '../base/mutated.ts';
import { channelId, type ChannelId, type OperatorUid } from '../base/ids.ts';
import { vertexOf, type JobPlan, type PlannedEdge, type PlannedVertex } from '../model/job-plan.ts';
import { keyGroupRange } from '../model/key-group-range.ts';
import type { EpochSegments, SegmentList, ShardSnapshot } from '../model/shard-record.ts';

type Cut = { readonly plan: JobPlan; readonly shards: readonly ShardSnapshot[] };

export interface InFlightChannel {
  readonly channel: ChannelId;
  readonly edge: PlannedEdge;
  readonly from: number;
  readonly to: number;
  /** In flight are the sequence numbers above `after`, up to `upTo`. */
  readonly after: number;
  readonly upTo: number;
  /** Records of the first of them that the receiver had processed. */
  readonly begun: number;
}

/** Whether what is in flight on the edge can be dealt out again. */
export function isOvertaken({ partitioner }: Pick<PlannedEdge, 'partitioner'>): boolean {
  return partitioner === 'hash' || partitioner === 'rebalance';
}

/** Channels on which something is in flight. */
export function inFlightChannels({ plan, shards }: Cut): readonly InFlightChannel[] {
  const snapshots = new Map(shards.map((snapshot) => [`${snapshot.uid}/${snapshot.shard}`, snapshot]));
  return plan.edges.filter(isOvertaken).flatMap((edge) => {
    const found: InFlightChannel[] = [];
    for (let from = 0; from < vertexOf(plan, edge.from).parallelism; from++) {
      for (let to = 0; to < vertexOf(plan, edge.to).parallelism; to++) {
        const channel = channelId(edge.index, from, to);
        const upTo = snapshots.get(`${edge.from}/${from}`)?.outputs[channel] ?? 0;
        const receiver = snapshots.get(`${edge.to}/${to}`);
        const after = receiver?.inputs[channel] ?? 0;
        if (after < upTo) found.push({ channel, edge, from, to, after, upTo, begun: receiver?.begun?.[channel] ?? 0 });
      }
    }
    return found;
  });
}

/** Epochs of a sender's list with something of these channels: those before are past for every receiver. `begins`: where each began, as far as it is known. */
export function neededFor(
  channels: readonly InFlightChannel[],
  inFlight: readonly EpochSegments[],
  begins: readonly EpochSegments['after'][] = inFlight.map(({ after }) => after),
): readonly EpochSegments[] {
  // Who is past the beginning of any later epoch is past this one.
  const isPast = ({ channel, after, upTo }: InFlightChannel, index: number): boolean =>
    after >= upTo || begins.some((begin, later) => later > index && after >= (begin?.[channel] ?? Number.POSITIVE_INFINITY));
  const first = inFlight.findIndex((_, index) => channels.some((channel) => !isPast(channel, index)));
  return first < 0 ? [] : inFlight.slice(mutated('in-flight-of-last-epoch') ? -1 : first);
}

/** One sender's part of what a new shard replays, in order. */
export interface SenderInFlight {
  readonly segments: readonly SegmentList[];
  readonly channels: readonly ReplayedChannel[];
}

export interface ReplayedChannel {
  readonly channel: ChannelId;
  /** The operator that takes the records, and on which input. */
  readonly operator: OperatorUid;
  readonly input: number;
  /** Only the records of the shard's own key groups: other new shards replay the rest. */
  readonly byKey: boolean;
  readonly after: number;
  readonly upTo: number;
  readonly begun: number;
}

/** What a shard of the new plan replays before anything else. */
export function inFlightOf(cut: Cut, plan: JobPlan, uid: OperatorUid, shard: number): readonly SenderInFlight[] {
  const vertex = vertexOf(plan, uid);
  // Behind the ends of all its inputs nothing but barriers comes to a shard.
  const hasFinished = ({ edge, to }: InFlightChannel): boolean =>
    cut.shards.some((snapshot) => snapshot.uid === edge.to && snapshot.shard === to && snapshot.finished);
  const taken = inFlightChannels(cut).filter((channel) => !hasFinished(channel) && isTakenBy(cut.plan, channel, vertex, shard));
  return cut.shards.flatMap((snapshot): SenderInFlight[] => {
    const own = taken.filter(({ edge, from }) => edge.from === snapshot.uid && from === snapshot.shard);
    if (own.length === 0) return [];
    const channels = own.map(({ channel, edge, after, upTo, begun }) => {
      return { channel, operator: edge.to, input: edge.input, byKey: edge.partitioner === 'hash', after, upTo, begun };
    });
    return [{ segments: neededFor(own, snapshot.inFlight ?? []), channels }];
  });
}

function isTakenBy(oldPlan: JobPlan, { edge, to }: InFlightChannel, vertex: PlannedVertex, shard: number): boolean {
  if (!vertex.operators.some(({ uid }) => uid === edge.to)) return false;
  if (mutated('in-flight-by-number')) return to % vertex.parallelism === shard;
  if (edge.partitioner !== 'hash') return to % vertex.parallelism === shard;
  const old = vertexOf(oldPlan, edge.to);
  // Other key groups say nothing about these: the key alone decides.
  if (old.maxParallelism !== vertex.maxParallelism) return true;
  const before = keyGroupRange(to, old.parallelism, old.maxParallelism);
  const now = keyGroupRange(shard, vertex.parallelism, vertex.maxParallelism);
  return before.start <= now.end && now.start <= before.end;
}
