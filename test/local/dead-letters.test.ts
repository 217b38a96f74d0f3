/** Dead letters in the whole engine: stored once, visible, and readable by a source again. */
import { describe, expect, test, vi } from 'vitest';
import { createLocalConnectors } from '../../lib/adapters/connectors/local-connectors.ts';
import { createApi } from '../../lib/api/api-app.ts';
import { createPortJobControl } from '../../lib/api/port-job-control.ts';
import { systemClock } from '../../lib/adapters/system/clock.ts';
import { silentLogger } from '../../lib/adapters/system/logger.ts';
import {
  accumulatorSink,
  boundedOutOfOrderness,
  collectSink,
  compileJob,
  defineJob,
  fileSink,
  fromCollection,
  tumblingEventTime,
  valueState,
  type CompiledJob,
  type StreamEnvironment,
} from '../../lib/index.ts';
import type { DeadLetter } from '../../lib/model/dead-letter.ts';
import { Fault, gatedInput, useWorld, type Run } from '../scenarios/support.ts';

const world = useWorld();

function compiled(build: (env: StreamEnvironment) => void, parallelism = 1): CompiledJob {
  return compileJob(defineJob({ name: 'aside', configuration: { 'restart-strategy.type': 'none' }, build }), { parallelism });
}

function controlOf({ running }: Run) {
  return createPortJobControl({ deps: running.engine.coordinator, savepointDirectory: null, checkpointLocation: (key) => key });
}

async function lettersOf(run: Run): Promise<readonly DeadLetter[]> {
  return (await controlOf(run).deadLetters(run.running.job))!;
}

const isBad = (n: number): boolean => n % 2 === 0;
function picky(n: number): number {
  if (isBad(n)) throw new Error(`not ${n}`);
  return n;
}

describe('a record that its operator fails at', () => {
  test('is stored with its reason, key and place, and nothing of it stays in state or output', async () => {
    const program = compiled((env) =>
      env
        .fromSource(fromCollection([1, 2, 3, 4, 5]))
        .uid('numbers')
        .keyBy(() => 'all')
        .process({
          state: { seen: valueState<number>() },
          process(n, { state, emit }) {
            state.seen.update((state.seen.value() ?? 0) + 1);
            emit({ n, seen: state.seen.value() });
            picky(n);
          },
        })
        .uid('picky')
        .onError('dead-letter')
        .sinkTo(collectSink('out'))
        .uid('out'),
    );
    const run = await world.start(program);
    const record = (await run.running.ended).status;
    expect(record).toBe('FINISHED');
    expect(world.collect.published('out')).toEqual([1, 3, 5].map((n, i) => ({ n, seen: i + 1 })));
    const letters = await lettersOf(run);
    expect(letters.map(({ record: value }) => value)).toEqual([2, 4]);
    expect(letters[0]).toMatchObject({
      operator: 'picky',
      shard: 0,
      code: 'SLUICE-USER-CODE',
      message: 'not 2',
      stack: expect.stringContaining('dead-letters.test.ts') as unknown,
      key: '"all"',
      input: 0,
      timestamp: null,
      place: { kind: 'record', channel: '0/0>0', sequence: 1, index: 1 },
    });
    const { objects } = run.running.stores;
    const list = vi.spyOn(objects, 'list');
    for (let sample = 0; sample < 5; sample++) expect(await controlOf(run).deadLetterCount(run.running.job)).toBe(2);
    // Looked for once: between two publications there are no new ones.
    expect(list).toHaveBeenCalledTimes(1);
  });

  test('is set aside before anything else is done where it has no key, or where a source cannot make a record of it', async () => {
    const program = compiled((env) => {
      env
        .fromSource(fromCollection([{ id: 1, at: 1 }, null, { id: 2 }, { id: 3, at: 3, user: { name: 'a' } }]), {
          watermarks: boundedOutOfOrderness(0, (value) => (value as { at: number }).at),
        })
        .uid('objects')
        .onError('dead-letter')
        .keyBy((value) => (value as { user: { name: string } }).user.name)
        .process({ process: (value, { emit }) => emit(value) })
        .uid('users')
        .onError('dead-letter')
        .sinkTo(collectSink('out'))
        .uid('out');
    }, 2);
    const run = await world.start(program);
    expect((await run.running.ended).status).toBe('FINISHED');
    expect(world.collect.published('out')).toEqual([{ id: 3, at: 3, user: { name: 'a' } }]);
    const letters = await lettersOf(run);
    expect(letters.map(({ operator, record, key, place }) => ({ operator, record, key, kind: place.kind }))).toEqual([
      { operator: 'objects', record: null, key: null, kind: 'source' },
      { operator: 'objects', record: { id: 2 }, key: null, kind: 'source' },
      { operator: 'users', record: { id: 1, at: 1 }, key: null, kind: 'record' },
    ]);
  });

  test('at a sink is one that the sink cannot write, or that the operator of the sink throws at', async () => {
    const folder = `${world.folder}/files`;
    const program = compiled((env) => {
      const values = env.fromSource(fromCollection<unknown>([{ n: 1 }, { n: 2n }, { n: 3 }])).uid('values');
      values.sinkTo(fileSink(folder)).uid('files').onError('dead-letter');
      values
        .sinkTo(accumulatorSink({ initial: 0, add: (sum: number, value) => sum + Number((value as { n: number }).n) }))
        .uid('sum')
        .onError('dead-letter');
    });
    const run = await world.start(program);
    expect((await run.running.ended).status).toBe('FINISHED');
    expect(await lettersOf(run)).toMatchObject([{ operator: 'files', code: 'SLUICE-SINK-RECORD-UNSUPPORTED', record: { n: 2n } }]);
  });

  test('may be a timer: a window whose firing fails is named by key and time', async () => {
    const program = compiled((env) =>
      env
        .fromSource(fromCollection([1, 2, 11, 12, 21]), { watermarks: boundedOutOfOrderness(0, (n: number) => n) })
        .uid('numbers')
        .keyBy(() => 'all')
        .window(tumblingEventTime(10))
        .aggregate({ createAccumulator: () => 0, add: (n, sum: number) => sum + n, getResult: (sum) => sum }, (sum, { window }) => {
          if (window.start === 10) throw new Error('no such window');
          return { start: window.start, sum };
        })
        .uid('windows')
        .onError('dead-letter')
        .sinkTo(collectSink('out'))
        .uid('out'),
    );
    const run = await world.start(program);
    expect((await run.running.ended).status).toBe('FINISHED');
    expect(world.collect.published('out')).toEqual([
      { start: 0, sum: 3 },
      { start: 20, sum: 21 },
    ]);
    expect(await lettersOf(run)).toMatchObject([
      { operator: 'windows', message: 'no such window', key: '"all"', place: { kind: 'timer', domain: 'event', timestamp: 19 } },
    ]);
  });

  test('is not what an operator without the policy fails at, in the same chain', async () => {
    const program = compiled((env) =>
      env
        .fromSource(fromCollection([1, 2]))
        .uid('numbers')
        .map((n) => n)
        .uid('set-aside')
        .onError('dead-letter')
        .map(picky)
        .uid('picky')
        .sinkTo(collectSink('out'))
        .uid('out'),
    );
    const run = await world.start(program);
    expect((await run.running.ended).status).toBe('FAILED');
    expect(await controlOf(run).failure(run.running.job)).toMatchObject({ operator: 'picky', facts: { record: '2', index: 1 } });
  });
});

