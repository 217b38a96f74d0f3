/** The output channels of a shard, and what their receivers see. */
import { expect } from 'vitest';
import { channelId, operatorUid, type JobId } from '../../lib/base/ids.ts';
import { decodeEnvelope, encodeEnvelope } from '../../lib/model/envelope-codec.ts';
import type { Envelope, StreamEvent } from '../../lib/model/envelope.ts';
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

/** What the receivers see, as they would read it. */
export function sent(outputs: OutputChannels): Envelope[] {
  return outputs.take().map(({ channel, sequence, records, packed, events }) => {
    const header = { job: 'j' as JobId, attempt: 1, channel, sequence, epoch: 1, segment: 's', index: 0, records, events };
    return decodeEnvelope(encodeEnvelope(header, packed ?? { payload: new Uint8Array(0), compressed: false }));
  });
}

export const kindsOf = ({ header }: Envelope): string[] => header.events.map(({ event }) => event.kind);
export const eventsOf = ({ header }: Envelope): StreamEvent[] => header.events.map(({ event }) => event);

/** What came on one channel to its end: numbers, order, epochs, and that no watermark overtook a record that was emitted before it. */
export function checkChannel(envelopes: readonly Envelope[], epochs: number): void {
  expect(envelopes.map(({ header }) => header.sequence)).toEqual(envelopes.map((_, i) => i + 1));
  let watermark = MIN_WATERMARK;
  let epoch = 1;
  let at = -1;
  for (const envelope of envelopes) {
    for (const value of envelope.values as { at: number; watermark: number; epoch: number }[]) {
      expect(value.at).toBeGreaterThan(at);
      at = value.at;
      // An envelope never spans epochs, and no watermark overtook the record.
      expect(value.epoch).toBe(epoch);
      expect(watermark).toBeLessThanOrEqual(value.watermark);
    }
    for (const { at: place, event } of envelope.header.events) {
      expect(place).toBe(envelope.header.records);
      if (event.kind === 'watermark') {
        expect(event.timestamp).toBeGreaterThan(watermark);
        watermark = event.timestamp;
      }
      if (event.kind === 'barrier') expect(event.checkpoint).toBe(epoch++);
    }
    const barrier = kindsOf(envelope).indexOf('barrier');
    if (barrier >= 0) expect(barrier).toBe(envelope.header.events.length - 1);
  }
  expect(epoch).toBe(epochs);
  expect(kindsOf(envelopes.at(-1)!).at(-1)).toBe('end-of-input');
}
