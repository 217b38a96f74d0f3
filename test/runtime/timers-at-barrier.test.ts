/** A watermark and a barrier in one envelope, and more timers due than one commit takes: the barrier waits until they have fired. */
import { beforeEach, expect, test } from 'vitest';
import {
  collectSink,
  compileJob,
  defineJob,
  fromCollection,
  monotonousTimestamps,
  tumblingEventTime,
  type CompiledJob,
} from '../../lib/index.ts';
import { channelId } from '../../lib/base/ids.ts';
import { canonicalKey } from '../../lib/model/canonical-key.ts';
import type { Envelope } from '../../lib/model/envelope.ts';
import { keyGroupOf, shardOfKeyGroup } from '../../lib/model/key-group.ts';
import type { ShardSnapshot } from '../../lib/model/shard-record.ts';
import { restore, snapshots } from './restore-shard.ts';
import { again, ShardBench, type Message } from './shard-bench.ts';
import { setLimits, smallLimits } from './small-limits.ts';

interface Reading {
  readonly key: string;
  readonly value: number;
}

interface Result extends Reading {
  readonly values: readonly number[];
}

/** Windows of 10 ms, whose results may be corrected for 20 ms more. */
const compile = (parallelism: number): CompiledJob =>
  compileJob(
    defineJob({
      name: 'windows',
      build(env) {
        env
          .fromSource(fromCollection<Reading>([]), { watermarks: monotonousTimestamps(() => 0) })
          .uid('readings')
          .keyBy(({ key }) => key)
          .window(tumblingEventTime(10))
          .allowedLateness(20)
          .aggregate(
            { createAccumulator: () => [] as number[], add: ({ value }, all) => [...all, value], getResult: (all) => all },
            (values, { key }) => ({ key, values }),
          )
          .uid('windows')
          .rebalance()
          .sinkTo(collectSink('results'))
          .uid('results');
      },
    }),
    { parallelism, maxParallelism: 8 },
  );

const into = (shard: number): ReturnType<typeof channelId> => channelId(0, 0, shard);
const keys = Array.from({ length: 10 }, (_, i) => `k${i}`);
const results = (envelopes: readonly Envelope[]): string[] =>
  envelopes.flatMap(({ values, timestamps }) =>
    (values as Result[]).map(({ key, values: some }, i) => `${key} ${some.join('+')} at ${timestamps[i]}`),
  );
const events = (envelopes: readonly Envelope[]): string[] =>
  envelopes.flatMap(({ header }) => header.events.map(({ event }) => event.kind));
const firedOnce = keys.map((key, i) => `${key} ${i} at 9`);

beforeEach(() => setLimits(smallLimits));

async function open(): Promise<{ bench: ShardBench; message: Message }> {
  const bench = await ShardBench.open(compile(1), 'windows');
  await bench.handle(bench.kick());
  await bench.sentTo('results');
  const records = keys.map((key, value) => [{ key, value }, 5]);
  const channel = bench.upstream(into(0));
  await bench.handle(await channel.send(records));
  channel.epoch = 2;
  const message = await channel.send([], { kind: 'watermark', timestamp: 9 }, { kind: 'barrier', checkpoint: 1 });
  return { bench, message };
}

function expectCut(sent: readonly Envelope[], snapshot: ShardSnapshot | undefined): void {
  expect(results(sent)).toEqual(firedOnce);
  // All of it, and the watermark, belongs to the checkpoint.
  expect(sent.every(({ header }) => header.epoch === 1)).toBe(true);
  expect(events(sent)).toEqual(['watermark', 'barrier']);
  expect(snapshot).toMatchObject({ inputs: { [into(0)]: 2 }, fired: [{ firedUpTo: 9 }], nextTimer: { event: 29 }, recordsOut: 10 });
}

test('what the watermark makes due fires before the barrier, in as many commits as it takes', async () => {
  const { bench, message } = await open();
  const { version } = await bench.record();
  expect(await bench.handle(message)).toEqual([]);
  expectCut(await bench.sentTo('results'), snapshots(await bench.toCoordinator())[0]);
  expect((await bench.record()).version - version).toBeGreaterThanOrEqual(4);
  expect(await bench.record()).toMatchObject({ epoch: 2, stash: { replaying: false, envelopes: [] } });
});

test('so it is where every try dies at its second commit, and another goes on cold', async () => {
  const { bench, message } = await open();
  const sent: Envelope[] = [];
  let snapshot: ShardSnapshot | undefined;
  let tries = 0;
  for (let failed = [0]; failed.length > 0; expect(tries).toBeLessThan(20)) {
    let commits = 0;
    bench.restart(async (site, act) => {
      if (site === 'shards.commit' && ++commits === 2) throw new Error('died');
      return act();
    });
    failed = await bench.handle(again(message, ++tries));
    sent.push(...(await bench.sentTo('results')));
    snapshot ??= snapshots(await bench.toCoordinator())[0];
  }
  expect(tries).toBeGreaterThan(2);
  expectCut(sent, snapshot);
});

test.each([1, 2, 3])(
  'restored from that checkpoint with %i shards nothing fires again, and a late record corrects its window once',
  async (parallelism) => {
    const { bench, message } = await open();
    await bench.handle(message);
    await restore(bench, snapshots(await bench.toCoordinator()));
    const compiled = compile(parallelism);
    await bench.changeJob({ planHash: compiled.planHash });
    const sent: Envelope[] = [];
    for (let shard = 0; shard < parallelism; shard++) {
      const one = await ShardBench.open(compiled, 'windows', { shard, beside: bench });
      await one.handle(one.kick(2));
      await one.sentTo('results');
      const channel = one.upstream(into(shard), 2);
      const own = keys.filter((key) => shardOfKeyGroup(keyGroupOf(canonicalKey(key), 8), parallelism, 8) === shard);
      // Late for a window that has fired, and on time for the next.
      await one.handle(await channel.send(own.flatMap((key) => [[{ key, value: 100 }, 6], [{ key, value: 200 }, 15]]))); // prettier-ignore
      await one.handle(await channel.watermark(9));
      expect(results(await one.sentTo('results')).sort()).toEqual(own.map((key) => `${key} ${key.slice(1)}+100 at 9`));
      await one.handle(await channel.watermark(50));
      sent.push(...(await one.sentTo('results')));
    }
    expect(results(sent).sort()).toEqual(keys.map((key) => `${key} 200 at 19`));
  },
);
