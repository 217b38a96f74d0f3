/** Timers at a shard: what fires, when, and who wakes it. */
import { describe, expect, test } from 'vitest';
import type { Envelope } from '../../lib/model/envelope.ts';
import { compileCount, left, right, type Word } from './count-job.ts';
import { again, ShardBench, type Upstream } from './shard-bench.ts';
import { setLimits } from './small-limits.ts';

async function open(): Promise<{ bench: ShardBench; a: Upstream; b: Upstream }> {
  const bench = await ShardBench.open(compileCount(), 'count');
  await bench.handle(bench.kick());
  await bench.sentTo('counts');
  return { bench, a: bench.upstream(left), b: bench.upstream(right) };
}

const word = (text: string, more: Partial<Word> = {}): Word => ({ word: text, ...more });
interface Result {
  readonly word: string;
  readonly timer?: number;
  readonly domain?: string;
}
const fired = (envelopes: readonly Envelope[]): string[] =>
  envelopes.flatMap(({ values }) =>
    (values as Result[]).flatMap(({ word: key, timer }) => (timer === undefined ? [] : [`${key} ${timer}`])),
  );
const watermarks = (envelopes: readonly Envelope[]): number[] =>
  envelopes.flatMap(({ header }) => header.events.flatMap(({ event }) => (event.kind === 'watermark' ? [event.timestamp] : [])));

describe('event timers', () => {
  test('fire when all channels have passed them, in order of time, key and namespace, and the watermark goes on behind what they emit', async () => {
    const { bench, a, b } = await open();
    const words = [word('b', { eventTimer: 5 }), word('a', { eventTimer: 5 }), word('c', { eventTimer: 4 }), word('d', { eventTimer: 6 })];
    await bench.handle(await a.watermark(5, words));
    expect(fired(await bench.sentTo('counts'))).toEqual([]);
    await bench.handle(await b.watermark(5));
    const sent = await bench.sentTo('counts');
    expect(fired(sent)).toEqual(['c 4', 'a 5', 'b 5']);
    expect(sent.map((envelope) => [fired([envelope]).length, watermarks([envelope])])).toEqual([[3, [5]]]);
    expect((await bench.record()).nextTimer).toEqual({ event: 6, processing: null });
  });

  test('of a time that has passed fire at once', async () => {
    const { bench, a, b } = await open();
    await bench.handle(await a.watermark(10), await b.watermark(10));
    await bench.handle(await a.send([word('late', { eventTimer: 3 })]));
    expect(fired(await bench.sentTo('counts'))).toEqual(['late 3']);
  });

  test('by the thousand are fired in bounded commits, and no watermark overtakes what they emit, whoever finishes the work', async () => {
    setLimits({ timersPerCommitMax: 7 });
    const { bench, a, b } = await open();
    await bench.handle(
      await a.watermark(
        50,
        Array.from({ length: 40 }, (_, i) => word(`w${i}`, { eventTimer: 10 + i })),
      ),
    );
    await bench.sentTo('counts');
    const last = await b.watermark(50);
    const envelopes: Envelope[] = [];
    for (let tries = 1; ; tries++) {
      // Each environment dies at its second commit: the next one starts cold, in the middle of the work.
      let commits = 0;
      bench.restart(async (site, act) => {
        if (site === 'shards.commit' && ++commits === 2) throw new Error('died');
        return act();
      });
      const failed = await bench.handle(again(last, tries));
      envelopes.push(...(await bench.sentTo('counts')));
      if (failed.length === 0) break;
      expect(tries).toBeLessThan(20);
    }
    bench.restart();
    await bench.handle(await a.send([]));
    envelopes.push(...(await bench.sentTo('counts')));
    expect(fired(envelopes)).toEqual(Array.from({ length: 40 }, (_, i) => `w${i} ${10 + i}`));
    const [watermark, ...more] = watermarks(envelopes);
    expect([watermark, more]).toEqual([50, []]);
    const at = envelopes.findIndex((envelope) => watermarks([envelope]).length > 0);
    expect(fired(envelopes.slice(at + 1))).toEqual([]);
  });
});

