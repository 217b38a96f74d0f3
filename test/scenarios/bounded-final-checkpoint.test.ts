import { expect } from 'vitest';
import { collectSink, compileJob, defineJob, outputTag, type, valueState, type CompiledJob, type DataStream } from '../../lib/index.ts';
import { scenario } from './scenario.ts';
import { gatedInput, until, useWorld, type Run } from './support.ts';

interface Count {
  readonly from: string;
  readonly key: number;
  readonly count: number;
}

const keys = 10;
const perKey = 60;
const inputs = {
  short: gatedInput('short', [Array.from({ length: keys * perKey }, (_, n) => n % keys)], 30),
  long: gatedInput('long', [Array.from({ length: keys * perKey }, (_, n) => n % keys)], 30),
};

const world = useWorld();
const ends = outputTag<string>('ends');

/** Counts by key, and says when a subtask has no more to count. */
function counted(from: string, numbers: DataStream<number>): DataStream<Count> {
  return numbers
    .keyBy((key) => key)
    .process({
      emits: type<Count>(),
      state: { count: valueState<number>() },
      process(_value, { key, state, emit }) {
        state.count.update((state.count.value() ?? 0) + 1);
        emit({ from, key, count: state.count.value()! });
      },
      finish: ({ subtask, emitTo }) => emitTo(ends, `${from} ${subtask}`),
    })
    .uid(`count-${from}`);
}

/** Two branches that end at their own time, and meet again in the sinks. */
function branches(parallelism = 2): CompiledJob {
  const job = defineJob({
    name: 'branches',
    build(env) {
      const source = (name: 'short' | 'long'): DataStream<Count> => counted(name, env.fromSource(inputs[name].source).uid(name));
      const [short, long] = [source('short'), source('long')];
      short.union(long).sinkTo(collectSink('counts')).uid('counts');
      short.getSideOutput(ends).union(long.getSideOutput(ends)).sinkTo(collectSink('ends')).uid('ends');
    },
  });
  return compileJob(job, { parallelism });
}

function expectEveryCountOnce(): void {
  const visible = world.collect.published('counts') as readonly Count[];
  const order = (a: Count, b: Count): number => a.from.localeCompare(b.from) || a.key - b.key || a.count - b.count;
  const expected = ['long', 'short'].flatMap((from) =>
    Array.from({ length: keys }, (_, key) => Array.from({ length: perKey }, (__, i) => ({ from, key, count: i + 1 }))).flat(),
  );
  expect(visible.toSorted(order)).toEqual(expected);
}

/** What at-least-once promises of a sink with several inputs after a restore: all is there, and what came between two barriers may be there twice. */
function expectNothingLost(): void {
  const visible = new Set(world.collect.published('counts').map((count) => JSON.stringify(count)));
  expect(visible.size).toBe(2 * keys * perKey);
  expect([...new Set(endsSeen())]).toEqual(['long 0', 'long 1', 'short 0', 'short 1']);
}

const endsSeen = (): readonly unknown[] => world.collect.published('ends').toSorted();

/** The short branch has ended, all that it made is visible, and half of the long one is read. */
async function halfFinished(): Promise<Run> {
  inputs.short.open(0.5);
  inputs.long.open(0);
  const run = await world.start(branches());
  await run.checkpointAfter(() => inputs.long.open(0.25));
  inputs.short.open(1);
  await until(async () => endsSeen().length === 2);
  expect((await run.record()).ended).toEqual({ short: [0] });
  // It goes on making checkpoints, although some of its shards have nothing more to say.
  for (const share of [0.3, 0.4, 0.5]) await run.checkpointAfter(() => inputs.long.open(share));
  expect(endsSeen()).toEqual(['short 0', 'short 1']);
  return run;
}

scenario(20, 'when its sources have ended a job commits all output and is FINISHED, however long the interval', async () => {
  inputs.short.open(1);
  inputs.long.open(1);
  const run = await world.start(branches(), { intervalMs: 3_600_000 });
  const record = await run.finished();
  expectEveryCountOnce();
  expect(record).toMatchObject({ status: 'FINISHED', counts: { completed: 1, failed: 0, restored: 0 } });
  expect(endsSeen()).toEqual(['long 0', 'long 1', 'short 0', 'short 1']);
});

scenario(20, 'a job of which a part has finished goes on making checkpoints, and that part is not done again', async (mode) => {
  const run = await halfFinished();
  await run.restore();
  await run.checkpointAfter(() => inputs.long.open(0.6));
  inputs.long.open(1);
  await run.finished();
  expectNothingLost();
  if (mode === 'at-least-once') return;
  expectEveryCountOnce();
  expect(endsSeen()).toEqual(['long 0', 'long 1', 'short 0', 'short 1']);
});

for (const parallelism of [2, 3, 1])
  scenario(
    20,
    `a half-finished job that goes on from a savepoint with ${parallelism} subtasks does not do the finished part again`,
    async () => {
      const run = await halfFinished();
      const savepoint = await run.stop('suspend');
      const resumed = await world.start(branches(parallelism), { fromSavepoint: savepoint });
      await resumed.checkpointAfter(() => inputs.long.open(0.6));
      inputs.long.open(1);
      await resumed.finished();
      expectEveryCountOnce();
      const longEnds = Array.from({ length: parallelism }, (_, subtask) => `long ${subtask}`);
      expect(endsSeen()).toEqual([...longEnds, 'short 0', 'short 1']);
    },
  );
