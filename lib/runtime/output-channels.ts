/**
 * Where emitted records go: partitioned to channels, packed into envelopes as they fill.
 *
 * Owns: which channel gets what, and its watermarks. Does not own: packing (channel-buffer), how long something lingers (lingering-output), sequence
 * numbers' durability (shard record), sending (send-effects).
 * OC1. An envelope never spans epochs: `closeEpoch` flushes before the barrier.
 * OC2. A watermark is sent after all records that came before it, and to each channel only upwards.
 */
import { mutated } from '../base/mutated.ts';
import type { ChannelId, CheckpointId } from '../base/ids.ts';
import { invariant } from '../base/invariant.ts';
import { limits } from '../base/limits.ts';
import type { BarrierOptions, StreamEvent } from '../model/envelope.ts';
import { MIN_WATERMARK } from '../model/time.ts';
import type { KeySelector, Output } from '../operators/operator.ts';
import type { LingeringEdge, ShardRecord } from '../model/shard-record.ts';
import { ChannelBuffer, type PackedEnvelope } from './channel-buffer.ts';
import { LingeringOutput, type Moment } from './lingering-output.ts';
import { hashRoute, roundRobin } from './record-routes.ts';
import type { LingeringRecords } from './segment-content.ts';
import type { OutputEdge } from './topology.ts';

export interface OutputOptions {
  /** The receiving operator's key selector, for hash edges. */
  readonly keySelectorOf: (edge: OutputEdge) => KeySelector | undefined;
  readonly compress: boolean;
  /** Whether what goes out there is as JSON.parse makes it. */
  readonly arePlain: (edge: OutputEdge) => boolean;
  /** Whether the receiving operator sets aside what its key selector fails at. */
  readonly setsAside?: (edge: OutputEdge) => boolean;
}

type Stored = Pick<ShardRecord, 'outputs' | 'watermark' | 'nextTimer' | 'lingering'>;

export class OutputChannels {
  readonly #buffers: ChannelBuffer[] = [];
  /** Those of edges where nothing lingers. */
  readonly #prompt: ChannelBuffer[] = [];
  readonly #lingering: LingeringOutput[] = [];
  readonly #outputs = new Map<number, Output>();
  #packed: PackedEnvelope[] = [];
  #watermark = MIN_WATERMARK;
  /** Emitted since the last commit. */
  records = 0;

  constructor(edges: readonly OutputEdge[], options: OutputOptions, record: Stored) {
    this.#watermark = passedOn(record);
    for (const edge of edges) {
      const packing = { compress: options.compress, arePlain: options.arePlain(edge) };
      const buffers = edge.channels.map(({ id, shard }) => {
        const buffer = new ChannelBuffer(edge, id, shard, packing);
        Object.assign(buffer, record.outputs[id]);
        return buffer;
      });
      this.#buffers.push(...buffers);
      const { index, bufferTimeoutMs = 0 } = edge.edge;
      if (bufferTimeoutMs === 0) this.#prompt.push(...buffers);
      else this.#lingering.push(new LingeringOutput(index, bufferTimeoutMs, buffers, record.lingering));
      this.#outputs.set(edge.edge.index, this.#outputOf(edge, buffers, options));
    }
  }

  output(edgeIndex: number): Output {
    return this.#outputs.get(edgeIndex)!;
  }

