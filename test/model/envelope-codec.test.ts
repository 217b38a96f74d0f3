import { zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { channelId, type JobId } from '../../lib/base/ids.ts';
import { limits } from '../../lib/base/limits.ts';
import { ByteWriter } from '../../lib/model/byte-buffer.ts';
import { writeColumn } from '../../lib/model/column-codec.ts';
import { claimCheck, decodeEnvelope, encodeControl, encodeEnvelope, readMessage } from '../../lib/model/envelope-codec.ts';
import { packRecords } from '../../lib/model/packed-records.ts';
import type { ControlMessage, EnvelopeHeader, PlacedEvent } from '../../lib/model/envelope.ts';
import { MAX_WATERMARK, MIN_WATERMARK, NO_TIMESTAMP } from '../../lib/model/time.ts';
import { goldenBytes } from '../setup/golden-bytes.ts';
import { differenceOf, storable } from './storable-values.ts';

const job = 'a'.repeat(32) as JobId;
const corrupt = expect.objectContaining({ code: 'SLUICE-DATA-CORRUPT' }) as Error;

function headerOf(records: number, events: readonly PlacedEvent[] = []): EnvelopeHeader {
  return { job, attempt: 2, channel: channelId(3, 0, 1), sequence: 7, epoch: 5, segment: 'jobs/x/segments/1', index: 0, records, events };
}

const never = Number.MAX_SAFE_INTEGER;

function envelopeOf(
  values: readonly unknown[],
  timestamps: readonly number[],
  compressAbove = never,
  events: readonly PlacedEvent[] = [],
): Uint8Array {
  return encodeEnvelope(headerOf(values.length, events), packRecords(values, timestamps, { compressAbove }));
}

const times = fc.oneof(fc.maxSafeInteger(), fc.constantFrom(NO_TIMESTAMP, MIN_WATERMARK, MAX_WATERMARK, 0));

describe('an envelope', () => {
  test('comes back with its records, timestamps and events, compressed or not', () => {
    const records = fc.array(fc.tuple(storable, times), { maxLength: 10 });
    fc.assert(
      fc.property(records, fc.constantFrom(0, 100, never), times, (pairs, compressAbove, timestamp) => {
        const events: PlacedEvent[] = [
          { at: 0, event: { kind: 'idle' } },
          { at: pairs.length, event: { kind: 'watermark', timestamp } },
          { at: pairs.length, event: { kind: 'barrier', checkpoint: 5 } },
        ];
        const values = pairs.map(([value]) => value);
        const timestamps = pairs.map(([, time]) => time);
        const bytes = envelopeOf(values, timestamps, compressAbove, events);
        const envelope = decodeEnvelope(bytes);
        expect(envelope.header).toEqual(headerOf(values.length, events));
        expect(differenceOf([values, timestamps], [envelope.values, envelope.timestamps])).toBeUndefined();
        expect(readMessage(bytes)).toEqual({ kind: 'data', header: envelope.header, claimed: false });
      }),
    );
  });

  test('without records has only its header', () => {
    const bytes = encodeEnvelope(headerOf(0, [{ at: 0, event: { kind: 'end-of-input' } }]), {
      payload: new Uint8Array(0),
      compressed: false,
    });
    expect(decodeEnvelope(bytes)).toMatchObject({ values: [], timestamps: [], header: { records: 0 } });
  });

  test('of plain records is the same as of any', () => {
    const json = fc.array(fc.jsonValue(), { maxLength: 20 }).map((values) => JSON.parse(JSON.stringify(values)) as unknown[]);
    const alike = fc.array(fc.record({ a: fc.jsonValue(), b: fc.maxSafeInteger(), __proto__: fc.string() }), { maxLength: 20 });
    const parsed = alike.map((values) => JSON.parse(JSON.stringify(values)) as unknown[]);
    fc.assert(
      fc.property(fc.oneof(json, parsed), (values) => {
        const stamps = values.map(() => 0);
        const options = { compressAbove: never };
        expect(packRecords(values, stamps, { ...options, arePlain: true })).toEqual(packRecords(values, stamps, options));
      }),
    );
  });

  test('is compressed above the threshold, and only where that makes it smaller', () => {
    const alike = Array.from({ length: 2_000 }, (_, i) => ({ name: `the same long name again ${i}` }));
    const stamps = alike.map(() => 0);
    const plain = packRecords(alike, stamps, { compressAbove: never });
    expect(plain.compressed).toBe(false);
    const size = plain.payload.length;
    expect(packRecords(alike, stamps, { compressAbove: size }).compressed).toBe(false);
    const packed = packRecords(alike, stamps, { compressAbove: size - 1 });
    expect(packed.compressed).toBe(true);
    expect(packed.payload.length).toBeLessThan(size / 4);
    expect(decodeEnvelope(encodeEnvelope(headerOf(2_000), packed)).values).toEqual(alike);
    expect(packRecords([0.1], [0.7], { compressAbove: 0 }).compressed).toBe(false);
  });

  test('can be read by its header alone, and a claim check has nothing else', () => {
    const bytes = envelopeOf(['x'.repeat(10_000)], [1]);
    const claim = claimCheck(bytes);
    expect(claim.length).toBeLessThan(400);
    expect(readMessage(claim)).toEqual({ kind: 'data', header: headerOf(1), claimed: true });
    expect(() => decodeEnvelope(claim)).toThrow(corrupt);
  });

  test('may be passed as a part of a larger buffer', () => {
    const bytes = envelopeOf([1.5, 2.5, 3], [1, 2, 3]);
    const larger = Buffer.concat([Buffer.from('xxxxx'), bytes, Buffer.from('yy')]);
    expect(decodeEnvelope(larger.subarray(5, 5 + bytes.length)).values).toEqual([1.5, 2.5, 3]);
  });
});

describe('a control message', () => {
  const orders: readonly ControlMessage[] = [
    { kind: 'kick', job, attempt: 1, number: 1 },
    { kind: 'continue', job, attempt: 1, number: 12 },
    { kind: 'wake', job, attempt: 3, number: 2 ** 40 },
    { kind: 'order', job, attempt: 1, number: 4, order: { checkpoint: 4 } },
    { kind: 'order', job, attempt: 1, number: 5, order: { checkpoint: 5, stop: 'drain' } },
  ];
  test.each(orders)('comes back: $kind $number', (control) => {
    expect(readMessage(encodeControl(control))).toEqual({ kind: 'control', control });
  });
});

describe('refused', () => {
  const bytes = envelopeOf([{ a: 1 }, { a: 2 }], [1, 2], never, [{ at: 2, event: { kind: 'watermark', timestamp: 9 } }]);
  const withByte = (at: number, value: number): Uint8Array => Uint8Array.from(bytes, (byte, i) => (i === at ? value : byte));

  test('a newer format, with the advice to wait for the deployment', () => {
    const newer = expect.objectContaining({ code: 'SLUICE-FORMAT-NEWER' }) as Error;
    for (const version of [2, 3, 255]) {
      expect(() => readMessage(withByte(1, version))).toThrow(newer);
      expect(() => decodeEnvelope(withByte(1, version))).toThrow(newer);
    }
  });

  test.each([
    ['nothing', new Uint8Array(0)],
    ['a JSON text', Buffer.from('{"records":[]}')],
    ['text that begins like ours', Buffer.from('S\u0001me other message, which is long enough')],
    ['another magic', withByte(0, 0x54)],
    ['format 0', withByte(1, 0)],
    ['an unknown kind', withByte(2, 3)],
    ['an unknown flag', withByte(3, 4)],
    ['a header longer than the message', withByte(7, 255)],
  ])('bytes that are not ours: %s', (_, foreign) => {
    expect(() => readMessage(foreign)).toThrow(corrupt);
    expect(() => decodeEnvelope(foreign)).toThrow(corrupt);
  });

  function withHeader(header: unknown, kind = 1): Uint8Array {
    const head = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header), 'utf8');
    const prefix = Buffer.from([0x53, 1, kind, 0, 0, 0, 0, 0]);
    prefix.writeUInt32LE(head.length, 4);
    return Buffer.concat([prefix, head]);
  }

  test.each([
    ['no JSON', '{'],
    ['null', null],
    ['a list', []],
    ['nothing in it', {}],
    ['a sequence that is text', { ...headerOf(0), sequence: '7' }],
    ['a negative sequence', { ...headerOf(0), sequence: -1 }],
    ['a fraction for an attempt', { ...headerOf(0), attempt: 1.5 }],
    ['no channel', { ...headerOf(0), channel: undefined }],
    ['an endless number of records', { ...headerOf(0), records: 1e300 }],
    ['no events', { ...headerOf(0), events: undefined }],
    ['an unknown event', { ...headerOf(0), events: [{ at: 0, event: { kind: 'flush' } }] }],
    ['an event behind the end', { ...headerOf(1), events: [{ at: 2, event: { kind: 'idle' } }] }],
    [
      'events out of order',
      {
        ...headerOf(2),
        events: [
          { at: 1, event: { kind: 'idle' } },
          { at: 0, event: { kind: 'idle' } },
        ],
      },
    ],
    ['a watermark without a time', { ...headerOf(0), events: [{ at: 0, event: { kind: 'watermark' } }] }],
    ['a barrier without a number', { ...headerOf(0), events: [{ at: 0, event: { kind: 'barrier', checkpoint: null } }] }],
    ['null for an event', { ...headerOf(0), events: [null] }],
  ])('a header with %s', (_, header) => {
    expect(() => readMessage(withHeader(header))).toThrow(corrupt);
    expect(() => decodeEnvelope(withHeader(header))).toThrow(corrupt);
  });

  test.each([
    {},
    null,
    { kind: 'stop', job, attempt: 1, number: 1 },
    { kind: 'kick', job, attempt: 1 },
    { kind: 'order', job, attempt: 1, number: 1, order: {} },
  ])('a control message that is %j', (control) => {
    expect(() => readMessage(withHeader(control, 2))).toThrow(corrupt);
  });

  test('a control message where an envelope should be', () => {
    expect(() => decodeEnvelope(encodeControl({ kind: 'kick', job, attempt: 1, number: 1 }))).toThrow(corrupt);
  });

  test('records that unpack without end', () => {
    const bomb = zstdCompressSync(Buffer.alloc(limits.unpackedBytesMax + 1));
    expect(bomb.length).toBeLessThan(100_000);
    expect(() => decodeEnvelope(encodeEnvelope(headerOf(1), { payload: bomb, compressed: true }))).toThrow(corrupt);
  });

  test('bytes without records', () => {
    const writer = new ByteWriter();
    writeColumn(writer, [1]);
    expect(() => decodeEnvelope(encodeEnvelope(headerOf(0), { payload: writer.finish(), compressed: false }))).toThrow(corrupt);
  });

  const sound = (damaged: Uint8Array): void => {
    try {
      const { header, values, timestamps } = decodeEnvelope(damaged);
      expect([values.length, timestamps.length]).toEqual([header.records, header.records]);
    } catch (error) {
      expect((error as { code?: string }).code).toMatch(/^SLUICE-(DATA-CORRUPT|FORMAT-NEWER)$/);
    }
  };

  test.each([
    ['plain', bytes],
    ['compressed', envelopeOf(['alpha', 'beta', 'alpha', 'alpha', 'alpha', 'alpha'.repeat(30)], [1, 2, 3, 4, 5, 6], 0)],
  ])('a %s envelope that was cut, or whose bytes were changed, or it is read as one of so many records', (_, whole) => {
    for (let at = 0; at < whole.length; at++) {
      sound(whole.slice(0, at));
      for (const change of [0x01, 0x02, 0x10, 0x20, 0x40, 0x80, 0xff])
        sound(Uint8Array.from(whole, (byte, i) => (i === at ? byte ^ change : byte)));
    }
  });
});

