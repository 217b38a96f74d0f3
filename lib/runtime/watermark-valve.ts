/**
 * Combines the watermarks of a shard's input channels. Pure.
 *
 * W1. The combined watermark is the minimum over channels that are neither idle nor ended, and never falls.
 * W2. All channels idle (and some not ended): the shard is idle; its watermark stays. All ended: MAX_WATERMARK.
 */
import type { ChannelId } from '../base/ids.ts';
import { MAX_WATERMARK, MIN_WATERMARK } from '../model/time.ts';

export interface ValveChannel {
  watermark: number;
  idle: boolean;
  ended: boolean;
}

export interface ValveReading {
  readonly watermark: number;
  readonly idle: boolean;
}

export class WatermarkValve {
  readonly #channels: ReadonlyMap<ChannelId, ValveChannel>;
  #watermark: number;

  constructor(channels: ReadonlyMap<ChannelId, ValveChannel>, watermark: number) {
    this.#channels = channels;
    this.#watermark = watermark;
  }

  onWatermark(id: ChannelId, timestamp: number): ValveReading {
    const channel = this.#channels.get(id)!;
    channel.idle = false;
    if (timestamp > channel.watermark) channel.watermark = timestamp;
    return this.read();
  }

  /** A record makes its channel active again; its old watermark counts from now on, but the combined one never falls. */
  onRecords(id: ChannelId): void {
    this.#channels.get(id)!.idle = false;
  }

  onIdle(id: ChannelId): ValveReading {
    this.#channels.get(id)!.idle = true;
    return this.read();
  }

  onEnd(id: ChannelId): ValveReading {
    this.#channels.get(id)!.ended = true;
    return this.read();
  }

  read(): ValveReading {
    let minimum = MAX_WATERMARK;
    let active = 0;
    let open = 0;
    for (const channel of this.#channels.values()) {
      if (channel.ended) continue;
      open++;
      if (channel.idle) continue;
      active++;
      if (channel.watermark < minimum) minimum = channel.watermark;
    }
    if (active > 0 || open === 0) this.#watermark = Math.max(this.#watermark, minimum, MIN_WATERMARK);
    return { watermark: this.#watermark, idle: active === 0 && open > 0 };
  }
}
