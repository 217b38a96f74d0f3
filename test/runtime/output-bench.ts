/** The output channels of a shard without the shard. */
import { channelId, operatorUid } from '../../lib/base/ids.ts';
import type { PlannedEdge } from '../../lib/model/job-plan.ts';
import { MIN_WATERMARK } from '../../lib/model/time.ts';
import { OutputChannels } from '../../lib/runtime/output-channels.ts';
import type { OutputEdge } from '../../lib/runtime/topology.ts';

export interface EdgeOptions {
  readonly index?: number;
  readonly bufferTimeoutMs?: number;
  readonly partitioner?: PlannedEdge['partitioner'];
  readonly parallelism?: number;
  readonly envelopeBytes?: number;
  readonly maxParallelism?: number;
  readonly compress?: boolean;
}

function edgeOf(options: EdgeOptions): OutputEdge {
  const { index = 0, partitioner = 'hash', parallelism = 3, envelopeBytes = 200, maxParallelism = 128, bufferTimeoutMs } = options;
  const [from, to] = [operatorUid('from'), operatorUid('to')];
  const timeout = bufferTimeoutMs === undefined ? {} : { bufferTimeoutMs };
  const edge = {
    index,
    from,
    operator: from,
    output: '',
    to,
    input: 0,
    partitioner,
    envelopeBytes,
    compressAboveBytes: 1_000_000,
    ...timeout,
  };
  const shards = Array.from({ length: parallelism }, (_, shard) => ({ id: channelId(index, 0, shard), shard }));
  return { edge, queue: 'q', maxParallelism, channels: shards };
}

export type Start = ConstructorParameters<typeof OutputChannels>[2];
export const fresh: Start = { outputs: {}, watermark: MIN_WATERMARK, nextTimer: { event: null, processing: null } };

export function open(options: EdgeOptions = {}, start: Start = fresh): OutputChannels {
  return openEdges([options], start);
}

export function openEdges(edges: readonly EdgeOptions[], start: Start = fresh): OutputChannels {
  const keySelectorOf = () => (value: unknown) => (value as { key: unknown }).key;
  return new OutputChannels(edges.map(edgeOf), { keySelectorOf, compress: edges[0]!.compress ?? true, arePlain: () => false }, start);
}
