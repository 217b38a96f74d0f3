import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { channelId } from '../../lib/base/ids.ts';
import { limits } from '../../lib/base/limits.ts';
import type { Envelope } from '../../lib/model/envelope.ts';
import { canonicalKey } from '../../lib/model/canonical-key.ts';
import { keyGroupOf, shardOfKeyGroup } from '../../lib/model/key-group.ts';
import type { ShardRecord } from '../../lib/model/shard-record.ts';
import type { OutputChannels } from '../../lib/runtime/output-channels.ts';
import { fresh, open } from './output-bench.ts';
import { checkChannel, eventsOf, kindsOf, sent } from './received.ts';

describe('routing', () => {
  const anyKey = fc.oneof(
    fc.string(),
    fc.integer(),
    fc.boolean(),
    fc.constant(null),
    fc.array(fc.nat(3), { maxLength: 2 }),
    fc.record({ a: fc.nat(3) }),
  );

  test('by key follows the key groups, for any parallelism', () => {
    fc.assert(
      fc.property(
        fc.array(anyKey, { minLength: 1 }),
        fc.integer({ min: 1, max: 9 }),
        fc.constantFrom(9, 128, 1_000),
        (keys, parallelism, maxParallelism) => {
          const outputs = open({ parallelism, maxParallelism });
          // Twice: the second time the shard of a key is remembered.
          for (const key of [...keys, ...keys]) outputs.output(0).emit({ key }, 0);
          outputs.flushRecords();
          const envelopes = sent(outputs);
          expect(envelopes.reduce((sum, { values }) => sum + values.length, 0)).toBe(keys.length * 2);
          for (const { header, values } of envelopes) {
            for (const value of values) {
              const keyGroup = keyGroupOf(canonicalKey((value as { key: unknown }).key), maxParallelism);
              expect(header.channel).toBe(channelId(0, 0, shardOfKeyGroup(keyGroup, parallelism, maxParallelism)));
            }
          }
        },
      ),
    );
  });

  test.each([1, 3])('refuses what is no key, with %i shards', (parallelism) => {
    for (const key of [undefined, NaN, 1n]) {
      expect(() => open({ parallelism }).output(0).emit({ key }, 0)).toThrow(expect.objectContaining({ code: 'SLUICE-KEY-INVALID' }));
    }
  });

  test('without a key goes round, and loads all shards alike', () => {
    const outputs = open({ partitioner: 'rebalance', parallelism: 4 });
    for (let i = 0; i < 40; i++) outputs.output(0).emit(i, 0);
    outputs.flushRecords();
    const counts = new Map<string, number>();
    for (const { header, values } of sent(outputs)) counts.set(header.channel, (counts.get(header.channel) ?? 0) + values.length);
    expect([...counts.values()]).toEqual([10, 10, 10, 10]);
  });

  test('to all gives each shard every record, and forward the one channel', () => {
    const outputs = open({ partitioner: 'broadcast', parallelism: 3 });
    for (let i = 0; i < 5; i++) outputs.output(0).emit(i, i);
    outputs.flushRecords();
    expect(sent(outputs).map(({ header, values }) => [header.channel, values])).toEqual(
      [0, 1, 2].map((shard) => [channelId(0, 0, shard), [0, 1, 2, 3, 4]]),
    );
    expect(outputs.takeRecordCount()).toBe(5);
    const forward = open({ partitioner: 'forward', parallelism: 1 });
    forward.output(0).emit('x', 1);
    forward.flushRecords();
    expect(sent(forward).map(({ values }) => values)).toEqual([['x']]);
  });
});

