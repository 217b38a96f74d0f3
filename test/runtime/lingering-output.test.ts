/** Edges with a buffer timeout: what waits, until when, and what another process finds of it. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { channelId } from '../../lib/base/ids.ts';
import type { Envelope } from '../../lib/model/envelope.ts';
import type { LingeringEdge } from '../../lib/model/shard-record.ts';
import type { OutputChannels } from '../../lib/runtime/output-channels.ts';
import type { LingeringRecords } from '../../lib/runtime/segment-content.ts';
import { fresh, open, openEdges, type EdgeOptions, type Start } from './output-bench.ts';
import { checkChannel, eventsOf, kindsOf, sent } from './received.ts';
import { setLimits } from './small-limits.ts';

interface Emitted {
  readonly at: number;
  readonly watermark: number;
  readonly epoch: number;
}

/** A shard's commits, as the runtime makes them, with nothing but its outputs. */
class Commits {
  readonly #edges: readonly EdgeOptions[];
  outputs: OutputChannels;
  readonly envelopes: Envelope[] = [];
  /** What this epoch's segments hold. */
  #written: LingeringRecords[] = [];
  #stored: Start = fresh;
  watermark = 0;
  nowMs = 1_000;

  constructor(edges: readonly EdgeOptions[]) {
    this.#edges = edges;
    this.outputs = openEdges(edges);
  }

  get lingering(): readonly LingeringEdge[] {
    return this.#stored.lingering ?? [];
  }

  /** Records that wait, by the record. */
  get waiting(): number {
    return this.lingering.reduce((sum, { records }) => sum + records, 0);
  }

  advance(watermark: number): void {
    this.watermark = watermark;
    this.outputs.advance(watermark);
  }

  commit({ afterMs = 0, atRest = true, idle = false } = {}): void {
    this.nowMs += afterMs;
    if (atRest) this.outputs.flushWatermarks(idle, this.nowMs);
    this.outputs.flushRecords(this.nowMs);
    this.#commit();
  }

  barrier(checkpoint: number): void {
    this.outputs.closeEpoch(checkpoint);
    this.#commit();
    expect(this.lingering).toEqual([]);
    this.#written = [];
  }

  end(): void {
    this.outputs.end();
    this.#commit();
    expect(this.lingering).toEqual([]);
  }

  /** Another process, which has the record and the segments. */
  restart(): void {
    this.outputs = openEdges(this.#edges, this.#stored);
    this.outputs.restoreLingering(this.#written, this.lingering);
  }

  loseSegment(): void {
    this.#written.pop();
  }

  #commit(): void {
    this.envelopes.push(...sent(this.outputs));
    this.#written.push(...this.outputs.takeLingering().map((records) => ({ ...records, payload: records.payload.slice() })));
    const lingering = this.outputs.lingering();
    const nextTimer = { event: null, processing: null };
    this.#stored = {
      outputs: this.outputs.positions(),
      watermark: this.watermark,
      nextTimer,
      ...(lingering.length === 0 ? {} : { lingering }),
    };
  }
}

const atOf = ({ values }: Envelope): number[] => (values as Emitted[]).map(({ at }) => at);

