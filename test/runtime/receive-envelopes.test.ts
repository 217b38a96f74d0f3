/** Barriers at a shard with two channels: what is held, cut, declined and released. */
import { describe, expect, test } from 'vitest';
import { channelId } from '../../lib/base/ids.ts';
import type { CoordinatorMessage } from '../../lib/model/coordinator-message.ts';
import type { Envelope } from '../../lib/model/envelope.ts';
import type { ShardSnapshot } from '../../lib/model/shard-record.ts';
import { MAX_WATERMARK } from '../../lib/model/time.ts';
import { compileCount, left, right } from './count-job.ts';
import { setLimits } from './small-limits.ts';
import { again, ShardBench, type BenchOptions, type Upstream } from './shard-bench.ts';

interface Bench {
  readonly bench: ShardBench;
  readonly a: Upstream;
  readonly b: Upstream;
}

async function open(options: BenchOptions = {}): Promise<Bench> {
  const bench = await ShardBench.open(compileCount(), 'count', options);
  await bench.handle(bench.kick());
  return { bench, a: bench.upstream(left), b: bench.upstream(right) };
}

const words = (...texts: string[]): object[] => texts.map((word) => ({ word }));
/** What went out, in order: records as text, barriers as `|n`. */
function flow(envelopes: readonly Envelope[]): string[] {
  return envelopes.flatMap(({ header, values }) => [
    ...(values as { word: string; count: number }[]).map(({ word, count }) => `${word}${count}`),
    ...header.events.flatMap(({ event }) =>
      event.kind === 'barrier' ? [`|${event.checkpoint}`] : event.kind === 'end-of-input' ? ['end'] : [],
    ),
  ]);
}
const snapshots = (messages: readonly CoordinatorMessage[]): ShardSnapshot[] =>
  messages.flatMap((message) => (message.kind === 'acknowledgement' ? [message.snapshot] : []));
const declined = (messages: readonly CoordinatorMessage[]): number[] =>
  messages.flatMap((message) => (message.kind === 'declined' ? [message.checkpoint] : []));

describe('alignment', () => {
  test('holds back what comes behind a barrier until all channels have brought it, and cuts at the barriers', async () => {
    const { bench, a, b } = await open();
    expect(await bench.handle(await a.barrier(1, words('x')), await a.send(words('x')), await b.send(words('y')))).toEqual([]);
    expect(flow(await bench.sentTo('counts'))).toEqual(['x1', 'y1']);
    expect(await bench.record()).toMatchObject({
      epoch: 1,
      alignment: { checkpoint: 1 },
      stash: { replaying: false, envelopes: [{ sequence: 2 }] },
    });
    const last = await b.barrier(1, words('y'));
    expect(await bench.handle(await a.send(words('z')), last)).toEqual([]);
    expect(flow(await bench.sentTo('counts'))).toEqual(['y2', '|1', 'x2', 'z1']);
    const [snapshot] = snapshots(await bench.toCoordinator());
    expect(snapshot).toMatchObject({ checkpoint: 1, inputs: { [left]: 1, [right]: 2 }, finished: false, recordsIn: 3 });
    expect(snapshot!.stats.processedBytes).toBeGreaterThan(last.body.length);
    expect(await bench.record()).toMatchObject({
      epoch: 2,
      settled: 1,
      alignment: null,
      stash: { replaying: false, envelopes: [] },
      recordsIn: 5,
    });
  });

  test('is found again by whoever comes after a crash, with what it holds', async () => {
    const { bench, a, b } = await open();
    await bench.handle(await a.barrier(1), await a.send(words('x')));
    bench.restart();
    await bench.handle(await a.send(words('y')));
    bench.restart();
    const last = await b.barrier(1);
    // The snapshot is committed, then the environment dies before the replay.
    let commits = 0;
    bench.restart(async (site, act) => {
      if (site === 'shards.commit' && ++commits === 2) throw new Error('died');
      return act();
    });
    expect(await bench.handle(last)).toEqual([0]);
    expect(await bench.record()).toMatchObject({ epoch: 2, stash: { replaying: true, envelopes: [{ sequence: 2 }, { sequence: 3 }] } });
    bench.restart();
    expect(await bench.handle(again(last))).toEqual([]);
    expect(flow(await bench.sentTo('counts'))).toEqual(['|1', 'x1', 'y1']);
    expect(await bench.record()).toMatchObject({ stash: { replaying: false, envelopes: [] }, recordsIn: 2 });
  });

  test('waits for an ended channel too: it still brings barriers', async () => {
    const { bench, a, b } = await open();
    await bench.handle(await b.end());
    await bench.handle(await a.barrier(1, words('x')), await a.send(words('x')));
    expect(flow(await bench.sentTo('counts'))).toEqual(['x1']);
    await bench.handle(await b.barrier(1));
    expect(flow(await bench.sentTo('counts'))).toEqual(['|1', 'x2']);
  });

  test('holds nothing back at least once, and cuts at the barriers all the same', async () => {
    const { bench, a, b } = await open();
    await bench.handle(await a.barrier(1, words('x'), 'at-least-once'), await a.send(words('x')), await b.send(words('y')));
    expect(flow(await bench.sentTo('counts'))).toEqual(['x1', 'x2', 'y1']);
    await bench.handle(await b.barrier(1, [], 'at-least-once'));
    expect(flow(await bench.sentTo('counts'))).toEqual(['|1']);
    expect(snapshots(await bench.toCoordinator())[0]).toMatchObject({ inputs: { [left]: 1, [right]: 2 }, recordsIn: 3 });
  });
});