describe('envelopes', () => {
  test('of a channel have gapless numbers and its records in order, and a watermark never precedes what came before it, nor falls', () => {
    const step = fc.oneof(
      { weight: 6, arbitrary: fc.record({ do: fc.constant('emit' as const), key: fc.nat(5) }) },
      { weight: 2, arbitrary: fc.record({ do: fc.constant('advance' as const), by: fc.nat(3) }) },
      fc.constantFrom(
        { do: 'flush' as const },
        { do: 'flush-watermarks' as const, idle: false },
        { do: 'flush-watermarks' as const, idle: true },
        { do: 'close' as const, idle: false },
        { do: 'close' as const, idle: true },
        { do: 'take' as const },
      ),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60, size: 'max' }), fc.integer({ min: 1, max: 300 }), (steps, envelopeBytes) => {
        const outputs = open({ envelopeBytes });
        const envelopes: Envelope[] = [];
        let watermark = 0;
        let epoch = 1;
        let at = 0;
        for (const one of steps) {
          if (one.do === 'emit') outputs.output(0).emit({ key: one.key, at: at++, watermark, epoch }, watermark + 1);
          else if (one.do === 'advance') outputs.advance((watermark += one.by));
          else if (one.do === 'flush') outputs.flushRecords();
          else if (one.do === 'flush-watermarks') outputs.flushWatermarks(one.idle);
          else if (one.do === 'close') outputs.closeEpoch(epoch++, one.idle);
          else envelopes.push(...sent(outputs));
        }
        outputs.end();
        envelopes.push(...sent(outputs));
        for (const channel of [0, 1, 2].map((shard) => channelId(0, 0, shard)))
          checkChannel(
            envelopes.filter(({ header }) => header.channel === channel),
            epoch,
          );
        expect(envelopes.reduce((sum, { values }) => sum + values.length, 0)).toBe(at);
      }),
      { numRuns: 300 },
    );
  });

  test('close at about the target size, once the size of a record is known', () => {
    const outputs = open({ parallelism: 1, envelopeBytes: 2_000 });
    for (let i = 0; i < 5_000; i++) outputs.output(0).emit({ key: `k${i}`, text: `${i} is a number of a hundred bytes `.repeat(3) }, 0);
    outputs.flushRecords();
    const packed = outputs.take();
    const sizes = packed.slice(1, -1).map((envelope) => envelope.packed!.payload.length);
    expect(Math.max(...sizes)).toBeLessThan(3_000);
    expect(Math.min(...sizes)).toBeGreaterThan(1_000);
  });

  test('are split where they are too large for a message, in order, with the events behind the last', () => {
    const outputs = open({ parallelism: 1, envelopeBytes: 10_000_000, compress: false });
    outputs.advance(7);
    const text = 'x'.repeat(300_000);
    for (let i = 0; i < 7; i++) outputs.output(0).emit({ key: i, text: `${i}${text}` }, i);
    outputs.closeEpoch(4);
    const envelopes = sent(outputs);
    expect(envelopes.length).toBeGreaterThan(3);
    expect(envelopes.flatMap(({ values }) => values.map((value) => (value as { key: number }).key))).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(envelopes.map(kindsOf)).toEqual([...envelopes.slice(1).map(() => []), ['watermark', 'barrier']]);
    expect(envelopes.map(({ header }) => header.sequence)).toEqual(envelopes.map((_, i) => i + 1));
  });

  test('hold one record alone that is larger than a message, and none that is larger than a record may be', () => {
    const outputs = open({ parallelism: 1, compress: false });
    outputs.output(0).emit({ key: 1, text: 'ü'.repeat(limits.envelopeBytesMax) }, 0);
    outputs.output(0).emit({ key: 2 }, 0);
    outputs.flushRecords();
    expect(outputs.take().map(({ records }) => records)).toEqual([1, 1]);
    outputs.output(0).emit({ key: 1, text: 'x'.repeat(limits.recordBytesMax + 1) }, 0);
    expect(() => outputs.flushRecords()).toThrow(
      expect.objectContaining({ code: 'SLUICE-RECORD-TOO-LARGE', facts: expect.objectContaining({ channel: '0/0>0' }) as object }),
    );
  });

  test('refuse by name what cannot travel', () => {
    const outputs = open({ parallelism: 1 });
    outputs.output(0).emit({ key: 1, act: () => 1 }, 0);
    expect(() => outputs.flushRecords()).toThrow(expect.objectContaining({ code: 'SLUICE-VALUE-UNSUPPORTED' }));
  });
});

