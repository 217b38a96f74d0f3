/** What a function counted goes with its shard's acknowledgement. */
import { expect, test } from 'vitest';
import type { Bill } from '../../lib/model/bill.ts';
import { compileCount, left, right } from './count-job.ts';
import { snapshots } from './restore-shard.ts';
import { again, ShardBench } from './shard-bench.ts';

/** What it counts next is put into `meter`. */
async function billed(counted: Bill) {
  const meter = { counted };
  const bill = (): Bill => {
    const taken = meter.counted;
    meter.counted = {};
    return taken;
  };
  const bench = await ShardBench.open(compileCount(), 'count', { bill });
  await bench.handle(bench.kick());
  return { bench, a: bench.upstream(left), b: bench.upstream(right), meter };
}

test('a snapshot carries what was counted since the last one, and says the same when it is sent again', async () => {
  const { bench, a, b, meter } = await billed({ 's3.PutObject': 3 });
  const last = await b.barrier(1);
  await bench.handle(await a.barrier(1), last);
  const [first] = snapshots(await bench.toCoordinator());
  expect(first!.bill).toEqual({ 's3.PutObject': 3 });
  meter.counted = { 's3.PutObject': 1 };
  bench.restart();
  await bench.handle(again(last));
  // The queue remembers what it was sent, so look into what the record would have sent again.
  expect(meter.counted).toEqual({ 's3.PutObject': 1 });
  await bench.handle(await a.barrier(2), await b.barrier(2));
  await bench.handle(await a.barrier(3), await b.barrier(3));
  const [second, third] = snapshots(await bench.toCoordinator());
  expect(second!.bill).toEqual({ 's3.PutObject': 1 });
  expect(third).not.toHaveProperty('bill');
});

test('what a process counted is not lost with it once it has committed, and is told once', async () => {
  const { bench, a, b, meter } = await billed({ 's3.PutObject': 2 });
  expect(meter.counted).toEqual({});
  bench.restart();
  meter.counted = { 'dynamodb.GetItem': 1 };
  await bench.handle(await a.barrier(1), await b.barrier(1));
  await bench.handle(await a.barrier(2), await b.barrier(2));
  const [first, second] = snapshots(await bench.toCoordinator());
  expect(first!.bill).toEqual({ 's3.PutObject': 2, 'dynamodb.GetItem': 1 });
  expect(second).not.toHaveProperty('bill');
});

test('where nothing is billed a snapshot says nothing of it', async () => {
  const bench = await ShardBench.open(compileCount(), 'count');
  await bench.handle(bench.kick());
  await bench.handle(await bench.upstream(left).barrier(1), await bench.upstream(right).barrier(1));
  const [snapshot] = snapshots(await bench.toCoordinator());
  expect(snapshot).not.toHaveProperty('bill');
});