describe('a change of the mode while barriers are on their way', () => {
  test('to at least once leaves the older checkpoint a cut, and holds nothing for the newer one', async () => {
    const { bench, a, b } = await open();
    await bench.handle(await a.barrier(1, words('x')), await a.send(words('x')));
    // Of the new mode already, on a channel that is held by the old one.
    await bench.handle(await a.barrier(2, words('x'), 'at-least-once'), await a.send(words('late')));
    expect(flow(await bench.sentTo('counts'))).toEqual(['x1']);
    await bench.handle(await b.send(words('y')), await b.barrier(1));
    expect(flow(await bench.sentTo('counts'))).toEqual(['y1', '|1', 'x2', 'x3', 'late1']);
    await bench.handle(await a.send(words('late')), await b.barrier(2, words('y'), 'at-least-once'));
    expect(flow(await bench.sentTo('counts'))).toEqual(['late2', 'y2', '|2']);
    const [first, second] = snapshots(await bench.toCoordinator());
    expect(first).toMatchObject({ checkpoint: 1, inputs: { [left]: 1, [right]: 2 }, recordsIn: 2 });
    expect(second).toMatchObject({ checkpoint: 2, inputs: { [left]: 3, [right]: 3 }, recordsIn: 7 });
  });

  test('to exactly once waits for the older one, and from its own barriers on the newer one is a cut', async () => {
    const { bench, a, b } = await open();
    await bench.handle(await a.barrier(1, words('x'), 'at-least-once'), await a.send(words('x')));
    expect(flow(await bench.sentTo('counts'))).toEqual(['x1', 'x2']);
    await bench.handle(await a.barrier(2, words('x')), await a.send(words('late')));
    expect(flow(await bench.sentTo('counts'))).toEqual(['x3']);
    bench.restart();
    await bench.handle(await b.send(words('y')), await b.barrier(1, words('y'), 'at-least-once'), await b.send(words('y')));
    expect(flow(await bench.sentTo('counts'))).toEqual(['y1', 'y2', '|1', 'y3']);
    await bench.handle(await b.barrier(2, words('y')));
    expect(flow(await bench.sentTo('counts'))).toEqual(['y4', '|2', 'late1']);
    const messages = await bench.toCoordinator();
    expect(declined(messages)).toEqual([]);
    expect(snapshots(messages)).toMatchObject([
      { checkpoint: 1, inputs: { [left]: 1, [right]: 2 }, recordsIn: 5 },
      { checkpoint: 2, inputs: { [left]: 3, [right]: 4 }, recordsIn: 7 },
    ]);
  });

  test('where only half of the sources had been told: what was held by the older barrier is let go, and nothing more is held', async () => {
    const { bench, a, b } = await open();
    await bench.handle(await a.barrier(1), await a.send(words('x')));
    await bench.handle(await b.barrier(2, words('y'), 'at-least-once'), await b.send(words('y')));
    expect(declined(await bench.toCoordinator())).toEqual([1]);
    await bench.handle(await a.send(words('x')));
    expect(flow(await bench.sentTo('counts'))).toEqual(['y1', 'x1', 'y2', 'x2']);
  });

  test('is told downstream with the barrier', async () => {
    const { bench, a, b } = await open();
    await bench.handle(await a.barrier(1, [], 'at-least-once'), await b.barrier(1, [], 'at-least-once'));
    await bench.handle(await a.barrier(2), await b.barrier(2));
    const barriers = (await bench.sentTo('counts')).flatMap(({ header }) => header.events.map(({ event }) => event));
    expect(barriers).toEqual([
      { kind: 'barrier', checkpoint: 1, mode: 'at-least-once' },
      { kind: 'barrier', checkpoint: 2 },
    ]);
  });
});

