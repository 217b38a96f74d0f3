/** In-flight data of a restore in which records are bad: more than one invocation may set aside, and such whose key cannot be told. */
import { expect, test } from 'vitest';
import { channelId } from '../../lib/base/ids.ts';
import { collectSink, compileJob, defineJob, fromCollection, valueState, type CompiledJob } from '../../lib/index.ts';
import type { DeadLetter } from '../../lib/model/dead-letter.ts';
import { decodeEnvelope } from '../../lib/model/envelope-codec.ts';
import { decodeSegment } from '../../lib/runtime/segment.ts';
import { jobA } from '../contract/sample-records.ts';
import { restore, snapshots } from './restore-shard.ts';
import { again, ShardBench } from './shard-bench.ts';

interface Item {
  readonly id: number;
  readonly bad?: 'key' | 'process';
}

function compile(parallelism: number): CompiledJob {
  const job = defineJob({
    name: 'bad-items',
    build(env) {
      env
        .fromSource(fromCollection<Item>([]))
        .uid('items')
        .setParallelism(1)
        .keyBy(({ id, bad }) => {
          if (bad === 'key') throw new Error('no key');
          return id % 7;
        })
        .process({
          state: { count: valueState<number>() },
          process({ id, bad }, { state, emit }) {
            if (bad === 'process') throw new Error('a bad item');
            state.count.update((state.count.value() ?? 0) + 1);
            emit(id);
          },
        })
        .onError('dead-letter')
        .uid('checked')
        .rebalance()
        .sinkTo(collectSink('out'))
        .uid('out')
        .setParallelism(1);
    },
  });
  return compileJob(job, { parallelism });
}

const count = 400;
const items: readonly Item[] = Array.from({ length: count }, (_, id) => {
  if (id % 40 === 7) return { id, bad: 'key' };
  return id % 2 === 0 ? { id, bad: 'process' } : { id };
});

test('a replay with hundreds of bad records comes to its end, each set aside once and the rest processed once', async () => {
  const bench = await ShardBench.open(compile(1), 'checked');
  await bench.handle(bench.kick());
  const channel = channelId(bench.compiled.plan.edges.find(({ to }) => to === 'checked')!.index, 0, 0);
  const sender = bench.upstream(channel);
  const segments: string[] = [];
  for (const some of [items.slice(0, 300), items.slice(300)]) segments.push(decodeEnvelope((await sender.send(some)).body).header.segment);
  const begun = { id: 1, kind: 'checkpoint', overtakeAtMs: 0, flow: 'f', token: null, triggeredAtMs: 0, deadlineMs: 99_999 } as const;
  await bench.changeJob({ pending: [begun], numbered: 1 });
  await bench.handle(bench.control('wake', 1));
  const [own] = snapshots(await bench.toCoordinator());
  expect(own).toMatchObject({ inputs: { [channel]: 0 } });
  const uid = bench.compiled.plan.vertices.find(({ operators }) => operators[0]!.uid === 'items')!.uid;
  const inFlight = [{ epoch: 1, recent: segments, chained: null }];
  await restore(bench, [own!, { ...own!, uid, inputs: {}, outputs: { [channel]: 2 }, inFlight }], { unaligned: true, attempt: 1 });
  let kick = bench.kick(2);
  let tries = 1;
  for (; (await bench.handle(kick)).length > 0; tries++) {
    expect(tries).toBeLessThan(10);
    kick = again(kick, tries + 1);
  }
  // An invocation sets 64 aside at most, of 200 that fail in the function.
  expect(tries).toBeGreaterThan(2);
  const good = items.filter(({ bad }) => bad === undefined).map(({ id }) => id);
  expect((await bench.sentTo('out')).flatMap(({ values }) => values)).toEqual(good);
  expect(await bench.record()).not.toHaveProperty('replay');
  const letters = (await letterRecords(bench)).map(({ record }) => (record as Item).id);
  expect(letters.sort((a, b) => a - b)).toEqual(items.filter(({ bad }) => bad !== undefined).map(({ id }) => id));
});

/** Out of the segments of the attempt. */
async function letterRecords(bench: ShardBench): Promise<DeadLetter[]> {
  const { objects } = bench.stores;
  const found: DeadLetter[] = [];
  for (const { key } of await objects.list(`jobs/${jobA}/segments/checked/`)) {
    for (const records of decodeSegment((await objects.read(key))!, key).sinks.values()) found.push(...(records as DeadLetter[]));
  }
  return found;
}
