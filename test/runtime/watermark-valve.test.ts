import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { channelId, type ChannelId } from '../../lib/base/ids.ts';
import { MAX_WATERMARK, MIN_WATERMARK } from '../../lib/model/time.ts';
import { WatermarkValve, type ValveChannel } from '../../lib/runtime/watermark-valve.ts';

const ids = [channelId(0, 0, 0), channelId(0, 1, 0), channelId(1, 0, 0)] as const;
const [a, b] = ids;

function valveOf(count: number, watermark = MIN_WATERMARK): { valve: WatermarkValve; channels: Map<ChannelId, ValveChannel> } {
  const channels = new Map(ids.slice(0, count).map((id) => [id, { watermark: MIN_WATERMARK, idle: false, ended: false }]));
  return { valve: new WatermarkValve(channels, watermark), channels };
}

type Event = readonly [channel: number, kind: 'watermark' | 'records' | 'idle' | 'end', timestamp: number];

describe('the watermark of several channels', () => {
  test('is the minimum of those that are neither idle nor ended, and never falls, whatever comes', () => {
    const event: fc.Arbitrary<Event> = fc.tuple(
      fc.nat(2),
      fc.constantFrom('watermark', 'records', 'idle', 'end'),
      fc.integer({ min: -50, max: 50 }),
    );
    fc.assert(
      fc.property(fc.array(event, { maxLength: 40 }), (events) => {
        const { valve } = valveOf(3);
        const model = ids.map(() => ({ watermark: MIN_WATERMARK, idle: false, ended: false }));
        let last = MIN_WATERMARK;
        for (const [i, kind, timestamp] of events) {
          const channel = model[i]!;
          // An ended channel brings barriers only.
          if (channel.ended) continue;
          const id = ids[i]!;
          if (kind === 'watermark') {
            channel.watermark = Math.max(channel.watermark, timestamp);
            channel.idle = false;
            valve.onWatermark(id, timestamp);
          } else if (kind === 'records') {
            channel.idle = false;
            valve.onRecords(id);
          } else if (kind === 'idle') {
            channel.idle = true;
            valve.onIdle(id);
          } else {
            channel.ended = true;
            valve.onEnd(id);
          }
          const reading = valve.read();
          const open = model.filter(({ ended }) => !ended);
          const active = open.filter(({ idle }) => !idle);
          const minimum = Math.min(...active.map(({ watermark }) => watermark), MAX_WATERMARK);
          const expected = open.length > 0 && active.length === 0 ? last : Math.max(last, minimum);
          expect(reading).toEqual({ watermark: expected, idle: open.length > 0 && active.length === 0 });
          last = expected;
        }
      }),
      { numRuns: 500 },
    );
  });

  test('waits for the slowest channel', () => {
    const { valve } = valveOf(2);
    expect(valve.onWatermark(a, 10)).toEqual({ watermark: MIN_WATERMARK, idle: false });
    expect(valve.onWatermark(b, 5)).toEqual({ watermark: 5, idle: false });
    expect(valve.onWatermark(b, 20)).toEqual({ watermark: 10, idle: false });
    expect(valve.onWatermark(b, 15)).toEqual({ watermark: 10, idle: false });
  });

  test('does not wait for an idle one, and waits again when it brings something', () => {
    const { valve } = valveOf(2);
    valve.onWatermark(a, 10);
    expect(valve.onIdle(b)).toEqual({ watermark: 10, idle: false });
    valve.onRecords(b);
    expect(valve.onWatermark(a, 20), 'the channel is behind, and counts').toEqual({ watermark: 10, idle: false });
    expect(valve.onWatermark(b, 15)).toEqual({ watermark: 15, idle: false });
  });

  test('stays where all are idle, and is the end of time where all have ended', () => {
    const { valve } = valveOf(2);
    valve.onWatermark(a, 10);
    valve.onWatermark(b, 10);
    valve.onIdle(a);
    expect(valve.onIdle(b)).toEqual({ watermark: 10, idle: true });
    expect(valve.onEnd(a)).toEqual({ watermark: 10, idle: true });
    expect(valve.onEnd(b)).toEqual({ watermark: MAX_WATERMARK, idle: false });
  });

  test('goes on from what the record says', () => {
    const { valve, channels } = valveOf(1, 30);
    expect(valve.read()).toEqual({ watermark: 30, idle: false });
    expect(valve.onWatermark(a, 20)).toEqual({ watermark: 30, idle: false });
    expect(channels.get(a)).toMatchObject({ watermark: 20 });
  });
});
