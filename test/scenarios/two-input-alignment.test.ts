/**
 * Scenario 7: the barrier on the fast input comes early, records follow it, and the job dies when the slow one's has come too. Then what the restored state
 * counts shows whether a record from behind the barrier was in it. Barriers and records come one by one, so that it is sure to happen;
 * test/runtime/chaos-topologies.test.ts has the same by chance, under faults.
 */
import { expect } from 'vitest';
import { readMessage } from '../../lib/model/envelope-codec.ts';
import type { StreamEvent } from '../../lib/model/envelope.ts';
import type { ShardSnapshot } from '../../lib/model/shard-record.ts';
import { compileCount, left as fast, right as slow } from '../runtime/count-job.ts';
import { restore, snapshots } from '../runtime/restore-shard.ts';
import { ShardBench, type Message } from '../runtime/shard-bench.ts';
import { exactlyOnce, scenario, scenarioIn, type Mode } from './scenario.ts';

const word = (text: string): object => ({ word: text });

const barriers: Readonly<Record<Mode, StreamEvent>> = {
  aligned: { kind: 'barrier', checkpoint: 1, mode: 'exactly-once' },
  unaligned: { kind: 'barrier', checkpoint: 1, mode: 'exactly-once', overtakeAtMs: 0 },
  'at-least-once': { kind: 'barrier', checkpoint: 1, mode: 'at-least-once' },
};

/** Two records before each barrier, `after` behind the fast one's, and a restore in which the sources bring again what was behind their barriers. */
async function countsAfterRestore(mode: Mode, after: readonly string[]): Promise<Readonly<Record<string, number>>> {
  const bench = await ShardBench.open(compileCount(), 'count', {});
  await bench.handle(bench.kick());
  const [quick, late] = [bench.upstream(fast), bench.upstream(slow)];
  const taken: ShardSnapshot[] = [];
  const handle = async (message: Message): Promise<void> => {
    await bench.handle(message);
    taken.push(...snapshots(await bench.toCoordinator()));
  };
  await handle(await quick.send([word('a'), word('b')], barriers[mode]));
  // Only one that overtakes is complete without the slow input, whose records are in flight.
  expect(taken).toHaveLength(mode === 'unaligned' ? 1 : 0);
  // One commit each: what is behind the barrier is in the stash, or in the state, before the slow one comes.
  for (const text of after) await handle(await quick.send([word(text)]));
  const slowMessage = await late.send([word('a'), word('c')], barriers[mode]);
  await handle(slowMessage);
  expect(taken).toMatchObject([{ checkpoint: 1, inputs: { [fast]: 1, [slow]: mode === 'unaligned' ? 0 : 1 } }]);
  await restore(bench, taken, {
    mode: mode === 'at-least-once' ? mode : 'exactly-once',
    ...(mode === 'unaligned' ? { unaligned: true, inFlight: { uid: 'right', sent: { [slow]: 1 }, segment: segmentOf(slowMessage) } } : {}),
  });
  await bench.sentTo('counts');
  await bench.handle(await bench.upstream(fast, 2).send([...after, 'a', 'b', 'c'].map(word)));
  const values = (await bench.sentTo('counts')).flatMap((envelope) => envelope.values as { word: string; count: number }[]);
  return Object.fromEntries(values.map((value) => [value.word, value.count]));
}

function segmentOf({ body }: Message): string {
  const message = readMessage(body);
  if (message.kind !== 'data') throw new Error('this is no envelope');
  return message.header.segment;
}

scenario(7, 'where nothing follows the early barrier, every record counts once', async (mode) => {
  expect(await countsAfterRestore(mode, [])).toEqual({ a: 3, b: 2, c: 2 });
});

scenarioIn(exactlyOnce, 7, 'the state of a checkpoint has no record from behind the barrier of the fast input', async (mode) => {
  expect(await countsAfterRestore(mode, ['a', 'x', 'x'])).toEqual({ x: 2, a: 4, b: 2, c: 2 });
});

scenarioIn(['at-least-once'], 7, 'it has them, so that a restore counts these twice, and no others', async (mode) => {
  expect(await countsAfterRestore(mode, ['a', 'x', 'x'])).toEqual({ x: 4, a: 5, b: 2, c: 2 });
});