  #outputOf(edge: OutputEdge, buffers: readonly ChannelBuffer[], options: OutputOptions): Output {
    if (edge.edge.partitioner === 'broadcast') {
      return {
        emit: (value, timestamp) => {
          this.records++;
          for (const buffer of buffers) buffer.add(value, timestamp, this);
        },
      };
    }
    const route = edge.edge.partitioner === 'hash' ? routeByKey(edge, options) : roundRobin(buffers.length);
    return {
      emit: (value, timestamp) => {
        this.records++;
        buffers[route(value)]!.add(value, timestamp, this);
      },
    };
  }

  /** Closes a full buffer's envelope; the current watermark rides with it. */
  flush(buffer: ChannelBuffer): void {
    this.#pack(buffer, this.#lacking(buffer, false));
  }

  advance(watermark: number): void {
    if (watermark > this.#watermark) this.#watermark = watermark;
  }

  /** Before a commit: sends what has gathered, but for what may still linger at that processing time. */
  flushRecords(nowMs = Number.POSITIVE_INFINITY): void {
    for (const buffer of this.#prompt) if (buffer.values.length > 0) this.flush(buffer);
    if (this.#lingering.length > 0) this.#flushLingering({ nowMs, atRest: false, idle: false, watermark: this.#watermark });
  }

  /** At the end of an invocation that does not go on by itself: every channel gets what it lacks, where that may not linger. */
  flushWatermarks(idle: boolean, nowMs = Number.POSITIVE_INFINITY): void {
    for (const buffer of this.#prompt) {
      if (buffer.values.length > 0) this.flush(buffer);
      this.#tell(buffer, idle);
    }
    if (this.#lingering.length > 0) this.#flushLingering({ nowMs, atRest: true, idle, watermark: this.#watermark });
  }

  #tell(buffer: ChannelBuffer, idle: boolean): void {
    const events = this.#lacking(buffer, idle);
    if (events.length > 0) this.#pack(buffer, events);
  }

  /** What the channel does not know yet. Idle is the last: it ends with a watermark. */
  #lacking(buffer: ChannelBuffer, idle: boolean): StreamEvent[] {
    if (buffer.ended) return [];
    const events: StreamEvent[] = [];
    if (this.#watermark > buffer.watermark) events.push({ kind: 'watermark', timestamp: this.#watermark });
    if (idle && (!buffer.idle || buffer.hasRecords())) events.push({ kind: 'idle' });
    return events;
  }

  #pack(buffer: ChannelBuffer, events: readonly StreamEvent[]): void {
    if (!buffer.ended) buffer.watermark = Math.max(buffer.watermark, this.#watermark);
    this.#packed.push(...buffer.pack(events));
    if (events.some(({ kind }) => kind === 'idle')) buffer.idle = true;
  }

  #flushLingering(moment: Moment): void {
    for (const output of this.#lingering) if (output.settle(moment, this)) this.#flushOutput(output, moment);
    const bytes = this.#lingering.reduce((sum, output) => sum + output.bytes(), 0);
    if (bytes > limits.lingeringBytesMax) for (const output of this.#lingering) this.#flushOutput(output, moment);
  }

  #flushOutput(output: LingeringOutput, { atRest, idle }: Moment): void {
    output.dueAtMs = null;
    for (const buffer of output.buffers) {
      if (buffer.hasRecords()) this.flush(buffer);
      if (atRest) this.#tell(buffer, idle);
    }
  }

  /** Of the edges that linger, for the record. */
  lingering(): readonly LingeringEdge[] {
    return this.#lingering.length === 0 ? [] : this.#lingering.flatMap((output) => output.stored());
  }

  /** When the first edge is due. */
  dueAtMs(): number | null {
    let first: number | null = null;
    for (const { dueAtMs } of this.#lingering) if (dueAtMs !== null && (first === null || dueAtMs < first)) first = dueAtMs;
    return first;
  }

  /** What has begun to linger since the last commit. */
  takeLingering(): LingeringRecords[] {
    if (mutated('lingering-unwritten')) return [];
    return this.#lingering.flatMap(({ buffers }) => buffers.flatMap((buffer) => buffer.takeUnwritten()));
  }

  /** A cold start: `written` is all that has lingered in this epoch. */
  restoreLingering(written: readonly LingeringRecords[], stored: readonly LingeringEdge[]): void {
    for (const output of this.#lingering) output.restore(written, stored);
  }

  /** Says also what else a channel lacks: behind a snapshot nobody may come who would. */
  closeEpoch(checkpoint: CheckpointId, idle = false, { mode = 'exactly-once', overtakeAtMs }: BarrierOptions = {}): void {
    const options = { ...(mode === 'exactly-once' ? {} : { mode }), ...(overtakeAtMs === undefined ? {} : { overtakeAtMs }) };
    const barrier: StreamEvent = { kind: 'barrier', checkpoint, ...options };
    for (const buffer of this.#buffers) this.#pack(buffer, [...this.#lacking(buffer, idle), barrier]);
    this.#nothingLingers();
  }

  /** After the last record: the watermark that goes with it, then end of input. Once per channel and attempt. */
  end(): void {
    for (const buffer of this.#buffers) {
      if (buffer.ended) continue;
      this.#pack(buffer, [...this.#lacking(buffer, false), { kind: 'end-of-input' }]);
      buffer.ended = true;
    }
    this.#nothingLingers();
  }

  #nothingLingers(): void {
    for (const output of this.#lingering) {
      invariant(output.records() === 0, 'LO1', 'records linger behind a barrier or the end', {});
      output.dueAtMs = null;
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

/** What has no key goes to the first shard, where the same selector fails at it again and it is set aside. */
function routeByKey(edge: OutputEdge, { keySelectorOf, setsAside }: OutputOptions): (value: unknown) => number {
  const route = hashRoute(edge, keySelectorOf(edge)!);
  if (setsAside?.(edge) !== true) return route;
  return (value) => {
    try {
      return route(value);
    } catch {
      return 0;
    }
  };
}
