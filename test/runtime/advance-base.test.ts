/** When the base of keyed state follows the floor. */
import { describe, expect, test } from 'vitest';
import { compileCount, left, right, type Word } from './count-job.ts';
import { ShardBench } from './shard-bench.ts';
import { setLimits } from './small-limits.ts';

const words: readonly Word[] = Array.from({ length: 6 }, (_, i) => ({ word: `word ${i}` }));

interface Stream {
  readonly bench: ShardBench;
  send(): Promise<void>;
  /** Lets time pass, and the wake-ups come that the shard has asked for. Their number. */
  wake(): Promise<number>;
}

/** Six keys have changed, and a checkpoint has them. */
async function open(): Promise<Stream> {
  setLimits({ baseAdvanceRows: 1_000, baseAdvanceRowsQuiet: 4 });
  const bench = await ShardBench.open(compileCount(), 'count');
  await bench.handle(bench.kick());
  const [a, b] = [bench.upstream(left), bench.upstream(right)];
  await bench.handle(await a.send(words), await a.barrier(1), await b.barrier(1));
  await bench.changeJob({ completed: 1, floor: 1 });
  return {
    bench,
    send: async () => void (await bench.handle(await a.send(words.slice(0, 1)))),
    async wake() {
      await bench.time.advance(120_000);
      const asked = await bench.sentToSelf();
      for (const { number } of asked) await bench.handle(bench.control('wake', number));
      return asked.length;
    },
  };
}

describe('the base', () => {
  test('follows once nothing has come for a while, and a checkpoint is asked for that needs no deltas', async () => {
    const { bench, wake } = await open();
    await bench.toCoordinator();
    expect((await bench.record()).deltas).toHaveLength(1);
    expect(await wake()).toBe(1);
    expect(await bench.record()).toMatchObject({ deltas: [], baseEpoch: 1, dirty: true });
    expect(await bench.toCoordinator()).toMatchObject([{ kind: 'dirty', epoch: 2 }]);
  });

  test('waits while records come', async () => {
    const { bench, send, wake } = await open();
    for (let i = 0; i < 5; i++) {
      await send();
      expect(await wake()).toBe(1);
    }
    expect((await bench.record()).deltas).toHaveLength(1);
  });

  test('is left alone once it has followed', async () => {
    const { wake } = await open();
    // The last one was asked for before the first had done everything.
    expect([await wake(), await wake(), await wake(), await wake()]).toEqual([1, 1, 0, 0]);
  });

  test('follows though another container comes each time: once it is overdue, whoever comes finishes a step (ADR 31)', async () => {
    setLimits({ baseAdvanceRows: 1_000, baseAdvanceEpochs: 3, baseRowsPerSlice: 1 });
    const bench = await ShardBench.open(compileCount(), 'count');
    await bench.handle(bench.kick());
    const [a, b] = [bench.upstream(left), bench.upstream(right)];
    const epochs: number[] = [];
    for (let checkpoint = 1; checkpoint <= 20; checkpoint++) {
      bench.environment = bench.newEnvironment();
      await bench.handle(await a.send(words), await a.barrier(checkpoint), await b.barrier(checkpoint));
      await bench.changeJob({ completed: checkpoint, floor: checkpoint });
      epochs.push((await bench.record()).deltas.length);
    }
    expect(Math.max(...epochs)).toBeLessThanOrEqual(13);
  });
});
