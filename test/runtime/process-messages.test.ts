/** The commit and the resend rule, one invocation at a time. */
import { describe, expect, test } from 'vitest';
import type { Envelope } from '../../lib/model/envelope.ts';
import { claimCheck, readMessage } from '../../lib/model/envelope-codec.ts';
import { compileCount, left, right, type Word } from './count-job.ts';
import { setLimits } from './small-limits.ts';
import { again, ShardBench, type BenchOptions, type Hook, type Message, type Upstream } from './shard-bench.ts';

const open = async (options: BenchOptions = {}): Promise<ShardBench> => {
  const bench = await ShardBench.open(compileCount(), 'count', options);
  expect(await bench.handle(bench.kick())).toEqual([]);
  return bench;
};

const word = (text: string, more: Partial<Word> = {}): Word => ({ word: text, ...more });
const counts = (envelopes: readonly Envelope[]): unknown[] =>
  envelopes.flatMap(({ values }) => values.map((value) => Object.values(value as object).join(' ')));

/** Throws before or after the named call, the `at`-th time that it is made. */
function failing(site: string, when: 'before' | 'after', at = 1): Hook {
  let seen = 0;
  return async (called, act) => {
    if (called !== site || ++seen !== at) return act();
    if (when === 'before') throw new Error(`${site} refused`);
    await act();
    throw new Error(`the answer of ${site} is lost`);
  };
}

describe('a batch', () => {
  test('is committed in one write, and its outputs are sent after it', async () => {
    const bench = await open();
    const [a, b] = [bench.upstream(left), bench.upstream(right)];
    const batch = [await a.send([word('x'), word('y')]), await b.send([word('x')]), await a.send([word('x')])];
    expect(await bench.handle(...batch)).toEqual([]);
    expect(bench.calls).toEqual([
      'jobs.read',
      'shards.read',
      'objects.createIfAbsent',
      'shards.commit',
      'queue.sendBatch',
      'queue.sendBatch',
    ]);
    expect(counts(await bench.sentTo('counts'))).toEqual(['x 1', 'y 1', 'x 2', 'x 3']);
    const record = await bench.record();
    expect([record.inputs[left]!.sequence, record.inputs[right]!.sequence, record.recordsIn, record.recordsOut]).toEqual([2, 1, 4, 4]);
  });

  test.each([false, true])(
    'that makes the shard idle tells the next ones, though its function dies just behind the last commit; a barrier: %s',
    async (barrier) => {
      const bench = await open();
      const [a, b] = [bench.upstream(left), bench.upstream(right)];
      const batch = [await a.send([], { kind: 'idle' }), await b.send([], { kind: 'idle' })];
      if (barrier) batch.push(await a.barrier(1), await b.barrier(1));
      bench.restart(failing('shards.commit', 'before', 2));
      await bench.handle(...batch);
      bench.restart();
      expect(await bench.handle(...batch.map((message) => again(message)))).toEqual([]);
      const events = (await bench.sentTo('counts')).flatMap(({ header }) => header.events.map(({ event }) => event.kind));
      expect(events).toEqual(barrier ? ['idle', 'barrier'] : ['idle']);
      expect(Object.values((await bench.record()).outputs).map(({ idle }) => idle)).toEqual([true]);
    },
  );

  test.each([false, true])(
    'in which an idle shard emits by a timer says behind it that the shard is idle still; cold: %s',
    async (cold) => {
      const bench = await open();
      const [a, b] = [bench.upstream(left), bench.upstream(right)];
      const due = bench.time.clock.now() + 100;
      await bench.handle(await a.send([word('x', { processingTimer: due })], { kind: 'idle' }), await b.send([], { kind: 'idle' }));
      await bench.sentTo('counts');
      if (cold) bench.restart();
      await bench.time.advance(100);
      await bench.handle(await bench.nextToItself());
      const sent = await bench.sentTo('counts');
      expect(counts(sent)).toEqual([`x ${due} processing 1`]);
      expect(sent.flatMap(({ header }) => header.events.map(({ event }) => event.kind))).toEqual(['idle']);
    },
  );

  test('of messages that came before is dropped without a commit', async () => {
    const bench = await open();
    const message = await bench.upstream(left).send([word('x')]);
    await bench.handle(message);
    const { version } = await bench.record();
    expect(await bench.handle(again(message))).toEqual([]);
    expect((await bench.record()).version).toBe(version);
    expect(counts(await bench.sentTo('counts'))).toEqual(['x 1']);
  });

  test('with something missing is left in the queue, and nothing of it counts', async () => {
    const bench = await open();
    const channel = bench.upstream(left);
    const first = await channel.send([word('x')]);
    channel.skip();
    const third = await channel.send([word('x')]);
    const { version } = await bench.record();
    expect(await bench.handle(first, third)).toEqual([0, 1]);
    expect((await bench.record()).version).toBe(version);
    expect(bench.logged.join()).toContain('SLUICE-CHANNEL-GAP');
    expect(await bench.handle(again(first))).toEqual([]);
    expect(counts(await bench.sentTo('counts'))).toEqual(['x 1']);
  });

  test('fails alone: another group of the same call is done', async () => {
    const bench = await open();
    const foreign = { ...bench.message(Buffer.from('something else')), group: '7.1' };
    const message = await bench.upstream(left).send([word('x')]);
    expect(await bench.handle(foreign, message)).toEqual([0]);
    expect(counts(await bench.sentTo('counts'))).toEqual(['x 1']);
  });

  test('of bytes that are not ours is left in the queue, with what came with it', async () => {
    const bench = await open();
    const message = await bench.upstream(left).send([word('x')]);
    expect(await bench.handle(bench.message(Buffer.from('not ours')), message)).toEqual([0, 1]);
    expect(await bench.sentTo('counts')).toEqual([]);
  });
});

