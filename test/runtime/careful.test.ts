/** Records that end the process: found one by one, by what was written down before they were tried. */
import { describe, expect, test } from 'vitest';
import { channelId } from '../../lib/base/ids.ts';
import { collectSink, compileJob, defineJob, fromCollection, valueState, type CompiledJob } from '../../lib/index.ts';
import type { DeadLetter } from '../../lib/model/dead-letter.ts';
import type { ShardRecord } from '../../lib/model/shard-record.ts';
import { decodeSegment } from '../../lib/runtime/segment.ts';
import { jobA } from '../contract/sample-records.ts';
import { compileCount } from './count-job.ts';
import { again, ShardBench, type Hook, type Message } from './shard-bench.ts';

interface Item {
  readonly id: number;
  readonly act?: 'end the process' | 'throw';
}

/** The process in hand is dead: nothing that it calls happens. */
let hasEnded = false;
let processed: number[] = [];

function compile(policy: 'fail' | 'dead-letter'): CompiledJob {
  const job = defineJob({
    name: 'heavy-items',
    build(env) {
      env
        .fromSource(fromCollection<Item>([]))
        .uid('items')
        .keyBy(({ id }) => id % 3)
        .process({
          state: { count: valueState<number>() },
          process({ id, act }, { state, emit }) {
            processed.push(id);
            if (act === 'end the process') hasEnded = true;
            if (act === 'throw') throw new Error('a bad item');
            state.count.update((state.count.value() ?? 0) + 1);
            emit(id);
          },
        })
        .onError(policy)
        .uid('checked')
        .rebalance()
        .sinkTo(collectSink('out'))
        .uid('out');
    },
  });
  return compileJob(job, { parallelism: 1 });
}

async function open(policy: 'fail' | 'dead-letter') {
  const bench = await ShardBench.open(compile(policy), 'checked');
  await bench.handle(bench.kick());
  processed = [];
  const channel = channelId(bench.compiled.plan.edges.find(({ to }) => to === 'checked')!.index, 0, 0);
  return { bench, sender: bench.upstream(channel) };
}

/** In a process of its own. What failed, or `ended` where nobody came back to say it. */
async function tryOnce(bench: ShardBench, message: Message, tries: number): Promise<'ended' | number[]> {
  hasEnded = false;
  bench.restart((_site, act) => (hasEnded ? new Promise(() => undefined) : act()));
  let answer: number[] | undefined;
  void bench.handle(again(message, tries)).then((failed) => (answer = failed));
  for (;;) {
    await new Promise((resolve) => setImmediate(resolve));
    if (answer !== undefined) return answer;
    if (hasEnded) return 'ended';
  }
}

async function outOf(bench: ShardBench): Promise<unknown[]> {
  return (await bench.sentTo('out')).flatMap(({ values }) => values);
}

/** Out of the segments of the attempt. */
async function lettersOf(bench: ShardBench): Promise<DeadLetter[]> {
  const { objects } = bench.stores;
  const found: DeadLetter[] = [];
  for (const { key } of await objects.list(`jobs/${jobA}/segments/checked/`)) {
    for (const records of decodeSegment((await objects.read(key))!, key).sinks.values()) found.push(...(records as DeadLetter[]));
  }
  return found;
}

describe('a record that ends the process', () => {
  test('is set aside after it was tried alone three times, and the others are processed once', async () => {
    const { bench, sender } = await open('dead-letter');
    const items = Array.from({ length: 10 }, (_, id): Item => (id === 6 ? { id, act: 'end the process' } : { id }));
    const message = await sender.send(items);
    // Four times it may have been by chance, three times it is alone.
    for (let tries = 1; tries <= 7; tries++) expect(await tryOnce(bench, message, tries), `try ${tries}`).toBe('ended');
    expect(await tryOnce(bench, message, 8)).toEqual([]);
    expect(await outOf(bench)).toEqual([0, 1, 2, 3, 4, 5, 7, 8, 9]);
    expect(await lettersOf(bench)).toMatchObject([{ code: 'SLUICE-PROCESS-ENDED', record: { id: 6 }, place: { index: 6 } }]);
    expect((await bench.record()).recordsIn).toBe(10);
  });

  test('is found among thousands in parts that become smaller', async () => {
    const { bench, sender } = await open('dead-letter');
    const items = Array.from({ length: 2_000 }, (_, id): Item => (id === 1_500 ? { id, act: 'end the process' } : { id }));
    const message = await sender.send(items);
    for (let tries = 5; tries <= 8; tries++) expect(await tryOnce(bench, message, tries), `try ${tries}`).toBe('ended');
    expect(await tryOnce(bench, message, 9)).toEqual([]);
    expect(await outOf(bench)).toEqual(items.filter(({ act }) => act === undefined).map(({ id }) => id));
    expect(await lettersOf(bench)).toMatchObject([{ place: { index: 1_500 } }]);
    // 64 at a time, and one by one from there on where nobody came back.
    expect((await bench.record()).version).toBeLessThan(250);
  });

  test('is tried again by the restart strategy where nothing is set aside, and told as what it is', async () => {
    const { bench, sender } = await open('fail');
    const message = await sender.send([{ id: 1 }, { id: 2, act: 'end the process' }, { id: 3 }]);
    for (let tries = 5; tries <= 7; tries++) expect(await tryOnce(bench, message, tries)).toBe('ended');
    expect(await tryOnce(bench, message, 8)).toEqual([0]);
    const [failure] = (await bench.toCoordinator()).filter(({ kind }) => kind === 'failed');
    expect(failure).toMatchObject({
      mayRestart: true,
      failure: { code: 'SLUICE-PROCESS-ENDED', operator: 'checked', facts: { index: 1, record: '{"id":2,"act":"end the process"}' } },
    });
    expect((await bench.record()).suspects, 'it is tried again').toBeUndefined();
    expect(await outOf(bench)).toEqual([1]);
    expect(await tryOnce(bench, message, 9)).toBe('ended');
  });
});

