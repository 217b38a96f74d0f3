/** What a failed try means: who is named, when the job is told, and whose errors do not count. */
import { describe, expect, test } from 'vitest';
import { collectSink, compileJob, defineJob, fromCollection, type CompiledJob } from '../../lib/index.ts';
import { SluiceError } from '../../lib/base/errors.ts';
import type { CoordinatorMessage, JobFailure } from '../../lib/model/coordinator-message.ts';
import { compileCount, left, right, type Word } from './count-job.ts';
import { again, ShardBench, type Message } from './shard-bench.ts';

const word = (text: string, more: Partial<Word> = {}): Word => ({ word: text, ...more });
const failures = (messages: readonly CoordinatorMessage[]): JobFailure[] =>
  messages.flatMap((message) => (message.kind === 'failed' ? [message.failure] : []));

async function open(compiled: CompiledJob = compileCount(), uid = 'count'): Promise<ShardBench> {
  const bench = await ShardBench.open(compiled, uid);
  await bench.handle(bench.kick());
  return bench;
}

/** Hands a batch over until the job is told, and says at which try that was. */
async function tellingTry(bench: ShardBench, ...batch: readonly Message[]): Promise<{ readonly at: number; readonly failure: JobFailure }> {
  for (let at = 1; at <= 5; at++) {
    expect(await bench.handle(...batch.map((message) => again(message, at)))).toEqual(batch.map((_, i) => i));
    const [failure] = failures(await bench.toCoordinator());
    if (failure !== undefined) return { at, failure };
  }
  throw new Error('the job was never told');
}

describe('an error in user code', () => {
  test('is told at once, with operator, key, record, position and stack, and may be tried again', async () => {
    const bench = await open();
    await bench.handle(await bench.upstream(right).send([word('fine')]));
    await bench.sentTo('counts');
    const message = await bench.upstream(left).send([word('fine'), word('bad', { fail: 'no such word' }), word('never')]);
    const { version } = await bench.record();
    const { at, failure } = await tellingTry(bench, message);
    expect(at).toBe(1);
    expect(failure).toMatchObject({
      code: 'SLUICE-USER-CODE',
      message: 'operator count failed: no such word',
      operator: 'count',
      shard: 0,
      facts: {
        key: '"bad"',
        record: '{"word":"bad","fail":"no such word"}',
        channel: left,
        sequence: 1,
        index: 1,
        stack: expect.stringContaining('count-job.ts') as string,
      },
    });
    expect(failure.hint).toMatch(/Correct the function/);
    expect((await bench.record()).version, 'nothing of the batch counts').toBe(version);
    expect(await bench.sentTo('counts')).toEqual([]);
  });

  test('that goes away is forgotten: the batch is done once, and nobody is told', async () => {
    const bench = await open();
    const channel = bench.upstream(left);
    await bench.handle(await channel.send([word('a')]));
    const message = await channel.send([word('a'), word('b')]);
    bench.restart(async (site, act) => {
      if (site === 'objects.createIfAbsent') throw new Error('a passing trouble');
      return act();
    });
    for (const tries of [1, 2]) expect(await bench.handle(again(message, tries))).toEqual([0]);
    bench.restart();
    expect(await bench.handle(again(message, 3))).toEqual([]);
    expect(failures(await bench.toCoordinator())).toEqual([]);
    expect((await bench.record()).recordsIn).toBe(3);
  });

  test('of a key selector names the record, and not the key of the record before', async () => {
    const bench = await open();
    await bench.handle(await bench.upstream(right).watermark(5, [word('before')]));
    const { failure } = await tellingTry(bench, await bench.upstream(left).send([word('fine'), word('no key')]));
    expect(failure).toMatchObject({
      operator: 'count',
      message: 'operator count failed: this word has no key',
      facts: { record: '{"word":"no key"}' },
    });
    expect(failure.facts['key']).toBeUndefined();
  });

  test('of a timer names the key', async () => {
    const bench = await open();
    await bench.handle(await bench.upstream(left).watermark(9, [word('a', { eventTimer: 3 }), word('bad timer', { eventTimer: 4 })]));
    const { failure } = await tellingTry(bench, await bench.upstream(right).watermark(9));
    expect(failure).toMatchObject({
      message: 'operator count failed: the timer failed',
      facts: { key: '"bad timer"', record: 'undefined' },
    });
  });

  test('in a chain names the operator that threw, not the one that called it', async () => {
    const job = defineJob({
      name: 'chained',
      build(env) {
        env
          .fromSource(fromCollection([1, 2, 3]))
          .uid('numbers')
          .map((n) => n * 10)
          .uid('times-ten')
          .map((n) => {
            if (n === 20) throw new TypeError('not twenty');
            return n;
          })
          .uid('picky')
          .sinkTo(collectSink('out'))
          .uid('out');
      },
    });
    const bench = await open(compileJob(job, { parallelism: 1 }), 'numbers');
    const { failure } = await tellingTry(bench, bench.control('continue', 1));
    expect(failure).toMatchObject({ operator: 'picky', message: 'operator picky failed: not twenty', facts: { record: '2' } });
  });

  test('with a value that cannot travel names it', async () => {
    const job = defineJob({
      name: 'untravelable',
      build(env) {
        env
          .fromSource(fromCollection([1]))
          .uid('numbers')
          .map((n) => ({ n, act: () => n }))
          .rebalance()
          .sinkTo(collectSink('out'))
          .uid('out');
      },
    });
    const bench = await open(compileJob(job, { parallelism: 1 }), 'numbers');
    const { failure } = await tellingTry(bench, bench.control('continue', 1));
    expect(failure).toMatchObject({ code: 'SLUICE-VALUE-UNSUPPORTED', operator: 'numbers', facts: { what: 'a function', path: '.act' } });
  });
});