describe('processing timers', () => {
  const wakeUps = async (bench: ShardBench): Promise<number[]> => (await bench.sentToSelf()).map(({ number }) => number);

  test('wake a shard that nobody else would wake', async () => {
    const { bench, a } = await open();
    const due = bench.time.clock.now() + 100;
    await bench.handle(await a.send([word('a', { processingTimer: due }), word('b', { processingTimer: due + 50 })]));
    await bench.sentTo('counts');
    await bench.time.advance(99);
    expect(await wakeUps(bench)).toEqual([]);
    await bench.time.advance(1);
    const [first] = await wakeUps(bench);
    await bench.handle(bench.control('wake', first!));
    expect(fired(await bench.sentTo('counts'))).toEqual([`a ${due}`]);
    await bench.time.advance(50);
    const [second] = await wakeUps(bench);
    await bench.handle(bench.control('wake', second!));
    expect(fired(await bench.sentTo('counts'))).toEqual([`b ${due + 50}`]);
    await bench.time.advance(10_000);
    expect(await wakeUps(bench)).toEqual([]);
  });

  test('wake it too where the batch ended with a barrier, and its function died just behind the snapshot', async () => {
    const { bench, a, b } = await open();
    const due = bench.time.clock.now() + 100;
    const batch = [await a.send([word('a', { processingTimer: due })]), await a.barrier(1), await b.barrier(1)];
    let commits = 0;
    bench.restart(async (site, act) => {
      if (site === 'shards.commit' && ++commits === 2) throw new Error('died');
      return act();
    });
    expect(await bench.handle(...batch)).toEqual([0, 1, 2]);
    bench.restart();
    expect(await bench.handle(...batch.map((message) => again(message)))).toEqual([]);
    await bench.sentTo('counts');
    await bench.time.advance(100);
    const [number] = await wakeUps(bench);
    await bench.handle(bench.control('wake', number!));
    expect(fired(await bench.sentTo('counts'))).toEqual([`a ${due}`]);
  });

  test('are armed again by a wake-up that comes too early, warm or cold', async () => {
    for (const cold of [false, true]) {
      const { bench, a } = await open();
      const due = bench.time.clock.now() + 100;
      await bench.handle(await a.send([word('a', { processingTimer: due })]));
      await bench.sentTo('counts');
      if (cold) bench.restart();
      // Another machine's clock is ahead: the wake-up is there before its time. Its later copy is a duplicate.
      await bench.handle(bench.control('wake', 1));
      await bench.time.advance(100);
      const numbers = (await wakeUps(bench)).filter((number) => number > 1);
      expect(numbers).toHaveLength(1);
      await bench.handle(bench.control('wake', numbers[0]!));
      expect(fired(await bench.sentTo('counts'))).toEqual([`a ${due}`]);
    }
  });

  test('fire by the time in the record only: a duplicate advances nothing', async () => {
    const { bench, a } = await open();
    const due = bench.time.clock.now() + 100;
    const message = await a.send([word('a', { processingTimer: due })]);
    await bench.handle(message);
    await bench.sentTo('counts');
    await bench.time.advance(500);
    await bench.handle(again(message));
    expect(fired(await bench.sentTo('counts'))).toEqual([]);
    await bench.handle(await a.send([]));
    expect(fired(await bench.sentTo('counts'))).toEqual([`a ${due}`]);
  });

  test('that are pending when the input ends do not fire behind the end', async () => {
    const { bench, a, b } = await open();
    const due = bench.time.clock.now() + 100;
    await bench.handle(await a.send([word('a', { processingTimer: due })]), await a.end(), await b.end());
    await bench.sentTo('counts');
    expect(await bench.record()).toMatchObject({ status: 'ended' });
    await bench.time.advance(100);
    for (const number of await wakeUps(bench)) await bench.handle(bench.control('wake', number));
    await bench.handle(await a.barrier(1), await b.barrier(1));
    expect(fired(await bench.sentTo('counts'))).toEqual([]);
    expect(await bench.record()).toMatchObject({ status: 'finished' });
    bench.restart();
    await bench.handle(await a.barrier(2), await b.barrier(2));
    expect(fired(await bench.sentTo('counts'))).toEqual([]);
  });
});