test('thousands of dead letters in one batch cost as much work again, not its square', async () => {
  const count = 6_000;
  let calls = 0;
  const program = compiled((env) =>
    env
      .fromSource(fromCollection(Array.from({ length: count }, (_, n) => n)))
      .uid('numbers')
      .map((n) => {
        calls++;
        return picky(n);
      })
      .uid('picky')
      .onError('dead-letter')
      .sinkTo(collectSink('out'))
      .uid('out'),
  );
  const run = await world.start(program);
  expect((await run.running.ended).status).toBe('FINISHED');
  expect(world.collect.published('out')).toHaveLength(count / 2);
  expect((await lettersOf(run)).map(({ record }) => record)).toEqual(Array.from({ length: count / 2 }, (_, i) => 2 * i));
  // A good record twice at most, and a bad one once, but for what the end of an invocation forgets.
  expect(calls).toBeLessThan(count * 1.6);
}, 60_000);

test('dead letters of a stretch that a restore does again are there once', async () => {
  const input = gatedInput('restored', [Array.from({ length: 400 }, (_, n) => n)], 20);
  const fault = new Fault();
  const program = compiled((env) =>
    env
      .fromSource(input.source)
      .uid('numbers')
      .map((n) => {
        if (n === 280) fault.meet();
        return picky(n);
      })
      .uid('picky')
      .onError('dead-letter')
      .sinkTo(collectSink('out'))
      .uid('out'),
  );
  const run = await world.start(program, { dataDir: 'data' });
  await run.twoCheckpoints([input], 0.5);
  const letters: (readonly DeadLetter[])[] = [];
  const { close } = run;
  run.close = async () => {
    letters.push(await lettersOf(run));
    await close.call(run);
  };
  await run.sufferAndFinish('restore', fault, [input]);
  expect(letters[0]!.map(({ record }) => record).toSorted((a, b) => Number(a) - Number(b))).toEqual(
    Array.from({ length: 200 }, (_, i) => 2 * i),
  );
});

describe('over HTTP', () => {
  test('the last ones are shown, with how many there are', async () => {
    const program = compiled((env) =>
      env
        .fromSource(fromCollection([2, 4, 6]))
        .uid('numbers')
        .map(picky)
        .uid('picky')
        .onError('dead-letter')
        .sinkTo(collectSink('out'))
        .uid('out'),
    );
    const run = await world.start(program);
    await run.running.ended;
    const app = createApi({
      control: controlOf(run),
      clock: systemClock,
      logger: silentLogger,
      durable: async () => undefined,
      version: '0',
    });
    const { job } = run.running;
    const shown = await app.request(`/v1/jobs/${job}/dead-letters?max=2`);
    expect(await shown.json()).toMatchObject({
      total: 3,
      truncated: true,
      'dead-letters': [{ record: 4, operator: 'picky' }, { record: 6 }],
    });
    expect((await app.request(`/jobs/${job}/dead-letters?max=x`)).status).toBe(400);
    expect((await app.request(`/jobs/${'0'.repeat(32)}/dead-letters`)).status).toBe(404);
  });
});

test('an operator that sets records aside needs a uid', () => {
  const build = (env: StreamEnvironment): void => {
    env
      .fromSource(fromCollection([1]))
      .uid('numbers')
      .map(picky)
      .onError('dead-letter')
      .sinkTo(collectSink('out'))
      .uid('out');
  };
  expect(() => compiled(build)).toThrow('it sets records aside, and has no uid');
  expect(createLocalConnectors().sinks['dead-letters'], 'it is of the engine, not of the local connectors').toBeUndefined();
});