describe('a newer barrier', () => {
  test('on a channel that lacks the older one ends that alignment: it is declined, what was held comes in order, and its late barrier is nothing', async () => {
    const { bench, a, b } = await open();
    await bench.handle(await a.barrier(1, words('x')), await a.send(words('x')), await a.send(words('x')));
    await bench.handle(await b.barrier(2, words('y')));
    expect(flow(await bench.sentTo('counts'))).toEqual(['x1', 'y1', 'x2', 'x3']);
    expect(declined(await bench.toCoordinator())).toEqual([1]);
    expect(await bench.record()).toMatchObject({
      settled: 1,
      alignment: { checkpoint: 2, barriers: { [right]: 1 } },
      stash: { envelopes: [] },
    });
    await bench.handle(await b.send(words('y')), await a.barrier(2, words('x')));
    expect(flow(await bench.sentTo('counts'))).toEqual(['x4', '|2', 'y2']);
    expect(snapshots(await bench.toCoordinator()).map(({ checkpoint }) => checkpoint)).toEqual([2]);
    await bench.handle(await a.send([], { kind: 'barrier', checkpoint: 1 }), await a.send(words('x')));
    expect(flow(await bench.sentTo('counts'))).toEqual(['x5']);
  });

  test('that was itself held is met again in the replay, in its place', async () => {
    const { bench, a, b } = await open();
    // a brings 1, then 2 and more; b brings only 2: half injected.
    await bench.handle(await a.barrier(1), await a.send(words('x')), await a.barrier(2, words('x')), await a.send(words('late')));
    expect(flow(await bench.sentTo('counts'))).toEqual([]);
    await bench.handle(await b.barrier(2, words('y')));
    expect(flow(await bench.sentTo('counts'))).toEqual(['y1', 'x1', 'x2', '|2', 'late1']);
    expect(snapshots(await bench.toCoordinator()).map(({ checkpoint, inputs }) => [checkpoint, inputs])).toEqual([
      [2, { [left]: 3, [right]: 1 }],
    ]);
  });

  test('that ends an alignment begun in the replay stays before what followed it on its channel', async () => {
    const bench = await ShardBench.open(compileCount(1, 2), 'count');
    await bench.handle(bench.kick());
    const a = bench.upstream(left);
    const b = bench.upstream(right);
    const c = bench.upstream(channelId(0, 1, 0));
    const d = bench.upstream(channelId(1, 1, 0));
    // a and b are held at 1. Behind it, a brings 2 and b, half injected, only 3.
    await bench.handle(await a.barrier(1), await a.barrier(2, words('a')), await a.barrier(3));
    await bench.handle(await b.barrier(1), await b.barrier(3, words('c')), await b.send(words('last')));
    await bench.handle(await c.barrier(1), await c.barrier(3), await d.barrier(1));
    await bench.handle(await d.barrier(3));
    expect(bench.logged).toEqual([]);
    const epochs = (await bench.sentTo('counts')).flatMap(({ header, values }) =>
      values.map((value) => [(value as { word: string }).word, header.epoch]),
    );
    expect(Object.fromEntries(epochs)).toEqual({ a: 2, c: 2, last: 4 });
    const taken = snapshots(await bench.toCoordinator());
    expect(taken.map(({ checkpoint, recordsIn }) => [checkpoint, recordsIn])).toEqual([
      [1, 0],
      [3, 2],
    ]);
    expect((await bench.record()).recordsIn).toBe(3);
  });

  test('with a watermark in its envelope does not say it twice', async () => {
    const { bench, a, b } = await open();
    await bench.handle(await a.barrier(1), await a.watermark(50, words('x')));
    await bench.handle(await b.send(words('y'), { kind: 'watermark', timestamp: 40 }, { kind: 'barrier', checkpoint: 2 }));
    const sent = await bench.sentTo('counts');
    expect(flow(sent)).toEqual(['y1', 'x1']);
    expect(sent.flatMap(({ header }) => header.events.map(({ event }) => event))).toEqual([{ kind: 'watermark', timestamp: 40 }]);
    expect(await bench.record()).toMatchObject({ watermark: 40, recordsIn: 2, alignment: { checkpoint: 2 } });
  });

  test('that never meets the older one on any channel changes nothing for it', async () => {
    const { bench, a, b } = await open();
    await bench.handle(await a.barrier(3, words('x')), await b.barrier(3, words('y')));
    await bench.handle(await a.send([], { kind: 'barrier', checkpoint: 2 }), await b.send([], { kind: 'barrier', checkpoint: 2 }));
    expect(flow(await bench.sentTo('counts'))).toEqual(['x1', 'y1', '|3']);
    expect(await bench.record()).toMatchObject({ epoch: 4, settled: 3, alignment: null });
  });
});

