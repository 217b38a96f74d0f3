/** What the receivers of a shard's output see. */
import { expect } from 'vitest';
import type { JobId } from '../../lib/base/ids.ts';
import { decodeEnvelope, encodeEnvelope } from '../../lib/model/envelope-codec.ts';
import type { Envelope, StreamEvent } from '../../lib/model/envelope.ts';
import { MIN_WATERMARK } from '../../lib/model/time.ts';
import type { OutputChannels } from '../../lib/runtime/output-channels.ts';

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
