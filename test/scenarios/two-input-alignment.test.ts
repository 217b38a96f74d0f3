/**
 * Flink's scenario of a fast and a slow input: the barrier on the fast one comes early, records follow it, and the job dies when the slow one's has come too.
 * Then what the restored state counts shows whether a record from behind the barrier was in it. Barriers and records come one by one, so that it is sure to
 * happen; test/runtime/chaos-topologies.test.ts has the same by chance, under faults.
 */
import { describe, expect, test } from 'vitest';
import type { CheckpointMode } from '../../lib/model/envelope.ts';
import { compileCount, left as fast, right as slow } from '../runtime/count-job.ts';
import { restore, snapshots } from '../runtime/restore-shard.ts';
import { ShardBench } from '../runtime/shard-bench.ts';

const word = (text: string): object => ({ word: text });

/** Two records before each barrier, `after` behind the fast one's, and a restore in which the sources bring again what was behind their barriers. */
async function countsAfterRestore(mode: CheckpointMode, after: readonly string[]): Promise<Readonly<Record<string, number>>> {
  const bench = await ShardBench.open(compileCount(), 'count', {});
  await bench.handle(bench.kick());
  const [quick, late] = [bench.upstream(fast), bench.upstream(slow)];
  await bench.handle(await quick.barrier(1, [word('a'), word('b')], mode));
  // One commit each: what is behind the barrier is in the stash, or in the state, before the slow one comes.
  for (const text of after) await bench.handle(await quick.send([word(text)]));
  expect(snapshots(await bench.toCoordinator())).toEqual([]);
  await bench.handle(await late.barrier(1, [word('a'), word('c')], mode));
  const taken = snapshots(await bench.toCoordinator());
  expect(taken).toMatchObject([{ checkpoint: 1, inputs: { [fast]: 1, [slow]: 1 } }]);
  await restore(bench, taken, { mode });
  await bench.sentTo('counts');
  await bench.handle(await bench.upstream(fast, 2).send([...after, 'a', 'b', 'c'].map(word)));
  const values = (await bench.sentTo('counts')).flatMap((envelope) => envelope.values as { word: string; count: number }[]);
  return Object.fromEntries(values.map((value) => [value.word, value.count]));
}

describe('two-input-alignment', () => {
  test('exactly-once: the state of a checkpoint has no record from behind the barrier of the fast input', async () => {
    expect(await countsAfterRestore('exactly-once', ['a', 'x', 'x'])).toEqual({ x: 2, a: 4, b: 2, c: 2 });
    expect(await countsAfterRestore('exactly-once', [])).toEqual({ a: 3, b: 2, c: 2 });
  });

  test('at-least-once: it has, so that a restore counts these twice, and no others', async () => {
    expect(await countsAfterRestore('at-least-once', ['a', 'x', 'x'])).toEqual({ x: 4, a: 5, b: 2, c: 2 });
    expect(await countsAfterRestore('at-least-once', [])).toEqual({ a: 3, b: 2, c: 2 });
  });
});
