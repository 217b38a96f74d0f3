/** An invocation that would be ended by force ends itself before, with a commit. */
import { describe, expect, test } from 'vitest';
import { collectSink, compileJob, defineJob, fromCollection, type, valueState, type CompiledJob } from '../../lib/index.ts';
import type { Envelope } from '../../lib/model/envelope.ts';
import { WorkTime } from '../../lib/runtime/work-time.ts';
import { compileCount, left, right, type Word } from './count-job.ts';
import { setLimits } from './small-limits.ts';
import { again, ShardBench, type Message } from './shard-bench.ts';

const word = (text: string, more: Partial<Word> = {}): Word => ({ word: text, ...more });
const counts = (envelopes: readonly Envelope[]): unknown[] => envelopes.flatMap(({ values }) => values.map((value) => Object.values(value as object).join(' '))); // prettier-ignore

/** For a shard with one delta and no key in its base. */
const loadingReads = 1;

/** Invocations of 30 s, of which a test spends some. */
class Invocations {
  leftMs = 30_000;
  spend = (ms: number): number => (this.leftMs -= ms);

  async open(compiled = compileCount()): Promise<ShardBench> {
    const bench = await ShardBench.open(compiled, 'count', { timeLeft: () => this.leftMs });
    await bench.handle(bench.kick());
    await bench.sentTo('counts');
    return bench;
  }

  /** Until nothing fails any more; how many it took, and how long the longest one. */
  async work(bench: ShardBench, batch: readonly Message[]): Promise<{ readonly invocations: number; readonly longestMs: number }> {
    let waiting = batch;
    let longestMs = 0;
    for (let invocations = 1; ; invocations++) {
      this.leftMs = 30_000;
      const failed = await bench.handle(...waiting);
      longestMs = Math.max(longestMs, 30_000 - this.leftMs);
      if (failed.length === 0) return { invocations, longestMs };
      if (invocations > 50) throw new Error('it never ends');
      waiting = failed.map((index) => again(waiting[index]!, invocations + 1));
    }
  }
}

/** Of each record the function takes so long. */
function slowly(spend: () => void): CompiledJob {
  const job = defineJob({
    name: 'slow',
    build(env) {
      const words = env.fromSource(fromCollection<Word>([])).uid('left').keyBy(({ word: text }) => text); // prettier-ignore
      words
        .process({
          state: { count: valueState<number>() },
          emits: type<object>(),
          process({ word: text }, { state, emit }) {
            spend();
            const count = (state.count.value() ?? 0) + 1;
            state.count.update(count);
            emit({ word: text, count });
          },
        })
        .uid('count')
        .rebalance()
        .sinkTo(collectSink('counts'))
        .uid('counts');
    },
  });
  return compileJob(job, { parallelism: 1 });
}

describe('a batch that takes longer than an invocation', () => {
  test('is worked off in several, each with a commit before its end, and counts once', async () => {
    const time = new Invocations();
    const bench = await time.open(slowly(() => time.spend(4_000)));
    const channel = bench.upstream(left);
    const batch: Message[] = [];
    for (let i = 0; i < 10; i++) batch.push(await channel.send([word('x'), word(`only ${i}`)]));
    const { invocations, longestMs } = await time.work(bench, batch);
    expect(invocations).toBeGreaterThan(1);
    expect(longestMs).toBeLessThan(30_000);
    expect(counts(await bench.sentTo('counts')).filter((text) => String(text).startsWith('x'))).toEqual(Array.from({ length: 10 }, (_, i) => `x ${i + 1}`)); // prettier-ignore
    expect((await bench.record()).recordsIn).toBe(20);
  });

  test('keeps what it has in memory for the next of them', async () => {
    const time = new Invocations();
    const bench = await time.open(slowly(() => time.spend(4_000)));
    const channel = bench.upstream(left);
    await bench.handle(await channel.send([word('x')]));
    const batch: Message[] = [];
    for (let i = 0; i < 10; i++) batch.push(await channel.send([word('x')]));
    const reads: string[] = [];
    bench.restart(async (site, act) => {
      if (site.startsWith('objects.read') || site.startsWith('base.read')) reads.push(site);
      return act();
    });
    const { invocations } = await time.work(bench, batch);
    expect(invocations).toBeGreaterThan(1);
    // Its state is loaded once; what the last commit said is sent again by whoever comes next.
    expect(reads.length).toBe(loadingReads + invocations - 1);
    expect((await bench.record()).recordsIn).toBe(11);
  });

  test('with a burst of timers goes on behind those that have fired', async () => {
    setLimits({ timersPerCommitMax: 3 });
    const time = new Invocations();
    const bench = await time.open();
    const words = Array.from({ length: 20 }, (_, i) => word(`t${i}`, { eventTimer: 5 }));
    const channel = bench.upstream(left);
    await bench.handle(await channel.send(words), await bench.upstream(right).watermark(5));
    await bench.sentTo('counts');
    bench.restart(async (site, act) => {
      if (site === 'shards.commit') time.spend(8_000);
      return act();
    });
    const { invocations, longestMs } = await time.work(bench, [await channel.watermark(5)]);
    expect(invocations).toBeGreaterThan(1);
    expect(longestMs).toBeLessThan(30_000);
    expect(new Set(counts(await bench.sentTo('counts'))).size).toBe(20);
    expect((await bench.record()).nextTimer.event).toBeNull();
  });

  test('always begins one step, however little time there is, and drops what came before without one', async () => {
    const time = new Invocations();
    const bench = await time.open();
    const channel = bench.upstream(left);
    const [first, second] = [await channel.send([word('a')]), await channel.send([word('b')])];
    await bench.handle(first);
    time.leftMs = 1;
    expect(await bench.handle(again(first), second)).toEqual([]);
    expect((await bench.record()).recordsIn).toBe(2);
  });

  test('is asked for again at once, with the groups that were not begun, and nobody is told of a failure', async () => {
    const time = new Invocations();
    const bench = await time.open(slowly(() => time.spend(13_000)));
    const channel = bench.upstream(left);
    const batch = [await channel.send([word('a')]), await channel.send([word('b')])];
    const other: Message = { ...bench.control('wake', 1), group: '7.1' };
    const pauses: unknown[] = [];
    const failed = await bench.environment.handle([...batch, other], (ids, pauseMs) => pauses.push([ids.length, pauseMs]));
    expect(failed).toEqual([...batch, other].map(({ messageId }) => messageId));
    expect(pauses).toEqual([
      [2, 0],
      [1, 0],
    ]);
    expect(await bench.toCoordinator()).not.toContainEqual(expect.objectContaining({ kind: 'failed' }));
    expect((await bench.record()).inputs[left]!.sequence).toBe(1);
  });
});

test('time is nearly up where another step of twice the longest would leave nothing, and never where nobody counts it', () => {
  let leftMs = 10_000;
  const time = new WorkTime(() => leftMs);
  expect(time.isNearlyUp()).toBe(false);
  for (const [spent, isUp] of [
    [2_000, false],
    [2_000, false],
    [1_000, true],
  ] as const) {
    // prettier-ignore
    leftMs -= spent;
    time.step();
    expect(time.isNearlyUp(), String(leftMs)).toBe(isUp);
  }
  const endless = new WorkTime(undefined);
  endless.step();
  expect(endless.isNearlyUp()).toBe(false);
});