describe('whatever is emitted, whenever commits are made and processes die', () => {
  const step = fc.oneof(
    { weight: 8, arbitrary: fc.record({ do: fc.constant('emit' as const), edge: fc.nat(1), key: fc.nat(5) }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('advance' as const), by: fc.nat(3) }) },
    {
      weight: 4,
      arbitrary: fc.record({
        do: fc.constant('commit' as const),
        afterMs: fc.constantFrom(0, 1, 5, 20),
        atRest: fc.boolean(),
        idle: fc.integer({ min: 0, max: 9 }).map((dice) => dice === 0),
      }),
    },
    fc.constantFrom({ do: 'restart' as const }, { do: 'barrier' as const }),
  );
  const edge = fc.record({
    bufferTimeoutMs: fc.constantFrom(undefined, 1, 10, 50),
    envelopeBytes: fc.integer({ min: 1, max: 300 }),
    compress: fc.boolean(),
  });

  test('order, numbers, watermarks and barriers of a channel hold, nothing is lost, and nothing waits longer than its timeout', () => {
    let waited = 0;
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80, size: 'max' }), edge, edge, (steps, ...pair) => {
        const edges = pair.map(({ bufferTimeoutMs, ...more }, index) => ({
          index,
          ...more,
          ...(bufferTimeoutMs === undefined ? {} : { bufferTimeoutMs }),
        }));
        const shard = new Commits(edges);
        const emitted: { readonly at: number; readonly edge: number; committedMs?: number }[] = [];
        let epoch = 1;
        for (const one of steps) {
          if (one.do === 'emit') {
            shard.outputs
              .output(one.edge)
              .emit({ key: one.key, at: emitted.length, watermark: shard.watermark, epoch }, shard.watermark + 1);
            emitted.push({ at: emitted.length, edge: one.edge });
            continue;
          }
          if (one.do === 'advance') {
            shard.advance(shard.watermark + one.by);
            continue;
          }
          if (one.do === 'commit') shard.commit(one);
          else if (one.do === 'barrier') shard.barrier(epoch++);
          else {
            shard.commit();
            shard.restart();
          }
          waited += shard.waiting;
          const out = new Set(shard.envelopes.flatMap(atOf));
          for (const record of emitted) {
            record.committedMs ??= shard.nowMs;
            if (out.has(record.at)) continue;
            expect(record.committedMs + (edges[record.edge]!.bufferTimeoutMs ?? 0)).toBeGreaterThan(shard.nowMs);
          }
        }
        shard.end();
        for (const index of [0, 1])
          for (const channel of [0, 1, 2].map((to) => channelId(index, 0, to)))
            checkChannel(shard.envelopes.filter(({ header }) => header.channel === channel), epoch); // prettier-ignore
        expect(shard.envelopes.flatMap(atOf).length).toBe(emitted.length);
      }),
      { numRuns: 500 },
    );
    expect(waited, 'the test has seen records that linger').toBeGreaterThan(1_000);
  });
});

const lone: EdgeOptions = { parallelism: 1, bufferTimeoutMs: 100, envelopeBytes: 1_000, compress: false };

function emit(shard: Commits, at: number, edge = 0, key: unknown = 0): void {
  shard.outputs.output(edge).emit({ key, at }, at);
}