describe('messages of another time', () => {
  test('of an older attempt are dropped: they initialise nothing and commit nothing', async () => {
    const bench = await ShardBench.open(compileCount(), 'count', { job: { attempt: 2 } });
    const old = await bench.upstream(left).send([word('x')]);
    expect(await bench.handle(old, bench.kick())).toEqual([]);
    await expect(bench.record()).rejects.toThrow('no record');
    await bench.handle(bench.kick(2));
    const { version } = await bench.record();
    expect(await bench.handle(again(old))).toEqual([]);
    expect(await bench.record()).toMatchObject({ version, attempt: 2, recordsIn: 0 });
  });

  test('of an attempt that is not there yet wait', async () => {
    const bench = await open();
    expect(await bench.handle(bench.kick(2))).toEqual([0]);
  });

  test.each(['FAILED', 'CANCELED', 'SUSPENDED'] as const)('wait while the job is %s', async (status) => {
    const bench = await open();
    const message = await bench.upstream(left).send([word('x')]);
    await bench.changeJob({ status });
    expect(await bench.handle(message)).toEqual([0]);
    await bench.changeJob({ status: 'RUNNING' });
    expect(await bench.handle(again(message))).toEqual([]);
  });

  test('for another plan wait for the function that has it', async () => {
    const bench = await open();
    const message = await bench.upstream(left).send([word('x')]);
    await bench.changeJob({ planHash: 'another' });
    expect(await bench.handle(message)).toEqual([0]);
    expect(await bench.sentTo('counts')).toEqual([]);
  });

  test('come to a zombie whose attempt has been replaced: it fails, and commits nothing', async () => {
    const bench = await open({ settings: { jobRecordCacheMs: 60_000 } });
    const stale = bench.environment;
    const message = await bench.upstream(left).send([word('x')]);
    await stale.handle([message]);
    await bench.changeJob({ attempt: 2 });
    bench.restart();
    await bench.handle(bench.kick(2));
    const { version } = await bench.record();
    const late = await bench.upstream(right).send([word('y')]);
    expect(await stale.handle([late])).toEqual([late.messageId]);
    expect(await bench.record()).toMatchObject({ version, attempt: 2 });
  });
});