describe('concurrent checkpoints', () => {
  test('wait for each other: a newer barrier on a held channel is held like data', async () => {
    const { bench, a, b } = await open();
    await bench.handle(await a.barrier(1, words('x')), await a.barrier(2, words('x')), await a.barrier(3, words('x')));
    await bench.handle(await b.barrier(1, words('y')));
    expect(flow(await bench.sentTo('counts'))).toEqual(['x1', 'y1', '|1', 'x2']);
    await bench.handle(await b.barrier(2, words('y')), await b.barrier(3, words('y')));
    expect(flow(await bench.sentTo('counts'))).toEqual(['y2', '|2', 'x3', 'y3', '|3']);
    expect(snapshots(await bench.toCoordinator()).map(({ checkpoint, inputs }) => [checkpoint, inputs])).toEqual([
      [1, { [left]: 1, [right]: 1 }],
      [2, { [left]: 2, [right]: 2 }],
      [3, { [left]: 3, [right]: 3 }],
    ]);
  });
});

describe('overlapping checkpoints at least once', () => {
  const lax = 'at-least-once';

  test('wait for each other: from the newer barrier on its channel is held, and no record is lost or out of order', async () => {
    const { bench, a, b } = await open();
    await bench.handle(await a.barrier(1, words('x'), lax), await a.barrier(2, words('x'), lax), await a.barrier(3, words('x'), lax));
    await bench.handle(await a.send(words('x')));
    // Of the third only what stands before the second's barrier is known.
    expect(flow(await bench.sentTo('counts'))).toEqual(['x1', 'x2']);
    expect(await bench.record()).toMatchObject({ alignment: { checkpoint: 1, waiting: [left] } });
    bench.restart();
    await bench.handle(await b.barrier(1, words('y'), lax));
    expect(flow(await bench.sentTo('counts'))).toEqual(['y1', '|1', 'x3']);
    await bench.handle(await b.barrier(2, words('y'), lax), await b.barrier(3, words('y'), lax));
    expect(flow(await bench.sentTo('counts'))).toEqual(['y2', '|2', 'x4', 'y3', '|3']);
    const messages = await bench.toCoordinator();
    expect(declined(messages)).toEqual([]);
    expect(snapshots(messages).map(({ checkpoint, inputs }) => [checkpoint, inputs])).toEqual([
      [1, { [left]: 1, [right]: 1 }],
      [2, { [left]: 2, [right]: 2 }],
      [3, { [left]: 3, [right]: 3 }],
    ]);
    expect(await bench.record()).toMatchObject({ alignment: null, stash: { replaying: false, envelopes: [] } });
  });

  test('let go of what waited when the older one is aborted', async () => {
    const { bench, a, b } = await open();
    await bench.handle(await a.barrier(1, words('x'), lax), await a.barrier(2, words('x'), lax), await a.send(words('x')));
    await bench.changeJob({ aborted: 1, numbered: 2 });
    await bench.handle(await b.send(words('y')));
    expect(flow(await bench.sentTo('counts'))).toEqual(['x1', 'x2', 'x3', 'y1']);
    await bench.handle(await b.barrier(1, [], lax), await b.barrier(2, [], lax));
    expect(flow(await bench.sentTo('counts'))).toEqual(['|2']);
    expect(snapshots(await bench.toCoordinator())).toMatchObject([{ checkpoint: 2, inputs: { [left]: 2, [right]: 3 } }]);
  });

  test('of which one channel brings only the newer: the older one is declined', async () => {
    const { bench, a, b } = await open();
    await bench.handle(await a.barrier(1, words('x'), lax), await a.barrier(2, words('x'), lax), await a.send(words('x')));
    await bench.handle(await b.barrier(2, words('y'), lax));
    // At least once x is not held behind the newer barrier, once that is aligned for.
    expect(flow(await bench.sentTo('counts'))).toEqual(['x1', 'x2', 'y1', 'x3', '|2']);
    const messages = await bench.toCoordinator();
    expect(declined(messages)).toEqual([1]);
    expect(snapshots(messages)).toMatchObject([{ checkpoint: 2, inputs: { [left]: 2, [right]: 1 } }]);
  });
});

