import { describe, expect, test } from 'vitest';
import { channelId, operatorUid } from '../../lib/base/ids.ts';
import type { CoordinatorMessage } from '../../lib/model/coordinator-message.ts';
import { hasEffects, isEmptySegment, type SegmentContent } from '../../lib/runtime/segment-content.ts';
import { decodeSegment, encodeSegment, readSegmentEnvelope, readSegmentOwn, readSegmentSinkRecords } from '../../lib/runtime/segment.ts';
import { jobA } from '../contract/sample-records.ts';
import { differenceOf } from '../model/storable-values.ts';
import { goldenBytes } from '../setup/golden-bytes.ts';

const from = { job: jobA, attempt: 2, uid: operatorUid('count'), shard: 1 };
const ended: CoordinatorMessage = { ...from, kind: 'ended' };

const none: SegmentContent = { envelopes: [], state: null, sinks: new Map(), stage: [], self: [], coordinator: [], lingering: [] };
const full: SegmentContent = {
  envelopes: [
    { queue: 'jobs/q1', group: '0.2', deduplicationId: 'd-1', body: new Uint8Array([1, 2, 3]) },
    { queue: 'jobs/q2', group: '1.2', deduplicationId: 'd-2', body: new Uint8Array(0) },
    { queue: 'jobs/q1', group: '0.2', deduplicationId: 'd-3', body: new Uint8Array([4]) },
  ],
  state: new Uint8Array([7, 7]),
  sinks: new Map([
    [operatorUid('files'), [{ a: 1 }, { a: -0 }]],
    [operatorUid('other'), [undefined, 'ä', 1n]],
  ]),
  stage: [{ operator: operatorUid('files'), checkpoint: 5, number: 0, segments: { recent: ['s1', 's2'], chained: 'index' } }],
  self: [
    { kind: 'continue', number: 3, dueAtMs: 0 },
    { kind: 'wake', number: 4, dueAtMs: 1_700_000_000_000 },
  ],
  coordinator: [{ ...from, kind: 'dirty', epoch: 5 }, ended],
  lingering: [],
};
const lingering: SegmentContent = {
  ...full,
  self: [...full.self, { kind: 'flush', number: 5, dueAtMs: 1_700_000_000_100 }],
  lingering: [
    { channel: channelId(0, 1, 0), after: 3, records: 2, payload: new Uint8Array([9, 8]) },
    { channel: channelId(0, 1, 1), after: 0, records: 1, payload: new Uint8Array([7]) },
  ],
};

function plain(content: SegmentContent): unknown {
  const bytes = (some: Uint8Array | null): number[] | null => (some === null ? null : [...some]);
  return {
    ...content,
    envelopes: content.envelopes.map((envelope) => ({ ...envelope, body: bytes(envelope.body) })),
    state: bytes(content.state),
    lingering: content.lingering.map((records) => ({ ...records, payload: bytes(records.payload) })),
  };
}

describe('a segment', () => {
  test.each([
    ['nothing', none],
    ['everything', full],
    ['state only', { ...none, state: new Uint8Array([1]) }],
    ['sink records only', { ...none, sinks: new Map([[operatorUid('files'), []]]) }],
    ['what lingers, beside everything', lingering],
    ['what lingers only', { ...none, lingering: lingering.lingering }],
    ['a message only', { ...none, coordinator: [ended] }],
  ])('comes back: %s', (_, content) => {
    expect(differenceOf(plain(content), plain(decodeSegment(encodeSegment(content), 'a test')))).toBeUndefined();
  });

  test('can be read in parts', () => {
    const bytes = encodeSegment(full);
    expect([0, 1, 2].map((index) => [...readSegmentEnvelope(bytes, index, 's')])).toEqual([[1, 2, 3], [], [4]]);
    expect(readSegmentOwn(bytes, 's').state).toEqual(Buffer.from([7, 7]));
    expect(readSegmentOwn(encodeSegment(none), 's').state).toBeNull();
    expect(differenceOf([undefined, 'ä', 1n], readSegmentSinkRecords(bytes, operatorUid('other'), 's'))).toBeUndefined();
    expect(readSegmentSinkRecords(bytes, operatorUid('absent'), 's')).toEqual([]);
    expect(readSegmentOwn(bytes, 's').lingering).toEqual([]);
    expect(plain({ ...none, lingering: readSegmentOwn(encodeSegment(lingering), 's').lingering })).toEqual(
      plain({ ...none, lingering: lingering.lingering }),
    );
    expect(() => readSegmentEnvelope(bytes, 3, 's')).toThrow(expect.objectContaining({ code: 'SLUICE-DATA-CORRUPT' }));
  });

  test('is written where there is anything in it, and has effects where something must happen afterwards', () => {
    expect([isEmptySegment(none), hasEffects(none)]).toEqual([true, false]);
    expect([isEmptySegment(full), hasEffects(full)]).toEqual([false, true]);
    for (const quiet of [
      { ...none, state: new Uint8Array([1]) },
      { ...none, sinks: full.sinks },
      { ...none, lingering: lingering.lingering },
    ]) {
      expect([isEmptySegment(quiet), hasEffects(quiet)]).toEqual([false, false]);
    }
    for (const part of ['envelopes', 'stage', 'self', 'coordinator'] as const) {
      const loud = { ...none, [part]: full[part] };
      expect([isEmptySegment(loud), hasEffects(loud)], part).toEqual([false, true]);
    }
  });
});

describe('a damaged segment', () => {
  const bytes = encodeSegment(lingering);
  const readers = [
    (some: Uint8Array) => decodeSegment(some, 's'),
    (some: Uint8Array) => readSegmentEnvelope(some, 2, 's'),
    (some: Uint8Array) => readSegmentOwn(some, 's'),
    (some: Uint8Array) => readSegmentSinkRecords(some, operatorUid('other'), 's'),
  ];

  test('is refused wherever it is cut, or where something follows', () => {
    for (let length = 0; length < bytes.length; length++) {
      expect(() => decodeSegment(bytes.slice(0, length), 's')).toThrow(expect.objectContaining({ code: 'SLUICE-DATA-CORRUPT' }));
    }
    expect(() => decodeSegment(Buffer.concat([bytes, Buffer.from([0])]), 's')).toThrow('1 bytes too many');
  });

  test('is refused or read, whichever byte is another', () => {
    for (let at = 0; at < bytes.length; at++) {
      for (const change of [0x01, 0x02, 0x0f, 0x10, 0x20, 0x40, 0x80, 0xff]) {
        const damaged = Uint8Array.from(bytes, (byte, i) => (i === at ? byte ^ change : byte));
        for (const read of readers) {
          try {
            read(damaged);
          } catch (error) {
            expect(error).toMatchObject({ code: 'SLUICE-DATA-CORRUPT' });
          }
        }
      }
    }
  });

  test('of another format is refused, and says so', () => {
    expect(() =>
      decodeSegment(
        Uint8Array.from(bytes, (byte, i) => (i === 0 ? 2 : byte)),
        'segment x',
      ),
    ).toThrow('segment x is damaged: its format is 2');
  });
});

describe('format 1 of segments', () => {
  test.each([
    ['empty', none],
    ['full', full],
    ['lingering', lingering],
  ])('%s', (name, content) => {
    const written = encodeSegment(content);
    const recorded = goldenBytes(`segment/v1/${name}.bin`, written);
    expect(Buffer.from(written).equals(recorded), 'these bytes are another format: give it a new number, and keep reading this one').toBe(
      true,
    );
    expect(differenceOf(plain(content), plain(decodeSegment(recorded, name)))).toBeUndefined();
  });
});
