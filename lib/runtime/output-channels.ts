/**
 * Where emitted records go: partitioned to channels, packed into envelopes as they fill.
 *
 * Owns: routing, packing, output watermarks per channel. Does not own: sequence numbers' durability (shard record), sending (send-effects).
 * OC1. An envelope never spans epochs: `closeEpoch` flushes before the barrier.
 * OC2. A watermark is sent after all records that came before it, and to each channel only upwards.
 */
import type { ChannelId, CheckpointId } from '../base/ids.ts';
import { limits } from '../base/limits.ts';
import { SluiceError } from '../base/errors.ts';
import type { PlacedEvent, StreamEvent } from '../model/envelope.ts';
import { packRecords, type PackedRecords, type PackingOptions } from '../model/packed-records.ts';
import { canonicalKey, isPlainKey } from '../model/canonical-key.ts';
import { keyGroupOf, shardOfKeyGroup } from '../model/key-group.ts';
import { MIN_WATERMARK } from '../model/time.ts';
import type { KeySelector, Output } from '../operators/operator.ts';
import type { ShardRecord } from '../model/shard-record.ts';
import type { OutputEdge } from './topology.ts';

export interface PackedEnvelope {
  readonly channel: ChannelId;
  readonly queue: string;
  readonly shard: number;
  readonly sequence: number;
  readonly records: number;
  readonly packed: PackedRecords | null;
  readonly events: readonly PlacedEvent[];
}

/** The target size is one of messages as they are sent; without compression the same records take about so much more. */
const uncompressedFactor = 3;

/** Keys whose shard is remembered, per edge. */
const routeCacheMax = 65_536;

class ChannelBuffer {
  readonly id: ChannelId;
  readonly shard: number;
  readonly edge: OutputEdge;
  sequence = 0;
  watermark = MIN_WATERMARK;
  idle = false;
  ended = false;
  values: unknown[] = [];
  timestamps: number[] = [];
  readonly #packing: PackingOptions;
  readonly #bytesTarget: number;
  #recordsTarget = 512;

  constructor(edge: OutputEdge, id: ChannelId, shard: number, { compress, arePlain }: OutputOptions) {
    this.edge = edge;
    this.#packing = { compressAbove: compress ? edge.edge.compressAboveBytes : Number.POSITIVE_INFINITY, arePlain: arePlain(edge) };
    this.#bytesTarget = edge.edge.envelopeBytes * (compress ? 1 : uncompressedFactor);
    this.id = id;
    this.shard = shard;
  }