describe('an abort', () => {
  test('is learned from the job record, with the next message, and releases what was held', async () => {
    const { bench, a, b } = await open();
    await bench.handle(await a.barrier(1), await a.send(words('x')));
    await bench.changeJob({ aborted: 1 });
    const { version } = await bench.record();
    expect(await bench.handle(again(await a.send([]), 1))).toEqual([]);
    expect(flow(await bench.sentTo('counts'))).toEqual(['x1']);
    expect(await bench.record()).toMatchObject({ settled: 1, alignment: null, epoch: 1, stash: { replaying: false, envelopes: [] } });
    expect((await bench.record()).version).toBeGreaterThan(version);
    expect(declined(await bench.toCoordinator()), 'the coordinator knows').toEqual([]);
    await bench.handle(await b.barrier(1), await b.send(words('y')), await a.send(words('x')));
    expect(flow(await bench.sentTo('counts')), 'its late barrier is nothing').toEqual(['y1', 'x2']);
  });

  test('of an older checkpoint does not end the alignment of a newer one', async () => {
    const { bench, a, b } = await open();
    await bench.handle(await a.barrier(5), await a.send(words('x')));
    await bench.changeJob({ aborted: 4 });
    await bench.handle(await b.send(words('y')));
    expect(flow(await bench.sentTo('counts'))).toEqual(['y1']);
    await bench.handle(await b.barrier(5));
    expect(flow(await bench.sentTo('counts'))).toEqual(['|5', 'x1']);
  });

  test('is not acted upon by a duplicate alone: nobody would come for what was released', async () => {
    // Small, so that what is released would not wait for the batch's own commit.
    setLimits({ sourceRecordsPerCommit: 1 });
    const { bench, a } = await open();
    const held = await a.send([], { kind: 'barrier', checkpoint: 1 });
    await bench.handle(held, await a.send(words('x')), await a.send(words('y')));
    await bench.changeJob({ aborted: 1 });
    const { version } = await bench.record();
    bench.restart();
    expect(await bench.handle(again(held, 1))).toEqual([]);
    expect(await bench.record()).toMatchObject({ version, alignment: { checkpoint: 1 } });
    expect(flow(await bench.sentTo('counts'))).toEqual([]);
  });
});

