/** How a shard begins: from nothing, from a checkpoint, again after a crash; and what its snapshots say. */
import { describe, expect, test } from 'vitest';
import { operatorUid } from '../../lib/base/ids.ts';
import type { CompiledJob } from '../../lib/index.ts';
import type { Envelope } from '../../lib/model/envelope.ts';
import type { ShardSnapshot } from '../../lib/model/shard-record.ts';
import { MAX_WATERMARK, MIN_WATERMARK } from '../../lib/model/time.ts';
import { decodeDelta } from '../../lib/state/delta-rows.ts';
import { jobA } from '../contract/sample-records.ts';
import { compileCount, left, right, type Word } from './count-job.ts';
import { restore, snapshots } from './restore-shard.ts';
import { again, ShardBench, type BenchOptions } from './shard-bench.ts';
import { setLimits } from './small-limits.ts';

const word = (text: string, more: Partial<Word> = {}): Word => ({ word: text, ...more });
const counts = (envelopes: readonly Envelope[]): unknown[] =>
  envelopes.flatMap(({ values }) => values.map((value) => Object.values(value as object).join(' ')));
const kinds = (envelopes: readonly Envelope[]): string[] => envelopes.flatMap(({ header }) => header.events.map(({ event }) => event.kind));

async function open(uid = 'count', options: BenchOptions = {}, compiled: CompiledJob = compileCount()): Promise<ShardBench> {
  const bench = await ShardBench.open(compiled, uid, options);
  await bench.handle(bench.kick());
  return bench;
}

/** Counts a few words, and takes checkpoint `checkpoint`. */
async function counted(bench: ShardBench, checkpoint: number, ...words: readonly Word[]): Promise<ShardSnapshot> {
  const channels = [bench.upstream(left), bench.upstream(right)];
  await bench.handle(await channels[0]!.send(words), await channels[0]!.barrier(checkpoint), await channels[1]!.barrier(checkpoint));
  return snapshots(await bench.toCoordinator())[0]!;
}

describe('the first message of an attempt', () => {
  test('initialises the shard, and is then worked off like any other', async () => {
    const bench = await ShardBench.open(compileCount(), 'count', { job: { firstEpoch: 4 } });
    const first = await bench.upstream(left).send([word('x')]);
    expect(await bench.handle(first)).toEqual([]);
    expect(counts(await bench.sentTo('counts'))).toEqual(['x 1']);
    expect(await bench.record()).toMatchObject({
      version: 2,
      attempt: 1,
      epoch: 4,
      settled: 3,
      status: 'running',
      watermark: MIN_WATERMARK,
      inputs: { [left]: { sequence: 1 }, [right]: { sequence: 0 } },
    });
  });

  test('may be handled by two at once: one initialises, the other finds it done', async () => {
    const bench = await ShardBench.open(compileCount(), 'count');
    const first = await bench.upstream(left).send([word('x')]);
    let raced = false;
    const slow = bench.newEnvironment(async (site, act) => {
      if (site === 'shards.commit' && !raced) {
        raced = true;
        await bench.handle(again(first));
      }
      return act();
    });
    expect(await slow.handle([first])).toEqual([first.messageId]);
    expect(await slow.handle([again(first, 3)])).toEqual([]);
    expect(counts(await bench.sentTo('counts'))).toEqual(['x 1']);
    expect((await bench.record()).recordsIn).toBe(1);
  });

  test('starts the one loop of a source, also where the answer to the kick is lost and it comes again', async () => {
    const bench = await ShardBench.open(compileCount(), 'left');
    let commits = 0;
    bench.restart(async (site, act) => {
      const result = await act();
      if (site === 'shards.commit' && ++commits === 1) throw new Error('lost');
      return result;
    });
    const kick = bench.kick();
    expect(await bench.handle(kick)).toEqual([0]);
    expect(await bench.handle(again(kick))).toEqual([]);
    expect(await bench.handle(again(kick))).toEqual([]);
    expect((await bench.sentToSelf()).map(({ kind, number }) => [kind, number])).toEqual([['continue', 1]]);
  });
});