  add(value: unknown, timestamp: number, sink: OutputChannels): void {
    this.values.push(value);
    this.timestamps.push(timestamp);
    if (this.values.length >= this.#recordsTarget) sink.flush(this);
  }

  /** Packs what has gathered; what is too large for a message is split, a single oversize record travels by its segment. */
  pack(events: readonly StreamEvent[]): PackedEnvelope[] {
    const { values, timestamps } = this;
    this.values = [];
    this.timestamps = [];
    // To the receiver both say that the channel is not idle any longer.
    if (values.length > 0 || events.some(({ kind }) => kind === 'watermark')) this.idle = false;
    const out: PackedEnvelope[] = [];
    this.#packRange(values, timestamps, out);
    if (out.length === 0) out.push(this.#envelope(0, null));
    const last = out[out.length - 1]!;
    out[out.length - 1] = { ...last, events: events.map((event) => ({ at: last.records, event })) };
    return out;
  }

  #packRange(values: readonly unknown[], timestamps: readonly number[], out: PackedEnvelope[]): void {
    if (values.length === 0) return;
    const packed = packRecords(values, timestamps, this.#packing);
    const bytes = packed.payload.length;
    if (bytes > limits.envelopeBytesMax && values.length > 1) {
      const half = values.length >> 1;
      this.#packRange(values.slice(0, half), timestamps.slice(0, half), out);
      this.#packRange(values.slice(half), timestamps.slice(half), out);
      return;
    }
    if (bytes > limits.recordBytesMax) throw oversize(this.id, bytes);
    const perRecord = bytes / values.length;
    this.#recordsTarget = Math.min(Math.max(Math.floor(this.#bytesTarget / perRecord), 1), limits.envelopeRecordsMax);
    out.push(this.#envelope(values.length, packed));
  }

  #envelope(records: number, packed: PackedRecords | null): PackedEnvelope {
    this.sequence++;
    return { channel: this.id, queue: this.edge.queue, shard: this.shard, sequence: this.sequence, records, packed, events: [] };
  }
}

export interface OutputOptions {
  /** The receiving operator's key selector, for hash edges. */
  readonly keySelectorOf: (edge: OutputEdge) => KeySelector | undefined;
  readonly compress: boolean;
  /** Whether what goes out there is as JSON.parse makes it. */
  readonly arePlain: (edge: OutputEdge) => boolean;
}

export class OutputChannels {
  readonly #buffers: ChannelBuffer[] = [];
  readonly #outputs = new Map<number, Output>();
  #packed: PackedEnvelope[] = [];
  #watermark = MIN_WATERMARK;
  /** Emitted since the last commit. */
  records = 0;

  constructor(edges: readonly OutputEdge[], options: OutputOptions, record: Pick<ShardRecord, 'outputs' | 'watermark' | 'nextTimer'>) {
    this.#watermark = passedOn(record);
    for (const edge of edges) {
      const buffers = edge.channels.map(({ id, shard }) => {
        const buffer = new ChannelBuffer(edge, id, shard, options);
        Object.assign(buffer, record.outputs[id]);
        return buffer;
      });
      this.#buffers.push(...buffers);
      this.#outputs.set(edge.edge.index, this.#outputOf(edge, buffers, options.keySelectorOf(edge)));
    }
  }

  output(edgeIndex: number): Output {
    return this.#outputs.get(edgeIndex)!;
  }

  #outputOf(edge: OutputEdge, buffers: readonly ChannelBuffer[], keySelector: KeySelector | undefined): Output {
    if (edge.edge.partitioner === 'broadcast') {
      return {
        emit: (value, timestamp) => {
          this.records++;
          for (const buffer of buffers) buffer.add(value, timestamp, this);
        },
      };
    }
    const route = edge.edge.partitioner === 'hash' ? hashRoute(edge, keySelector!) : roundRobin(buffers.length);
    return {
      emit: (value, timestamp) => {
        this.records++;
        buffers[route(value)]!.add(value, timestamp, this);
      },
    };
  }

  /** Closes a full buffer's envelope; the current watermark rides with it. */
  flush(buffer: ChannelBuffer): void {
    const rides = this.#watermark > buffer.watermark && !buffer.ended;
    if (rides) buffer.watermark = this.#watermark;
    this.#packed.push(...buffer.pack(rides ? [{ kind: 'watermark', timestamp: this.#watermark }] : []));
  }

  advance(watermark: number): void {
    if (watermark > this.#watermark) this.#watermark = watermark;
  }

  flushRecords(): void {
    for (const buffer of this.#buffers) if (buffer.values.length > 0) this.flush(buffer);
  }

  /** At the end of an invocation that does not go on by itself: every channel gets what it lacks. */
  flushWatermarks(idle: boolean): void {
    this.flushRecords();
    for (const buffer of this.#buffers) {
      if (buffer.ended) continue;
      const events: StreamEvent[] = [];
      if (this.#watermark > buffer.watermark) events.push({ kind: 'watermark', timestamp: this.#watermark });
      if (idle && !buffer.idle) events.push({ kind: 'idle' });
      if (events.length === 0) continue;
      buffer.watermark = Math.max(buffer.watermark, this.#watermark);
      this.#packed.push(...buffer.pack(events));
      buffer.idle = idle;
    }
  }

  closeEpoch(checkpoint: CheckpointId): void {
    for (const buffer of this.#buffers) {
      const rides = this.#watermark > buffer.watermark && !buffer.ended;
      if (rides) buffer.watermark = this.#watermark;
      const barrier: StreamEvent = { kind: 'barrier', checkpoint };
      this.#packed.push(...buffer.pack(rides ? [{ kind: 'watermark', timestamp: this.#watermark }, barrier] : [barrier]));
    }
  }

  /** After the last record: the watermark that goes with it, then end of input. Once per channel and attempt. */
  end(): void {
    for (const buffer of this.#buffers) {
      if (buffer.ended) continue;
      buffer.ended = true;
      const events: StreamEvent[] = this.#watermark > buffer.watermark ? [{ kind: 'watermark', timestamp: this.#watermark }] : [];
      buffer.watermark = Math.max(buffer.watermark, this.#watermark);
      this.#packed.push(...buffer.pack([...events, { kind: 'end-of-input' }]));
    }
  }

  take(): PackedEnvelope[] {
    const taken = this.#packed;
    this.#packed = [];
    return taken;
  }

  takeRecordCount(): number {
    const count = this.records;
    this.records = 0;
    return count;
  }

  positions(): ShardRecord['outputs'] {
    const outputs: Record<ChannelId, ShardRecord['outputs'][ChannelId]> = {};
    for (const { id, sequence, watermark, idle, ended } of this.#buffers) outputs[id] = { sequence, watermark, idle, ended };
    return outputs;
  }
}

/** While timers of the record's watermark are still to fire, what they will emit comes before it: only what has been sent has been passed on. */
function passedOn({ outputs, watermark, nextTimer }: Pick<ShardRecord, 'outputs' | 'watermark' | 'nextTimer'>): number {
  if (nextTimer.event === null || nextTimer.event > watermark) return watermark;
  return Math.max(MIN_WATERMARK, ...Object.values(outputs).map((sent) => sent.watermark));
}

function hashRoute(edge: OutputEdge, keySelector: KeySelector): (value: unknown) => number {
  const cache = new Map<unknown, number>();
  const parallelism = edge.channels.length;
  const shardOf = (key: unknown): number =>
    shardOfKeyGroup(keyGroupOf(canonicalKey(key), edge.maxParallelism), parallelism, edge.maxParallelism);
  return (value) => {
    const key = keySelector(value);
    if (parallelism === 1) {
      if (!isPlainKey(key)) canonicalKey(key);
      return 0;
    }
    // Objects are compared by identity in a Map, so they are hashed anew each time.
    if (typeof key === 'object' && key !== null) return shardOf(key);
    let shard = cache.get(key);
    if (shard === undefined) {
      if (cache.size >= routeCacheMax) cache.clear();
      shard = shardOf(key);
      cache.set(key, shard);
    }
    return shard;
  };
}

function roundRobin(count: number): () => number {
  let next = 0;
  return () => {
    next = next + 1 === count ? 0 : next + 1;
    return next;
  };
}

function oversize(channel: ChannelId, bytes: number): SluiceError {
  return new SluiceError(
    'SLUICE-RECORD-TOO-LARGE',
    `a record of ${bytes} bytes on channel ${channel} is over the limit of ${limits.recordBytesMax}`,
    {
      hint: 'Store large payloads elsewhere and send a reference, or split the record.',
      facts: { channel, bytes, bytesMax: limits.recordBytesMax },
    },
  );
}
