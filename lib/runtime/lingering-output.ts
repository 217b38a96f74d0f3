/**
 * An output edge with a buffer timeout: what its channels have for sending may wait for a full envelope, or for the timeout.
 *
 * Owns: when the edge is due, what must be written down for it, what a cold start finds again. Does not own: packing (channel-buffer), the place of the
 * bytes (segment), who comes when it is due (wake-ups).
 * LO1. What lingers is part of a commit: its records are in the commit's segment, its due time in the record. It stands in segments of this epoch only,
 *      because a barrier takes it along; so a snapshot never has any, and whatever keeps the epoch's segments keeps it.
 * LO2. Records linger exactly as long as the number that was the last on their channel is the last (CB1).
 * LO3. Due is judged by the processing time of the record, which only a fresh message advances.
 * LO4. All channels of the edge are due together. A watermark lingers too, behind the records; an idle shard lets nothing linger.
 */
import { invariant } from '../base/invariant.ts';
import type { LingeringEdge } from '../model/shard-record.ts';
import type { ChannelBuffer, Flusher } from './channel-buffer.ts';
import type { LingeringRecords } from './segment-content.ts';

export interface Moment {
  readonly nowMs: number;
  /** Also what is only a watermark is to be sent: the shard rests. */
  readonly atRest: boolean;
  readonly idle: boolean;
  readonly watermark: number;
}

export class LingeringOutput {
  readonly buffers: readonly ChannelBuffer[];
  readonly #edge: number;
  readonly #timeoutMs: number;
  dueAtMs: number | null;

  constructor(edge: number, timeoutMs: number, buffers: readonly ChannelBuffer[], stored: readonly LingeringEdge[] = []) {
    this.#edge = edge;
    this.#timeoutMs = timeoutMs;
    this.buffers = buffers;
    this.dueAtMs = stored.find((one) => one.edge === edge)?.dueAtMs ?? null;
  }

  /** Before a commit. True: the edge's channels are to be flushed now. Otherwise what they have is kept, and the edge has a due time. */
  settle(moment: Moment, flusher: Flusher): boolean {
    const { nowMs } = moment;
    if ((moment.atRest && moment.idle) || (this.dueAtMs ?? nowMs + this.#timeoutMs) <= nowMs) return true;
    for (const buffer of this.buffers) {
      if (buffer.values.length > 0) buffer.linger();
      if (buffer.isFull()) flusher.flush(buffer);
    }
    // A watermark that has begun to linger goes on to do so, wherever the next commit is made.
    const asksWatermarks = moment.atRest || this.dueAtMs !== null;
    const waits = this.buffers.some(
      (buffer) => buffer.hasRecords() || (asksWatermarks && !buffer.ended && moment.watermark > buffer.watermark),
    );
    this.dueAtMs = waits ? (this.dueAtMs ?? nowMs + this.#timeoutMs) : null;
    return false;
  }

  bytes(): number {
    return this.buffers.reduce((sum, { lingeringBytes }) => sum + lingeringBytes, 0);
  }

  records(): number {
    return this.buffers.reduce((sum, { lingeringRecords }) => sum + lingeringRecords, 0);
  }

  /** For the record. */
  stored(): readonly LingeringEdge[] {
    const records = this.records();
    invariant(this.dueAtMs !== null || records === 0, 'LO1', 'records linger, and nobody knows until when', { edge: this.#edge, records });
    return this.dueAtMs === null ? [] : [{ edge: this.#edge, dueAtMs: this.dueAtMs, records }];
  }

  /** A cold start: of all that has lingered in this epoch, in order, what still does. */
  restore(written: readonly LingeringRecords[], stored: readonly LingeringEdge[]): void {
    const byChannel = new Map(this.buffers.map((buffer) => [buffer.id, buffer]));
    for (const records of written) byChannel.get(records.channel)?.restore(records);
    const expected = stored.find(({ edge }) => edge === this.#edge)?.records ?? 0;
    const found = this.records();
    invariant(found === expected, 'LO2', `${expected} records linger, and ${found} are found`, { edge: this.#edge, expected, found });
  }
}