describe('a snapshot', () => {
  test('names positions, outputs, state and timers as they are at the barrier', async () => {
    const bench = await open();
    const [a, b] = [bench.upstream(left), bench.upstream(right)];
    const timer = bench.time.clock.now() + 5_000;
    await bench.handle(
      await a.watermark(30, [word('x', { eventTimer: 40, processingTimer: timer }), word('y', { eventTimer: 20 })]),
      await b.watermark(25),
    );
    await bench.handle(await a.barrier(1, [word('x')]), await a.send([word('behind')]), await b.barrier(1));
    const [snapshot] = snapshots(await bench.toCoordinator());
    const sent = await bench.sentTo('counts');
    const barrierAt = sent.find((envelope) => kinds([envelope]).includes('barrier'))!.header.sequence;
    expect(snapshot).toMatchObject({
      uid: 'count',
      shard: 0,
      attempt: 1,
      checkpoint: 1,
      inputs: { [left]: 2, [right]: 2 },
      outputs: { '2/0>0': barrierAt },
      splits: null,
      fired: [{ keyGroups: { start: 0, end: 127 }, firedUpTo: 25 }],
      nextTimer: { event: 40, processing: timer },
      parts: [],
      finished: false,
      recordsIn: 3,
      recordsOut: 4,
    });
    expect(snapshot!.version).toBeLessThanOrEqual((await bench.record()).version);
    expect(snapshot!.deltas).toHaveLength(1);
    const [delta] = snapshot!.deltas;
    const rows = decodeDelta((await bench.stores.objects.read(delta!.key))!, 'delta');
    expect(delta).toMatchObject({ epoch: 1, rows: rows.length, keyGroups: { start: 0, end: 127 } });
    // A later row of the same address wins.
    expect(new Map(rows.map(({ state, key, value, deleted }) => [`${state} ${key}`, deleted ? 'deleted' : value]))).toEqual(
      new Map<string, unknown>([
        ['count "x"', 2],
        ['count "y"', 1],
        ['#event-timers "x"', true],
        ['#event-timers "y"', 'deleted'],
        ['#processing-timers "x"', true],
      ]),
    );
    expect(snapshot!.stats).toMatchObject({ deltaBytes: delta!.bytes, stateBytes: delta!.bytes });
  });

  test('of a shard where nothing changed lists the deltas that were there, and no new one', async () => {
    const bench = await open();
    const channels = [bench.upstream(left), bench.upstream(right)];
    const barriers = async (checkpoint: number, words: readonly Word[] = []): Promise<ShardSnapshot> => {
      await bench.handle(await channels[0]!.barrier(checkpoint, words), await channels[1]!.barrier(checkpoint));
      return snapshots(await bench.toCoordinator())[0]!;
    };
    const first = await barriers(1, [word('x')]);
    expect((await barriers(2)).deltas).toEqual(first.deltas);
    bench.restart();
    const third = await barriers(4, [word('x')]);
    expect(third.deltas.map(({ epoch }) => epoch)).toEqual([1, 4]);
    expect(third.segments.recent.length, 'only this epoch is looked for').toBeLessThanOrEqual(1);
  });

  test('names the parts of its sinks until they are published', async () => {
    const bench = await open('counts');
    const channel = bench.upstream('2/0>0' as never);
    const parts = async (checkpoint: number, ...records: readonly unknown[]): Promise<number[]> => {
      await bench.handle(await channel.barrier(checkpoint, records));
      return snapshots(await bench.toCoordinator())[0]!.parts.map((part) => part.checkpoint);
    };
    expect(await parts(1, 'a', 'b')).toEqual([1]);
    expect(await parts(2)).toEqual([1]);
    await bench.changeJob({ published: 1, completed: 1 });
    bench.restart();
    expect(await parts(3, 'c')).toEqual([3]);
    expect(bench.collect.staged('counts')).toHaveLength(2);
  });

  test('keeps what a restore brought of fired timers until the watermark has passed it', async () => {
    const bench = await open();
    const snapshot = await counted(bench, 1, word('x'));
    const fired = [{ keyGroups: { start: 0, end: 127 }, firedUpTo: 100 }];
    await restore(bench, [{ ...snapshot, fired }]);
    const [a, b] = [bench.upstream(left, 2), bench.upstream(right, 2)];
    await bench.handle(await a.watermark(50), await b.watermark(50));
    await bench.handle(await a.barrier(10), await b.barrier(10));
    expect(snapshots(await bench.toCoordinator())[0]!.fired).toEqual([{ keyGroups: { start: 0, end: 127 }, firedUpTo: 50 }, ...fired]);
    await bench.handle(await a.watermark(100), await b.watermark(100));
    await bench.handle(await a.barrier(11), await b.barrier(11));
    expect(snapshots(await bench.toCoordinator())[0]!.fired).toEqual([{ keyGroups: { start: 0, end: 127 }, firedUpTo: 100 }]);
  });
});