describe('format 1 of messages', () => {
  const flights = [
    { origin: 'LAX', delay: 5 },
    { origin: 'SFO', delay: -2 },
  ];
  const barrier: readonly PlacedEvent[] = [
    { at: 2, event: { kind: 'watermark', timestamp: 1_700_000_000_000 } },
    { at: 2, event: { kind: 'barrier', checkpoint: 5 } },
  ];
  const data = envelopeOf(flights, [1_700_000_000_001, NO_TIMESTAMP], never, barrier);
  const samples: Readonly<Record<string, Uint8Array>> = {
    data,
    claim: claimCheck(data),
    empty: encodeEnvelope(headerOf(0, [{ at: 0, event: { kind: 'end-of-input' } }]), { payload: new Uint8Array(0), compressed: false }),
    order: encodeControl({ kind: 'order', job, attempt: 2, number: 5, order: { checkpoint: 5, stop: 'suspend' } }),
  };

  test.each(Object.entries(samples))('%s', (name, written) => {
    const recorded = goldenBytes(`envelope/v1/${name}.bin`, written);
    expect(Buffer.from(written).equals(recorded)).toBe(true);
    expect(readMessage(recorded)).toEqual(readMessage(written));
  });

  test('compressed records are read, whatever the compressor of the day writes', () => {
    const values = Array.from({ length: 300 }, (_, i) => ({ name: `name ${i % 7}`, i }));
    const recorded = goldenBytes(
      'envelope/v1/compressed.bin',
      envelopeOf(
        values,
        values.map((_, i) => i),
        0,
      ),
    );
    expect(recorded[3]).toBe(1);
    expect(decodeEnvelope(recorded)).toMatchObject({ header: headerOf(300), values, timestamps: values.map((_, i) => i) });
    expect(decodeEnvelope(goldenBytes('envelope/v1/data.bin', data)).values).toEqual(flights);
  });
});
