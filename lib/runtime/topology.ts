/** What one shard's neighbours are, worked out of the JobPlan once: channels in, channels out, key groups. Pure. */
import { channelId, type ChannelId, type JobId, type OperatorUid } from '../base/ids.ts';
import { vertexOf, type JobPlan, type PlannedEdge, type PlannedVertex } from '../model/job-plan.ts';
import { keyGroupRange, type KeyGroupRange } from '../model/key-group-range.ts';
import { operatorQueue } from '../model/queue-names.ts';
import type { ShardAddress } from '../model/shard-record.ts';

export interface InputChannel {
  readonly id: ChannelId;
  readonly input: number;
  readonly partitioner: PlannedEdge['partitioner'];
}

export interface OutputEdge {
  readonly edge: PlannedEdge;
  readonly queue: string;
  readonly maxParallelism: number;
  /** By downstream shard. Forward edges have the one channel to the shard of the same number. */
  readonly channels: readonly { readonly id: ChannelId; readonly shard: number }[];
}

export interface ShardTopology {
  readonly address: ShardAddress;
  readonly vertex: PlannedVertex;
  readonly isSource: boolean;
  readonly keyGroups: KeyGroupRange;
  readonly queue: string;
  readonly inputs: readonly InputChannel[];
  readonly outputs: readonly OutputEdge[];
}

export function shardTopology(plan: JobPlan, job: JobId, uid: OperatorUid, shard: number): ShardTopology {
  const vertex = vertexOf(plan, uid);
  const incoming = plan.edges.filter((edge) => edge.to === uid);
  return {
    address: { job, uid, shard },
    vertex,
    isSource: incoming.length === 0,
    keyGroups: keyGroupRange(shard, vertex.parallelism, vertex.maxParallelism),
    queue: operatorQueue(job, uid),
    inputs: incoming.flatMap((edge) => inputChannels(plan, edge, shard)),
    outputs: plan.edges.filter((edge) => edge.from === uid).map((edge) => outputEdge(plan, job, edge, shard)),
  };
}

function inputChannels(plan: JobPlan, edge: PlannedEdge, shard: number): InputChannel[] {
  const from = edge.partitioner === 'forward' ? [shard] : range(vertexOf(plan, edge.from).parallelism);
  return from.map((upstream) => ({ id: channelId(edge.index, upstream, shard), input: edge.input, partitioner: edge.partitioner }));
}

function outputEdge(plan: JobPlan, job: JobId, edge: PlannedEdge, shard: number): OutputEdge {
  const target = vertexOf(plan, edge.to);
  const to = edge.partitioner === 'forward' ? [shard] : range(target.parallelism);
  return {
    edge,
    queue: operatorQueue(job, edge.to),
    maxParallelism: target.maxParallelism,
    channels: to.map((downstream) => ({ id: channelId(edge.index, shard, downstream), shard: downstream })),
  };
}

function range(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i);
}