describe('a restore', () => {
  test('goes on with the state of the checkpoint, new channels, and an epoch that nobody had', async () => {
    const bench = await open();
    const snapshot = await counted(bench, 1, word('x'), word('y'), word('x'));
    await bench.handle(await bench.upstream(left).send([word('lost')]));
    const { version } = await bench.record();
    await restore(bench, [snapshot]);
    await bench.sentTo('counts');
    const [a, b] = [bench.upstream(left, 2), bench.upstream(right, 2)];
    await bench.handle(await a.send([word('x')]), await b.send([word('y'), word('lost')]));
    expect(counts(await bench.sentTo('counts'))).toEqual(['x 3', 'y 2', 'lost 1']);
    expect(await bench.record()).toMatchObject({ attempt: 2, epoch: 10, settled: 9, recordsIn: 6, inputs: { [left]: { sequence: 1 } } });
    expect((await bench.record()).version).toBeGreaterThan(version);
  });

  test('ignores barriers that were numbered before it', async () => {
    const bench = await open();
    await restore(bench, [await counted(bench, 1, word('x'))]);
    const [a, b] = [bench.upstream(left, 2), bench.upstream(right, 2)];
    await bench.sentTo('counts');
    await bench.handle(await a.barrier(9), await b.barrier(9));
    expect(kinds(await bench.sentTo('counts'))).toEqual([]);
    await bench.handle(await a.barrier(10), await b.barrier(10));
    expect(kinds(await bench.sentTo('counts'))).toEqual(['barrier']);
  });

  test('fires a timer of a quiet key: whoever initialises arms the next wake-up', async () => {
    const bench = await open();
    const due = bench.time.clock.now() + 100;
    const snapshot = await counted(bench, 1, word('x', { processingTimer: due }));
    await restore(bench, [snapshot]);
    await bench.handle(bench.kick(2));
    await bench.sentTo('counts');
    await bench.sentToSelf();
    await bench.time.advance(200);
    const wakes = (await bench.sentToSelf()).filter(({ attempt }) => attempt === 2);
    expect(wakes).toHaveLength(1);
    await bench.handle(bench.control('wake', wakes[0]!.number, { attempt: 2 }));
    expect(counts(await bench.sentTo('counts'))).toEqual([`x ${due} processing 1`]);
  });

  test('of a shard that had finished sends the end once more on the new channels, finishes nothing twice, and lets barriers through', async () => {
    const bench = await open();
    const [a, b] = [bench.upstream(left), bench.upstream(right)];
    await bench.handle(await a.send([word('x')]), await a.end(), await b.end());
    await bench.handle(await a.barrier(1), await b.barrier(1));
    const [snapshot] = snapshots(await bench.toCoordinator());
    expect(snapshot).toMatchObject({ finished: true });
    await restore(bench, [snapshot!]);
    await bench.sentTo('counts');
    const again2 = [bench.upstream(left, 2), bench.upstream(right, 2)] as const;
    await bench.handle(bench.kick(2));
    expect(kinds(await bench.sentTo('counts'))).toEqual(['watermark', 'end-of-input']);
    expect(await bench.record()).toMatchObject({ status: 'ended', watermark: MAX_WATERMARK });
    await bench.handle(await again2[0].end(), await again2[1].end());
    expect(kinds(await bench.sentTo('counts'))).toEqual([]);
    await bench.handle(await again2[0].barrier(10), await again2[1].barrier(10));
    expect(kinds(await bench.sentTo('counts'))).toEqual(['barrier']);
    expect(snapshots(await bench.toCoordinator())).toMatchObject([{ finished: true, checkpoint: 10 }]);
  });

  test('of a source that had finished tells the coordinator again, asks for the checkpoint that ends the job, and starts no loop', async () => {
    const bench = await open('left');
    const [first] = await bench.sentToSelf();
    await bench.handle(bench.control('continue', first!.number));
    await bench.handle(bench.order(1));
    const [snapshot] = snapshots(await bench.toCoordinator());
    expect(snapshot).toMatchObject({ finished: true });
    await restore(bench, [snapshot!]);
    await bench.handle(bench.kick(2));
    expect(await bench.sentToSelf()).toEqual([]);
    expect((await bench.toCoordinator()).map(({ kind, attempt }) => [kind, attempt])).toEqual([
      ['dirty', 2],
      ['ended', 2],
    ]);
  });

  test('reads state from the base once it has caught up, and the deltas no longer', async () => {
    const bench = await open();
    const [a, b] = [bench.upstream(left), bench.upstream(right)];
    let checkpoint = 0;
    const take = async (...words: readonly Word[]): Promise<ShardSnapshot> => {
      checkpoint++;
      await bench.handle(await a.barrier(checkpoint, words), await b.barrier(checkpoint));
      await bench.changeJob({ completed: checkpoint, floor: checkpoint });
      return snapshots(await bench.toCoordinator())[0]!;
    };
    for (let i = 0; i < 9; i++) await take(word('x'), word(`only ${i}`));
    // It reads and writes a little with every batch.
    for (let i = 0; i < 12; i++) await bench.handle(await a.send([word('other')]));
    expect(await bench.record()).toMatchObject({ baseEpoch: 8, deltas: [{ epoch: 9 }] });
    const last = await take(word('x'));
    expect(last.deltas.map(({ epoch }) => epoch)).toEqual([9, 10]);
    await bench.stores.objects.remove(
      (await bench.stores.objects.list(`jobs/${jobA}/deltas/`))
        .map(({ key }) => key)
        .filter((key) => !last.deltas.some((delta) => delta.key === key)),
    );
    await restore(bench, [last]);
    await bench.sentTo('counts');
    await bench.handle(await bench.upstream(left, 2).send([word('x'), word('only 3'), word('only 8'), word('new')]));
    expect(counts(await bench.sentTo('counts'))).toEqual(['x 11', 'only 3 2', 'only 8 2', 'new 1']);
  });

  test('brings all rows of a delta into the base that is listed once for each old shard, in however many steps', async () => {
    const bench = await open();
    const words = Array.from({ length: 12 }, (_, i) => word(`word ${i}`));
    const snapshot = await counted(bench, 1, ...words);
    const [delta] = snapshot.deltas;
    const halves = [
      { start: 0, end: 63 },
      { start: 64, end: 127 },
    ].map((keyGroups) => ({ ...delta!, keyGroups }));
    setLimits({ baseAdvanceRows: 1, baseRowsPerStep: 1, baseRowsPerSlice: 2 });
    await restore(bench, [{ ...snapshot, deltas: halves }]);
    const channel = bench.upstream(left, 2);
    for (let i = 0; i < 20; i++) await bench.handle(await channel.send([word('other')]));
    expect((await bench.record()).deltas).toEqual([]);
    bench.restart();
    await bench.sentTo('counts');
    await bench.handle(await channel.send(words));
    expect(counts(await bench.sentTo('counts'))).toEqual(words.map((one) => `${one.word} 2`));
  });

  test('without its manifest stops loudly', async () => {
    const bench = await open();
    await restore(bench, [await counted(bench, 1, word('x'))]);
    await bench.stores.objects.remove(['manifest']);
    expect(await bench.handle(again(bench.kick(2), 3))).toEqual([0]);
    expect(await bench.toCoordinator()).toMatchObject([
      { kind: 'failed', failure: { code: 'SLUICE-OBJECT-MISSING', facts: { key: 'manifest' } } },
    ]);
    expect(operatorUid('count')).toBe('count');
  });
});