describe('records', () => {
  test('of many commits go out as one envelope, with the newest watermark behind them, when the first has waited long enough', () => {
    const shard = new Commits([lone]);
    for (let i = 0; i < 10; i++) {
      shard.advance(i);
      emit(shard, i);
      shard.commit({ afterMs: 10 });
      expect(shard.lingering).toEqual([{ edge: 0, dueAtMs: 1_110, records: i + 1 }]);
    }
    expect(shard.envelopes).toEqual([]);
    shard.commit({ afterMs: 10 });
    expect(shard.envelopes.map((envelope) => [atOf(envelope), eventsOf(envelope)])).toEqual([
      [[0, 1, 2, 3, 4, 5, 6, 7, 8, 9], [{ kind: 'watermark', timestamp: 9 }]],
    ]);
    expect([shard.lingering, shard.outputs.dueAtMs()]).toEqual([[], null]);
  });

  test('go out earlier where they fill an envelope, though no commit alone does', () => {
    const shard = new Commits([{ ...lone, bufferTimeoutMs: 1_000_000 }]);
    for (let i = 0; i < 400; i++) {
      emit(shard, i);
      shard.commit({ afterMs: 1 });
    }
    expect(shard.envelopes.flatMap(atOf)).toEqual(Array.from({ length: shard.envelopes.flatMap(atOf).length }, (_, i) => i));
    const counts = shard.envelopes.map(({ header }) => header.records);
    // Uncompressed, an envelope of target size is three times as large; a record takes some twenty bytes.
    expect(Math.min(...counts)).toBeGreaterThan(30);
    expect(counts.length).toBeGreaterThan(1);
    expect(shard.waiting).toBe(400 - counts.reduce((sum, count) => sum + count, 0));
  });

  test('are as they were when they were committed, whatever user code does to them afterwards', () => {
    const shard = new Commits([lone]);
    const record = { key: 1, at: 1 };
    shard.outputs.output(0).emit(record, 1);
    shard.commit();
    record.at = 2;
    shard.commit({ afterMs: 100 });
    expect(shard.envelopes.flatMap(atOf)).toEqual([1]);
  });

  test('of all channels of an edge are due together, and edges each by their own timeout', () => {
    const shard = new Commits([
      { ...lone, parallelism: 3 },
      { ...lone, index: 1, bufferTimeoutMs: 300 },
      { ...lone, index: 2, bufferTimeoutMs: 0 },
    ]);
    emit(shard, 0, 0, 'a');
    emit(shard, 1, 1);
    emit(shard, 2, 2);
    shard.commit();
    expect(shard.envelopes.flatMap(atOf)).toEqual([2]);
    for (let i = 3; i < 20; i++) emit(shard, i, 0, i);
    shard.commit({ afterMs: 90 });
    expect(shard.outputs.dueAtMs()).toBe(1_100);
    shard.commit({ afterMs: 10 });
    expect(shard.envelopes.slice(1).map(({ header }) => header.channel).sort()).toEqual(['0/0>0', '0/0>1', '0/0>2']); // prettier-ignore
    expect(shard.lingering).toEqual([{ edge: 1, dueAtMs: 1_300, records: 1 }]);
  });

  test('all go where a shard keeps more than it may', () => {
    setLimits({ lingeringBytesMax: 2_000 });
    const shard = new Commits([{ ...lone, parallelism: 3, envelopeBytes: 100_000 }]);
    for (let i = 0; i < 150; i++) {
      emit(shard, i, 0, i);
      shard.commit();
    }
    expect(shard.envelopes.length).toBeGreaterThanOrEqual(3);
    expect(shard.waiting).toBeLessThan(100);
  });

  test('that are missing where the record says that they linger stop the shard loudly', () => {
    const shard = new Commits([lone]);
    emit(shard, 0);
    shard.commit();
    emit(shard, 1);
    shard.commit();
    shard.loseSegment();
    expect(() => shard.restart()).toThrow('2 records linger, and 1 are found');
  });
});

describe('a watermark', () => {
  test('alone lingers too, is known to another process, and goes to all channels at once', () => {
    const shard = new Commits([{ ...lone, parallelism: 2 }]);
    shard.advance(5);
    shard.commit();
    expect(shard.lingering).toEqual([{ edge: 0, dueAtMs: 1_100, records: 0 }]);
    shard.restart();
    shard.commit({ afterMs: 99 });
    expect(shard.envelopes).toEqual([]);
    shard.commit({ afterMs: 1 });
    expect(shard.envelopes.map(eventsOf)).toEqual([[{ kind: 'watermark', timestamp: 5 }], [{ kind: 'watermark', timestamp: 5 }]]);
    expect(shard.lingering).toEqual([]);
  });

  test('does not count where the shard goes on by itself: it rides with records, or waits for the rest', () => {
    const shard = new Commits([lone]);
    shard.advance(5);
    shard.commit({ atRest: false });
    expect(shard.lingering).toEqual([]);
    shard.commit();
    shard.commit({ afterMs: 50, atRest: false });
    expect(shard.lingering).toMatchObject([{ dueAtMs: 1_100 }]);
  });

  test('and idleness are told at once where the shard is idle: nobody is to wait for it', () => {
    const shard = new Commits([lone]);
    emit(shard, 0);
    shard.advance(5);
    shard.commit({ idle: true });
    expect(shard.envelopes.map((envelope) => [atOf(envelope), kindsOf(envelope)])).toEqual([[[0], ['watermark']], [[], ['idle']]]); // prettier-ignore
    expect(shard.lingering).toEqual([]);
  });
});

test('an edge without a timeout keeps nothing, and the record says nothing of it', () => {
  const outputs = open({ parallelism: 1 });
  outputs.output(0).emit({ key: 1 }, 1);
  outputs.flushWatermarks(false, 1_000);
  expect([sent(outputs).length, outputs.lingering(), outputs.takeLingering(), outputs.dueAtMs()]).toEqual([1, [], [], null]);
});