describe('the error of a zombie does not count', () => {
  /** The environment fails with `message` while `meanwhile` happens. */
  async function failWhile(bench: ShardBench, message: Message, meanwhile: () => Promise<unknown>): Promise<void> {
    let done = false;
    const zombie = bench.newEnvironment(async (site, act) => {
      const result = await act();
      if (site === 'shards.read' && !done) {
        done = true;
        await meanwhile();
      }
      return result;
    });
    expect(await zombie.handle([again(message, 99)])).toEqual([message.messageId]);
  }

  const bad = async (bench: ShardBench): Promise<Message> => bench.upstream(left).send([word('bad', { fail: 'impossible' })]);

  test('where another has committed meanwhile', async () => {
    const bench = await open();
    await failWhile(bench, await bad(bench), async () => bench.handle(await bench.upstream(right).send([word('a')])));
    expect(failures(await bench.toCoordinator())).toEqual([]);
  });

  test('where the job has gone on to a new attempt', async () => {
    const bench = await open();
    await failWhile(bench, await bad(bench), () => bench.changeJob({ attempt: 2 }));
    expect(failures(await bench.toCoordinator())).toEqual([]);
  });

  test('where it has read of the new attempt itself, in the midst of the batch', async () => {
    const settings = { recordsPerLook: 1, lookEveryMs: 0, jobRecordCacheMs: 0 };
    const bench = await ShardBench.open(compileCount(), 'count', { settings });
    await bench.handle(bench.kick());
    const batch = await bench.upstream(left).send([word('a'), word('bad', { fail: 'impossible' })]);
    let reads = 0;
    const zombie = bench.newEnvironment(async (site, act) => {
      if (site === 'jobs.read' && ++reads === 2) await bench.changeJob({ attempt: 2 });
      return act();
    });
    expect(await zombie.handle([again(batch, 99)])).toEqual([batch.messageId]);
    expect(reads).toBeGreaterThan(2);
    expect(failures(await bench.toCoordinator())).toEqual([]);
  });

  test('and a real one counts', async () => {
    const bench = await open();
    await failWhile(bench, await bad(bench), async () => undefined);
    expect(failures(await bench.toCoordinator())).toMatchObject([{ code: 'SLUICE-USER-CODE' }]);
  });

  test('also where it is real, but part of its batch was committed by the same try', async () => {
    const bench = await open();
    const channel = bench.upstream(left);
    const batch = [await channel.barrier(1), await bench.upstream(right).barrier(1), await channel.send([word('bad', { fail: 'late' })])];
    expect(await bench.handle(...batch.map((message) => again(message, 3)))).toEqual([0, 1, 2]);
    expect(failures(await bench.toCoordinator())).toMatchObject([{ message: 'operator count failed: late' }]);
  });
});