describe('a stash', () => {
  test('is worked off in several commits, bounded by records, with what is left in the record', async () => {
    setLimits({ sourceRecordsPerCommit: 5 });
    const { bench, a, b } = await open();
    await bench.handle(await a.barrier(1));
    for (let i = 0; i < 12; i++) await bench.handle(await a.send(words('x', 'y', 'z')));
    const lengths: number[] = [];
    bench.restart(async (site, act) => {
      const result = await act();
      if (site === 'shards.commit') lengths.push((await bench.record()).stash.envelopes.length);
      return result;
    });
    expect(await bench.handle(await b.barrier(1))).toEqual([]);
    expect(lengths.length).toBeGreaterThanOrEqual(3);
    expect(lengths).toEqual([...lengths].sort((x, y) => y - x));
    expect(lengths.at(-1)).toBe(0);
    expect((await bench.record()).recordsIn).toBe(36);
  });

  test('whose envelopes are missing is left for the restore to deal with', async () => {
    const { bench, a, b } = await open();
    await bench.handle(await a.barrier(1), await a.send(words('x')));
    const names = (await bench.stores.objects.list('jobs/')).map(({ key }) => key).filter((key) => key.includes('/test/'));
    await bench.stores.objects.remove(names);
    expect(await bench.handle(await b.barrier(1))).toEqual([0]);
    expect(bench.logged.join()).toContain('SLUICE-OBJECT-MISSING');
  });
});

describe('the end of input', () => {
  test('of all channels ends the shard, once, and barriers go on through it', async () => {
    const { bench, a, b } = await open();
    await bench.handle(await a.send(words('x')), await a.end());
    expect(flow(await bench.sentTo('counts'))).toEqual(['x1']);
    await bench.handle(await b.end());
    const sent = await bench.sentTo('counts');
    expect(flow(sent)).toEqual(['end']);
    expect(sent[0]!.header.events.map(({ event }) => event)).toEqual([
      { kind: 'watermark', timestamp: MAX_WATERMARK },
      { kind: 'end-of-input' },
    ]);
    expect(await bench.record()).toMatchObject({ status: 'ended', watermark: MAX_WATERMARK });
    await bench.handle(await a.barrier(1), await b.barrier(1));
    expect(flow(await bench.sentTo('counts'))).toEqual(['|1']);
    expect(await bench.record()).toMatchObject({ status: 'finished' });
    expect(snapshots(await bench.toCoordinator())[0]).toMatchObject({ finished: true });
    await bench.handle(await a.barrier(2), await b.barrier(2));
    expect(flow(await bench.sentTo('counts'))).toEqual(['|2']);
  });

  test('that is held back does not end the shard before its turn', async () => {
    const { bench, a, b } = await open();
    await bench.handle(await b.end(), await a.barrier(1), await a.end());
    expect(await bench.record()).toMatchObject({ status: 'running' });
    await bench.handle(await b.barrier(1));
    expect(flow(await bench.sentTo('counts'))).toEqual(['|1', 'end']);
    expect(snapshots(await bench.toCoordinator())[0]).toMatchObject({ finished: false });
    expect(await bench.record()).toMatchObject({ status: 'ended' });
  });
});