describe('watermarks and idleness', () => {
  test('go to every channel that lacks them, once', () => {
    const outputs = open();
    outputs.advance(5);
    outputs.output(0).emit({ key: 'a' }, 9);
    outputs.flushRecords();
    const [riding] = sent(outputs);
    expect(eventsOf(riding!)).toEqual([{ kind: 'watermark', timestamp: 5 }]);
    outputs.flushWatermarks(false);
    const others = sent(outputs);
    expect(others.map(({ header }) => header.channel)).toHaveLength(2);
    expect(others.every((envelope) => envelope.values.length === 0 && eventsOf(envelope)[0]!.kind === 'watermark')).toBe(true);
    outputs.flushWatermarks(false);
    outputs.advance(4);
    outputs.flushWatermarks(false);
    expect(sent(outputs)).toEqual([]);
  });

  test('tell idleness once, and again after the channel has brought something', () => {
    const outputs = open({ parallelism: 1 });
    outputs.advance(5);
    outputs.flushWatermarks(true);
    outputs.flushWatermarks(true);
    expect(sent(outputs).map(kindsOf)).toEqual([['watermark', 'idle']]);
    outputs.output(0).emit({ key: 'a' }, 9);
    outputs.flushWatermarks(true);
    expect(sent(outputs).map(kindsOf)).toEqual([[], ['idle']]);
    outputs.advance(6);
    outputs.flushWatermarks(false);
    outputs.flushWatermarks(true);
    expect(sent(outputs).map(kindsOf)).toEqual([['watermark'], ['idle']]);
  });

  test('end idleness with a barrier too, where records or a watermark come with it', () => {
    for (const bring of [
      (outputs: OutputChannels) => outputs.output(0).emit({ key: 'a' }, 9),
      (outputs: OutputChannels) => outputs.advance(7),
    ]) {
      const outputs = open({ parallelism: 1 });
      outputs.advance(5);
      outputs.flushWatermarks(true);
      bring(outputs);
      outputs.closeEpoch(1);
      sent(outputs);
      outputs.flushWatermarks(true);
      expect(sent(outputs).map(kindsOf)).toEqual([['idle']]);
      outputs.closeEpoch(2);
      outputs.flushWatermarks(true);
      expect(sent(outputs).map(kindsOf), 'a barrier alone is no end of it').toEqual([['barrier']]);
    }
  });

  test('end once, and after the end only barriers come', () => {
    const outputs = open({ parallelism: 2 });
    outputs.output(0).emit({ key: 'a' }, 1);
    outputs.advance(3);
    outputs.end();
    outputs.end();
    outputs.advance(4);
    outputs.flushWatermarks(true);
    const ends = sent(outputs);
    expect(ends.map(kindsOf)).toEqual([
      ['watermark', 'end-of-input'],
      ['watermark', 'end-of-input'],
    ]);
    expect(ends.flatMap(({ values }) => values)).toEqual([{ key: 'a' }]);
    outputs.closeEpoch(9);
    expect(sent(outputs).map(kindsOf)).toEqual([['barrier'], ['barrier']]);
  });
});

describe('positions', () => {
  test('go on where the record stands', () => {
    const first = open();
    first.advance(5);
    for (const key of ['a', 'b', 'c', 'd', 'e']) first.output(0).emit({ key }, 9);
    first.flushWatermarks(true);
    sent(first);
    const outputs: ShardRecord['outputs'] = first.positions();
    const second = open({}, { ...fresh, outputs, watermark: 5 });
    expect(second.positions()).toEqual(outputs);
    second.flushWatermarks(true);
    expect(sent(second), 'nothing is told twice').toEqual([]);
    second.advance(6);
    second.flushWatermarks(false);
    for (const { header } of sent(second)) expect(header.sequence).toBe(outputs[header.channel]!.sequence + 1);
  });

  test('do not say a watermark whose timers are still to fire', () => {
    const record = { outputs: { [channelId(0, 0, 0)]: { sequence: 3, watermark: 2, idle: false, ended: false } }, watermark: 50 };
    const outputs = open({ parallelism: 1 }, { ...record, nextTimer: { event: 40, processing: null } });
    outputs.output(0).emit({ key: 'what the timer of 40 emits' }, 40);
    outputs.flushWatermarks(false);
    expect(sent(outputs).map(kindsOf)).toEqual([[]]);
    outputs.advance(50);
    outputs.flushWatermarks(false);
    expect(sent(outputs).map(eventsOf)).toEqual([[{ kind: 'watermark', timestamp: 50 }]]);
    const done = open({ parallelism: 1 }, { ...record, nextTimer: { event: 51, processing: 1 } });
    done.flushWatermarks(false);
    expect(sent(done).map(eventsOf)).toEqual([[{ kind: 'watermark', timestamp: 50 }]]);
  });
});