describe('an error of a service', () => {
  async function failingService(error: Error): Promise<ShardBench> {
    const bench = await open();
    bench.restart(async (site, act) => {
      if (site === 'objects.createIfAbsent') throw error;
      return act();
    });
    return bench;
  }

  test('is not called an error of user code', async () => {
    const bench = await failingService(new Error('the disk is full'));
    const { at, failure } = await tellingTry(bench, await bench.upstream(left).send([word('a')]));
    expect(at).toBe(3);
    expect(failure).toMatchObject({ code: 'SLUICE-BATCH-FAILED', message: 'operator count failed: the disk is full' });
    expect(failure.hint).not.toMatch(/function/);
  });

  test('that says that it may go through later never fails the job', async () => {
    const bench = await failingService(new SluiceError('SLUICE-X', 'throttled', { hint: 'Wait.', retryable: true }));
    const message = await bench.upstream(left).send([word('a')]);
    expect(await bench.handle(again(message, 50))).toEqual([0]);
    expect(failures(await bench.toCoordinator())).toEqual([]);
  });

  test('is told whatever facts it carries', async () => {
    const facts = { at: new (class Place {})(), act: () => 1, big: 1n, list: [1, { a: new Map() }], none: undefined };
    const bench = await failingService(new SluiceError('SLUICE-X', 'odd', { hint: 'Look.', facts }));
    const { failure } = await tellingTry(bench, await bench.upstream(left).send([word('a')]));
    expect(failure).toMatchObject({ code: 'SLUICE-X', hint: 'Look.', facts: { at: '{}', big: 1n, list: '[1,{"a":{}}]' } });
  });

  test('while the failure is judged keeps the batch in the queue, and nothing worse', async () => {
    const bench = await open();
    const message = await bench.upstream(left).send([word('bad', { fail: 'x' })]);
    bench.restart(async (site, act) => {
      if (site === 'queue.sendBatch') throw new Error('no queue');
      return act();
    });
    expect(await bench.handle(again(message, 3))).toEqual([0]);
    expect(bench.logged.join()).toContain('could not be judged');
    bench.restart();
    expect(await bench.handle(again(message, 4))).toEqual([0]);
    expect(failures(await bench.toCoordinator())).toHaveLength(1);
  });
});

describe('a gap', () => {
  test('fails the job only when it has been seen again, by an invocation that is no zombie', async () => {
    const bench = await open();
    const channel = bench.upstream(left);
    channel.skip();
    const { at, failure } = await tellingTry(bench, await channel.send([word('a')]));
    expect(at).toBe(3);
    expect(failure).toMatchObject({ code: 'SLUICE-CHANNEL-GAP', facts: { channel: left, last: 0, sequence: 2 } });
  });
});

test('a shard that is in one invocation is left alone by another of the same process', async () => {
  const bench = await open();
  const message = await bench.upstream(left).send([word('one')]);
  let rest: Promise<number[]> | undefined;
  bench.restart(async (site, act) => {
    // In the middle of the batch its messages have become visible again.
    if (site === 'objects.createIfAbsent') rest ??= bench.handle(again(message));
    return act();
  });
  expect(await bench.handle(message)).toEqual([]);
  expect(await rest).toEqual([0]);
  expect(await bench.handle(again(message, 3))).toEqual([]);
  expect(await bench.record()).toMatchObject({ recordsIn: 1 });
});

describe('a batch that comes again and again though nobody has failed at it', () => {
  const told = (bench: ShardBench): readonly string[] => bench.logged.filter((line) => line.includes('again and again'));

  test('is told of before it is processed, by a function that knows nothing of it', async () => {
    const bench = await open();
    const message = await bench.upstream(left).send([word('heavy')]);
    bench.restart();
    let toldBefore = 0;
    bench.restart(async (site, act) => {
      if (site === 'shards.commit') toldBefore = told(bench).length;
      return act();
    });
    await bench.handle(again(message, 5));
    expect(told(bench)).toEqual([expect.stringContaining('"operator":"count","shard":0,"tries":5')]);
    expect(toldBefore).toBe(1);
  });

  test('is not after a few crashes, nor while its failures are told anyway', async () => {
    const bench = await open();
    const upstream = bench.upstream(left);
    bench.restart();
    await bench.handle(again(await upstream.send([word('light')]), 4));
    const failing = await upstream.send([word('bad', { fail: 'no such word' })]);
    for (const tries of [1, 5, 6, 7]) await bench.handle(again(failing, tries));
    expect(told(bench)).toEqual([]);
  });
});