describe('a commit', () => {
  test('whose answer is lost is recognised by its try, and its outputs are sent', async () => {
    const bench = await open();
    const message = await bench.upstream(left).send([word('x')]);
    // As after a retry inside the store's client: the first put went through, the second finds its condition broken.
    bench.restart(async (site, act) => (site === 'shards.commit' ? act().then(act) : act()));
    expect(await bench.handle(message)).toEqual([]);
    expect(counts(await bench.sentTo('counts'))).toEqual(['x 1']);
    expect((await bench.record()).recordsIn).toBe(1);
  });

  test('that lost the race throws the work away; what was in memory goes with it', async () => {
    const bench = await open();
    const zombie = bench.newEnvironment();
    await zombie.handle([]);
    const channel = bench.upstream(left);
    const first = await channel.send([word('x')]);
    let meanwhile: (() => Promise<unknown>) | undefined = () => bench.handle(again(first));
    const slow = bench.newEnvironment(async (site, act) => {
      const race = meanwhile;
      if (site === 'shards.commit') {
        meanwhile = undefined;
        await race?.();
      }
      return act();
    });
    expect(await slow.handle([first])).toEqual([first.messageId]);
    expect(counts(await bench.sentTo('counts'))).toEqual(['x 1']);
    expect(await slow.handle([again(first, 3)])).toEqual([]);
    const second = await channel.send([word('x')]);
    expect(await slow.handle([second])).toEqual([]);
    expect(counts(await bench.sentTo('counts'))).toEqual(['x 2']);
  });

  test.each([
    ['objects.createIfAbsent', 'before'],
    ['objects.createIfAbsent', 'after'],
    ['shards.commit', 'before'],
    ['shards.commit', 'after'],
    ['queue.sendBatch', 'before'],
    ['queue.sendBatch', 'after'],
  ] as const)('with an error at %s, %s it, is made up for by the next try: every output once more or once at all', async (site, when) => {
    const bench = await open();
    const message = await bench.upstream(left).send([word('x'), word('y')]);
    bench.restart(failing(site, when));
    expect(await bench.handle(message)).toEqual([0]);
    expect(await bench.handle(again(message))).toEqual([]);
    expect(counts(await bench.sentTo('counts'))).toEqual(['x 1', 'y 1']);
    expect((await bench.record()).recordsIn).toBe(2);
  });
});

describe('the last outputs are sent again before the first commit', () => {
  /** The shard has committed `x`, and died before it sent anything. */
  async function unsent(): Promise<{ bench: ShardBench; first: Message; channel: Upstream }> {
    const bench = await open();
    const channel = bench.upstream(left);
    const first = await channel.send([word('x')]);
    bench.restart(failing('queue.sendBatch', 'before'));
    await bench.handle(first);
    bench.restart();
    return { bench, first, channel };
  }

  test('where a message came before', async () => {
    const { bench, first, channel } = await unsent();
    const second = await channel.send([word('x')]);
    expect(await bench.handle(again(first), second)).toEqual([]);
    expect(counts(await bench.sentTo('counts'))).toEqual(['x 1', 'x 2']);
  });

  test('where only the receive count says so', async () => {
    const { bench, channel } = await unsent();
    expect(await bench.handle(again(await channel.send([word('x')])))).toEqual([]);
    expect(counts(await bench.sentTo('counts'))).toEqual(['x 1', 'x 2']);
  });

  test('where the batch holds a duplicate, even as an earlier receive', async () => {
    const { bench, first, channel } = await unsent();
    expect(await bench.handle(await channel.send([word('x')]), again(first, 1))).toEqual([]);
    expect(counts(await bench.sentTo('counts'))).toEqual(['x 1', 'x 2']);
  });

  test('where nothing says so they are not: who committed still holds the message', async () => {
    const { bench, channel } = await unsent();
    expect(await bench.handle(await channel.send([word('x')]))).toEqual([]);
    expect(counts(await bench.sentTo('counts'))).toEqual(['x 2']);
  });

  test('where the record shows unfinished work', async () => {
    setLimits({ timersPerCommitMax: 3 });
    const bench = await open();
    const channel = bench.upstream(left);
    const words = Array.from({ length: 20 }, (_, i) => word(`t${i}`, { eventTimer: 5 }));
    await bench.handle(await channel.send(words), await bench.upstream(right).watermark(5));
    await bench.sentTo('counts');
    // The first of several commits goes through; then the environment dies.
    bench.restart(failing('queue.sendBatch', 'before'));
    expect(await bench.handle(await channel.watermark(5))).toEqual([0]);
    const { version, nextTimer } = await bench.record();
    expect(nextTimer.event).toBe(5);
    // A zombie with a message that looks fresh: it must send what it did not commit before it fires the rest.
    expect(await bench.newEnvironment().handle([bench.control('wake', 1)])).toEqual([]);
    expect((await bench.record()).version).toBeGreaterThan(version);
    const sent = await bench.sentTo('counts');
    expect(sent.map(({ header }) => header.sequence)).toEqual(sent.map((_, i) => sent[0]!.header.sequence + i));
    expect(new Set(counts(sent)).size).toBe(20);
  });

  test('where the batch holds the witness of the last commit', async () => {
    const bench = await open();
    await bench.sentTo('counts');
    const channel = bench.upstream(left);
    const message = await channel.send([word('x')]);
    await bench.handle(message);
    expect((await bench.record()).witness).toBe('d:0/0>0:1');
    await bench.sentTo('counts');
    bench.restart();
    bench.calls = [];
    const duplicates = await bench.handle(again(message, 1));
    expect([duplicates, bench.calls]).toEqual([
      [],
      ['jobs.read', 'shards.read', 'objects.read', 'objects.read', 'queue.sendBatch', 'queue.sendBatch'],
    ]);
  });

  test('and a commit of no fresh message keeps the witness', async () => {
    setLimits({ timersPerCommitMax: 3 });
    const bench = await open();
    const channel = bench.upstream(left);
    const words = Array.from({ length: 20 }, (_, i) => word(`t${i}`, { eventTimer: 5 }));
    await bench.handle(await channel.send(words), await bench.upstream(right).watermark(5));
    const firing = await channel.watermark(5);
    bench.restart(failing('queue.sendBatch', 'after'));
    expect(await bench.handle(firing)).toEqual([0]);
    expect(await bench.handle(again(firing))).toEqual([]);
    expect(await bench.record()).toMatchObject({ witness: 'd:0/0>0:2', nextTimer: { event: null } });
  });
});

