import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { channelId, type ChannelId } from '../../lib/base/ids.ts';
import type { CheckpointMode } from '../../lib/model/envelope.ts';
import type { Alignment } from '../../lib/model/shard-record.ts';
import { isHeld, onBarrier, type BarrierVerdict } from '../../lib/runtime/barrier/aligner.ts';

const [a, b, c] = [channelId(0, 0, 0), channelId(0, 1, 0), channelId(1, 0, 0)] as const;

function alignment(checkpoint: number, barriers: Readonly<Record<string, number>>): Alignment {
  return { checkpoint, barriers, startedAtMs: 100 };
}

interface Case {
  readonly name: string;
  readonly current: Alignment | null;
  readonly settled?: number;
  readonly channels?: number;
  readonly barrier: readonly [channel: ChannelId, checkpoint: number, sequence: number];
  readonly verdict: BarrierVerdict;
}

const cases: readonly Case[] = [
  {
    name: 'the only channel brings it',
    current: null,
    channels: 1,
    barrier: [a, 5, 9],
    verdict: { kind: 'aligned', alignment: { checkpoint: 5, barriers: { [a]: 9 }, startedAtMs: 700 } },
  },
  {
    name: 'the first of two channels brings it',
    current: null,
    barrier: [a, 5, 9],
    verdict: { kind: 'aligning', alignment: { checkpoint: 5, barriers: { [a]: 9 }, startedAtMs: 700 } },
  },
  {
    name: 'the last channel brings it',
    current: alignment(5, { [a]: 9 }),
    barrier: [b, 5, 3],
    verdict: { kind: 'aligned', alignment: alignment(5, { [a]: 9, [b]: 3 }) },
  },
  {
    name: 'the middle one of three brings it',
    current: alignment(5, { [a]: 9 }),
    channels: 3,
    barrier: [c, 5, 1],
    verdict: { kind: 'aligning', alignment: alignment(5, { [a]: 9, [c]: 1 }) },
  },
  { name: 'it is of a checkpoint that is over', current: null, settled: 5, barrier: [a, 5, 9], verdict: { kind: 'ignored' } },
  { name: 'it is older than one that is over', current: null, settled: 7, barrier: [a, 5, 9], verdict: { kind: 'ignored' } },
  {
    name: 'it is late: the shard aligns for a newer one',
    current: alignment(6, { [a]: 9 }),
    settled: 4,
    barrier: [b, 5, 3],
    verdict: { kind: 'ignored' },
  },
  {
    name: 'it was declined before, and the shard aligns for a newer one',
    current: alignment(6, { [a]: 9 }),
    settled: 5,
    barrier: [b, 5, 3],
    verdict: { kind: 'ignored' },
  },
  {
    name: 'it is newer than the one that this channel has not brought: half injected',
    current: alignment(5, { [a]: 9 }),
    barrier: [b, 6, 3],
    verdict: { kind: 'superseded', declined: 5 },
  },
  {
    name: 'numbers in between were never injected',
    current: alignment(5, { [a]: 9 }),
    barrier: [b, 9, 3],
    verdict: { kind: 'superseded', declined: 5 },
  },
  {
    name: 'it is newer than one that is over, and nothing is aligning',
    current: null,
    settled: 5,
    barrier: [b, 9, 3],
    verdict: { kind: 'aligning', alignment: { checkpoint: 9, barriers: { [b]: 3 }, startedAtMs: 700 } },
  },
];

describe('on a barrier the shard decides, where', () => {
  test.each(cases)('$name', ({ current, settled = 0, channels = 2, barrier: [channel, checkpoint, sequence], verdict }) => {
    expect(onBarrier({ current, settled, channels, channel, checkpoint, sequence, nowMs: 700 })).toEqual(verdict);
  });
});

describe('the mode', () => {
  const facts = { settled: 0, channels: 3, sequence: 1, nowMs: 700 };
  const first = onBarrier({ ...facts, current: null, channel: a, checkpoint: 5, mode: 'at-least-once' });

  test('is that of the barriers, and is kept until the alignment is over', () => {
    const alignment: Alignment = { checkpoint: 5, barriers: { [a]: 1 }, mode: 'at-least-once', startedAtMs: 700 };
    expect(first).toEqual({ kind: 'aligning', alignment });
    expect(onBarrier({ ...facts, current: alignment, channel: b, checkpoint: 5, mode: 'at-least-once' })).toMatchObject({
      alignment: { mode: 'at-least-once', barriers: { [a]: 1, [b]: 1 } },
    });
  });

  test('of two barriers of one number cannot differ', () => {
    const current: Alignment = { checkpoint: 5, barriers: { [a]: 1 }, startedAtMs: 700 };
    expect(() => onBarrier({ ...facts, current, channel: b, checkpoint: 5, mode: 'at-least-once' })).toThrow('B6');
    expect(onBarrier({ ...facts, current, channel: b, checkpoint: 6, mode: 'at-least-once' })).toEqual({ kind: 'superseded', declined: 5 });
  });
});