test('what waited on several channels is worked off with care, one after the other', async () => {
  const bench = await ShardBench.open(compileCount(1, 3), 'count');
  await bench.handle(bench.kick());
  const [first, second, third] = [0, 1, 2].map((shard) => bench.upstream(channelId(0, shard, 0)));
  const words = (text: string) => Array.from({ length: 40 }, () => ({ word: text }));
  // The barriers of two hold back what follows on their channels, until their checkpoint is given up.
  for (const channel of [first!, second!]) {
    await bench.handle(await channel.barrier(1));
    await bench.handle(await channel.send(words(channel === first ? 'a' : 'b')));
  }
  await bench.changeJob({ aborted: 1 });
  bench.restart();
  expect(await bench.handle(again(await third!.send(words('c')), 5))).toEqual([]);
  expect(await bench.record()).toMatchObject({ recordsIn: 120, stash: { replaying: false, envelopes: [] } });
});

test('shards whose batches come again and again take turns in a batch, behind those of which nothing is known', async () => {
  const { bench } = await open('fail');
  const kicks = [0, 1, 2].map((shard) => ({ ...bench.kick(), group: `${shard}.1` }));
  const orderOf = async (counts: readonly number[]): Promise<number[]> => {
    const read: number[] = [];
    bench.restart(async (site, act) => {
      const result = await act();
      if (site === 'shards.read') read.push((result as ShardRecord | undefined)?.shard ?? -1);
      return result;
    });
    await bench.handle(...kicks.map((kick, i) => again(kick, counts[i])));
    return [...new Set(read)];
  };
  await orderOf([1, 1, 1]);
  expect(await orderOf([4, 4, 4])).toEqual([0, 1, 2]);
  expect(await orderOf([6, 6, 1])).toEqual([2, 0, 1]);
  expect(await orderOf([7, 7, 1])).toEqual([2, 1, 0]);
});

test('a record that throws is not taken for one that ends the process, however often it is tried in another one', async () => {
  const { bench, sender } = await open('fail');
  const message = await sender.send([{ id: 1 }, { id: 2, act: 'throw' }]);
  for (let tries = 5; tries <= 12; tries++) expect(await tryOnce(bench, message, tries)).toEqual([0]);
  const codes = (await bench.toCoordinator()).flatMap((told) => (told.kind === 'failed' ? [told.failure.code] : []));
  expect(new Set(codes)).toEqual(new Set(['SLUICE-USER-CODE']));
  expect(processed.filter((id) => id === 2)).toHaveLength(8);
});

describe('who lives through the failure of a store', () => {
  const failing =
    (isDown: (site: string) => boolean): Hook =>
    async (site, act) => {
      if (isDown(site)) throw new Error(`${site} is down`);
      return act();
    };

  test('blames no record for it, however often it tries one alone', async () => {
    const { bench, sender } = await open('dead-letter');
    const message = await sender.send([{ id: 1 }, { id: 2 }, { id: 3 }]);
    for (let tries = 5; tries <= 12; tries++) {
      const before = processed.length;
      // What was noted is stored; what comes of the record is not.
      bench.restart(failing((site) => site === 'objects.createIfAbsent' && processed.length > before));
      expect(await bench.handle(again(message, tries))).toEqual([0]);
    }
    expect(await tryOnce(bench, message, 13)).toEqual([]);
    expect(await outOf(bench)).toEqual([1, 2, 3]);
    expect(await lettersOf(bench)).toEqual([]);
  });

  test('takes nothing back before what its last commit says is sent', async () => {
    for (let call = 1; call <= 4; call++) {
      const { bench, sender } = await open('dead-letter');
      const message = await sender.send([{ id: 1 }, { id: 2 }, { id: 3 }]);
      let sent = 0;
      bench.restart(failing((site) => site === 'queue.sendBatch' && ++sent >= call));
      expect(await bench.handle(again(message, 5)), `call ${call}`).toEqual([0]);
      expect(await tryOnce(bench, message, 6)).toEqual([]);
      expect(await outOf(bench), `call ${call}`).toEqual([1, 2, 3]);
    }
  });
});

test('a batch that came again by chance is worked off with care, once, and leaves nothing behind', async () => {
  const { bench, sender } = await open('fail');
  const items = Array.from({ length: 100 }, (_, id): Item => ({ id }));
  const message = await sender.send(items);
  expect(await tryOnce(bench, message, 5)).toEqual([]);
  expect(await outOf(bench)).toEqual(items.map(({ id }) => id));
  await bench.handle(await sender.send([{ id: 100 }]));
  expect((await bench.record()).suspects).toBeUndefined();
});