describe('what is committed after what is unsent', () => {
  test('never overtakes it: an invocation with several commits sends after each', async () => {
    setLimits({ timersPerCommitMax: 5 });
    const bench = await open();
    const channel = bench.upstream(left);
    const timers = Array.from({ length: 40 }, (_, i) => word(`t${i}`, { eventTimer: i % 3 }));
    const order: string[] = [];
    bench.restart(async (site, act) => {
      if (site === 'shards.commit' || site === 'queue.sendBatch') order.push(site);
      return act();
    });
    await bench.handle(await bench.upstream(right).watermark(5));
    order.length = 0;
    expect(await bench.handle(await channel.watermark(5, timers))).toEqual([]);
    const commits = order.flatMap((site, i) => (site === 'shards.commit' ? [i] : []));
    expect(commits.length).toBeGreaterThanOrEqual(3);
    for (const [i, at] of commits.entries()) expect(order[at + 1], `commit ${i}`).toBe('queue.sendBatch');
    const fired = counts(await bench.sentTo('counts')).filter((line) => String(line).includes('event'));
    expect(fired).toHaveLength(40);
    const times = fired.map((line) => Number(String(line).split(' ')[1]));
    expect(times).toEqual([...times].sort((a, b) => a - b));
  });
});

describe('an oversize envelope', () => {
  test('travels by its segment, and a duplicate of it needs the segment no longer', async () => {
    const bench = await open();
    const channel = bench.upstream(left);
    const whole = await channel.send([word('x'.repeat(1_000))]);
    const claim = { ...whole, body: claimCheck(whole.body) };
    expect(await bench.handle(claim)).toEqual([]);
    expect(counts(await bench.sentTo('counts'))).toEqual([`${'x'.repeat(1_000)} 1`]);
    // Every receiver is past it in the floor: its segment has been collected. Then a late copy of the message comes.
    const segment = readMessage(whole.body);
    if (segment.kind === 'data') await bench.stores.objects.remove([segment.header.segment]);
    expect(await bench.handle(again(claim), await channel.send([word('y')]))).toEqual([]);
    expect(counts(await bench.sentTo('counts'))).toEqual(['y 1']);
  });

  test('whose segment is missing is left in the queue', async () => {
    const bench = await open();
    const whole = await bench.upstream(left).send([word('x')]);
    const segment = readMessage(whole.body);
    if (segment.kind === 'data') await bench.stores.objects.remove([segment.header.segment]);
    expect(await bench.handle({ ...whole, body: claimCheck(whole.body) })).toEqual([0]);
    expect(bench.logged.join()).toContain('SLUICE-OBJECT-MISSING');
  });
});
