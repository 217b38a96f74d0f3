/** When the base of keyed state follows the floor. */
import { describe, expect, test, vi } from 'vitest';
import { rowsOfTables } from '../../lib/model/table-rows.ts';
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

  test.each([
    [30_000, 6],
    [5_000, 1],
  ])('is written to in goes that fit into the time of a function of %i ms', async (functionTimeoutMs, rows) => {
    setLimits({ baseAdvanceRows: 1, baseRowsPerSlice: 6 });
    const bench = await ShardBench.open(compileCount(), 'count', { settings: { functionTimeoutMs } });
    const write = vi.spyOn(bench.stores.base, 'write');
    await bench.handle(bench.kick());
    const [a, b] = [bench.upstream(left), bench.upstream(right)];
    await bench.handle(await a.send(words), await a.barrier(1), await b.barrier(1));
    await bench.changeJob({ completed: 1, floor: 1 });
    for (let i = 0; i < 3 && write.mock.calls.length === 0; i++) await bench.handle(await a.send([]));
    expect([...rowsOfTables(write.mock.calls[0]![2])]).toHaveLength(rows);
  });

  test('is billed: what a slice has cost is in the record, whoever comes next', async () => {
    setLimits({ baseAdvanceRows: 5, baseRowsPerSlice: 1 });
    let writes = 0;
    const bench = await ShardBench.open(compileCount(), 'count', {
      bill: () => {
        const counted = writes;
        writes = 0;
        return counted === 0 ? {} : { 'dynamodb.PutItem': counted };
      },
    });
    const write = vi.spyOn(bench.stores.base, 'write').mockImplementation(() => Promise.resolve(void writes++));
    await bench.handle(bench.kick());
    const [a, b] = [bench.upstream(left), bench.upstream(right)];
    await bench.handle(await a.send(words), await a.barrier(1), await b.barrier(1));
    await bench.changeJob({ completed: 1, floor: 1 });
    for (let i = 0; i < 3 && write.mock.calls.length === 0; i++) await bench.handle(await a.send([]));
    // Nothing is left that this process alone would know.
    expect([writes, (await bench.record()).counted]).toEqual([0, { 'dynamodb.PutItem': 1 }]);
  });
});
