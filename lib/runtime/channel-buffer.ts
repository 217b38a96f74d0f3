/**
 * One output channel's records until they are an envelope.
 *
 * Owns: packing, target size, the next sequence number. Does not own: when it is flushed (output-channels, lingering-output).
 * CB1. Whatever is sent on a channel takes with it, in front, what lingers there.
 */
import { mutated } from '../base/mutated.ts';
import type { ChannelId } from '../base/ids.ts';
import { limits } from '../base/limits.ts';
import { SluiceError } from '../base/errors.ts';
import type { PlacedEvent, StreamEvent } from '../model/envelope.ts';
import { packRecords, unpackRecords, type PackedRecords, type PackingOptions } from '../model/packed-records.ts';
import { MIN_WATERMARK } from '../model/time.ts';
import type { LingeringRecords } from './segment-content.ts';
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

/** Who closes a full buffer's envelope. */
export interface Flusher {
  flush(buffer: ChannelBuffer): void;
}

export class ChannelBuffer {
  readonly id: ChannelId;
  readonly shard: number;
  readonly edge: OutputEdge;
  sequence = 0;
  watermark = MIN_WATERMARK;
  idle = false;
  ended = false;
  values: unknown[] = [];
  timestamps: number[] = [];
  /** Of earlier commits, but for those at its end that no commit has written yet. */
  lingering: LingeringRecords[] = [];
  lingeringRecords = 0;
  lingeringBytes = 0;
  #written = 0;
  readonly #packing: PackingOptions;
  readonly #bytesTarget: number;
  #recordsTarget = 512;
  /** What the target leaves beside what lingers. */
  #room = 512;

  constructor(
    edge: OutputEdge,
    id: ChannelId,
    shard: number,
    { compress, arePlain }: { readonly compress: boolean; readonly arePlain: boolean },
  ) {
    this.edge = edge;
    this.#packing = { compressAbove: compress ? edge.edge.compressAboveBytes : Number.POSITIVE_INFINITY, arePlain };
    this.#bytesTarget = edge.edge.envelopeBytes * (compress ? 1 : uncompressedFactor);
    this.id = id;
    this.shard = shard;
  }

  add(value: unknown, timestamp: number, flusher: Flusher): void {
    this.values.push(value);
    this.timestamps.push(timestamp);
    if (this.values.length >= this.#room) flusher.flush(this);
  }

  hasRecords(): boolean {
    return this.values.length > 0 || this.lingeringRecords > 0;
  }

  /** Packs what has gathered; what is too large for a message is split, a single oversize record travels by its segment. */
  pack(events: readonly StreamEvent[]): PackedEnvelope[] {
    const { values, timestamps } = this.lingeringRecords === 0 ? this : this.#withLingering();
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

  /** Keeps what has gathered for a later envelope. As bytes: user code may still hold the values, and what is committed does not change any more. */
  linger(): void {
    const { id: channel, sequence: after, values, timestamps } = this;
    const { payload } = packRecords(values, timestamps, { ...this.#packing, compressAbove: Number.POSITIVE_INFINITY });
    this.keep({ channel, after, records: values.length, payload });
    this.values = [];
    this.timestamps = [];
  }

  /** True where they belong here: nothing has been sent since. */
  restore(records: LingeringRecords): boolean {
    if (records.after !== this.sequence && !mutated('lingers-for-ever')) return false;
    this.keep(records);
    this.#written++;
    return true;
  }

  /** What the commit in hand has to write. */
  takeUnwritten(): readonly LingeringRecords[] {
    const unwritten = this.lingering.slice(this.#written);
    this.#written = this.lingering.length;
    return unwritten;
  }

  keep(records: LingeringRecords): void {
    this.lingering.push(records);
    this.lingeringRecords += records.records;
    this.lingeringBytes += records.payload.length;
    this.#makeRoom();
  }

  isFull(): boolean {
    return this.lingeringRecords >= this.#recordsTarget || this.lingeringBytes >= this.edge.edge.envelopeBytes * uncompressedFactor;
  }

  #withLingering(): { readonly values: unknown[]; readonly timestamps: number[] } {
    const values: unknown[] = [];
    const timestamps: number[] = [];
    for (const { payload, records } of this.lingering) {
      const unpacked = unpackRecords({ payload, compressed: false }, records, `what lingers on channel ${this.id}`);
      for (const value of unpacked.values) values.push(value);
      for (const timestamp of unpacked.timestamps) timestamps.push(timestamp);
    }
    for (const value of this.values) values.push(value);
    for (const timestamp of this.timestamps) timestamps.push(timestamp);
    this.lingering = [];
    this.lingeringRecords = 0;
    this.lingeringBytes = 0;
    this.#written = 0;
    this.#makeRoom();
    return { values, timestamps };
  }

  #makeRoom(): void {
    this.#room = Math.max(this.#recordsTarget - this.lingeringRecords, 1);
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
    this.#makeRoom();
    out.push(this.#envelope(values.length, packed));
  }

  #envelope(records: number, packed: PackedRecords | null): PackedEnvelope {
    this.sequence++;
    return { channel: this.id, queue: this.edge.queue, shard: this.shard, sequence: this.sequence, records, packed, events: [] };
  }
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