describe('a newer barrier on a channel that has brought the older one', () => {
  const facts = { settled: 0, channels: 3, sequence: 7, nowMs: 700 };
  const current: Alignment = { checkpoint: 5, barriers: { [a]: 1, [c]: 2 }, mode: 'at-least-once', startedAtMs: 600 };

  test.each(['exactly-once', 'at-least-once'] as const)('waits, whatever its own mode (%s)', (mode) => {
    expect(onBarrier({ ...facts, current, channel: a, checkpoint: 6, mode })).toEqual({
      kind: 'waiting',
      alignment: { ...current, waiting: [a] },
    });
  });

  test('is not forgotten when the older one goes on, and ends with it', () => {
    const waiting: Alignment = { ...current, waiting: [a] };
    expect(onBarrier({ ...facts, current: waiting, channel: c, checkpoint: 6 })).toMatchObject({ alignment: { waiting: [a, c] } });
    const last = onBarrier({ ...facts, current: waiting, channel: b, checkpoint: 5, mode: 'at-least-once' });
    expect(last).toEqual({ kind: 'aligned', alignment: { ...waiting, barriers: { ...current.barriers, [b]: 7 } } });
  });
});

describe('a channel is held', () => {
  test('from its barrier on, at least once from the next one on', () => {
    const current = alignment(5, { [a]: 9 });
    expect([isHeld(current, a), isHeld(current, b), isHeld(null, a)]).toEqual([true, false, false]);
    const lax: Alignment = { ...current, mode: 'at-least-once' };
    expect([isHeld(lax, a), isHeld(lax, b)]).toEqual([false, false]);
    const waiting: Alignment = { ...lax, waiting: [a] };
    expect([isHeld(waiting, a), isHeld(waiting, b)]).toEqual([true, false]);
  });
});

describe('whatever barriers come', () => {
  /** Per channel rising numbers, some left out; the channels interleaved anyhow. A held channel's next barrier waits until it is let go. */
  const channels = [a, b, c] as const;
  const injected = fc.array(fc.tuple(...channels.map(() => fc.boolean())), { maxLength: 8 });

  test('cuts are of one number, each higher than the one before, with one position per channel', () => {
    fc.assert(
      fc.property(injected, fc.infiniteStream(fc.nat(2)), fc.infiniteStream(fc.boolean()), (rounds, order, lax) => {
        const modes = rounds.map((): CheckpointMode => (lax.next().value === true ? 'at-least-once' : 'exactly-once'));
        const queues = channels.map((_, i) => rounds.flatMap((round, number) => (round[i] ? [number + 1] : [])));
        const positions = [0, 0, 0];
        let current: Alignment | null = null;
        let settled = 0;
        const cuts: Alignment[] = [];
        const declined: number[] = [];
        for (;;) {
          const open = channels.map((_, i) => i).filter((i) => queues[i]!.length > 0 && !isHeld(current, channels[i]!));
          if (open.length === 0) break;
          const i = open[order.next().value! % open.length]!;
          const checkpoint = queues[i]![0]!;
          const facts = { current, settled, channels: 3, channel: channels[i]!, checkpoint, mode: modes[checkpoint - 1]!, nowMs: 700 };
          const verdict: BarrierVerdict = onBarrier({ ...facts, sequence: positions[i]! + 1 });
          if (verdict.kind === 'waiting') {
            // The same barrier is met again when the older one is over.
            current = verdict.alignment;
            expect(isHeld(current, channels[i]!)).toBe(true);
            continue;
          }
          if (verdict.kind === 'superseded') {
            // The same barrier is met again once what was held has been released.
            expect(verdict.declined).toBe(current!.checkpoint);
            declined.push(verdict.declined);
            settled = verdict.declined;
            current = null;
            continue;
          }
          queues[i]!.shift();
          positions[i]!++;
          if (verdict.kind === 'ignored') continue;
          expect(verdict.alignment.checkpoint).toBeGreaterThan(settled);
          current = verdict.kind === 'aligning' ? verdict.alignment : null;
          if (verdict.kind === 'aligned') {
            cuts.push(verdict.alignment);
            settled = verdict.alignment.checkpoint;
          }
        }
        const numbers = cuts.map(({ checkpoint }) => checkpoint);
        expect(numbers).toEqual([...new Set(numbers)].sort((x, y) => x - y));
        for (const { barriers } of cuts) expect(Object.keys(barriers)).toHaveLength(3);
        expect(declined.filter((number) => numbers.includes(number))).toEqual([]);
        // A number that every channel brings is cut unless a newer one has come first on a channel that lacked it.
        if (rounds.every((round) => round.every(Boolean))) expect(numbers).toEqual(rounds.map((_, number) => number + 1));
      }),
      { numRuns: 500 },
    );
  });
});
