/** A shard whose output lingers: who sends it, when, and what is left of it when processes die. */
import { describe, expect, test } from 'vitest';
import type { CompiledJob } from '../../lib/index.ts';
import { channelId } from '../../lib/base/ids.ts';
import type { Envelope } from '../../lib/model/envelope.ts';
import { compileCount, left, right, type Word } from './count-job.ts';
import { restore, snapshots } from './restore-shard.ts';
import { events, openSource, Script, times, turn } from './scripted-source.ts';
import { setLimits } from './small-limits.ts';
import { again, ShardBench, type Hook, type Message, type Upstream } from './shard-bench.ts';

const timeoutMs = 100;

function lingering(compiled: CompiledJob, bufferTimeoutMs = timeoutMs): CompiledJob {
  return { ...compiled, plan: { ...compiled.plan, edges: compiled.plan.edges.map((edge) => ({ ...edge, bufferTimeoutMs })) } };
}

interface Opened {
  readonly bench: ShardBench;
  readonly a: Upstream;
  readonly b: Upstream;
}

async function open(): Promise<Opened> {
  const bench = await ShardBench.open(lingering(compileCount()), 'count');
  await bench.handle(bench.kick());
  return { bench, a: bench.upstream(left), b: bench.upstream(right) };
}

const word = (text: string): Word => ({ word: text });
const counts = (envelopes: readonly Envelope[]): unknown[] =>
  envelopes.flatMap(({ values }) => values.map((value) => Object.values(value as object).join(' ')));

/** The wake-ups that have come by now. */
async function wakeUps(bench: ShardBench): Promise<Message[]> {
  return (await bench.sentToSelf()).map(({ kind, number }) => bench.control(kind, number));
}

describe('results', () => {
  test.each([false, true])('wait until the timeout, and a wake-up brings them, though nobody else comes; cold: %s', async (cold) => {
    const { bench, a } = await open();
    const dueAtMs = bench.time.clock.now() + timeoutMs;
    await bench.handle(await a.send([word('x'), word('y')]));
    await bench.time.advance(40);
    await bench.handle(await a.send([word('x')]));
    expect(await bench.sentTo('counts')).toEqual([]);
    expect((await bench.record()).lingering).toEqual([{ edge: 2, dueAtMs, records: 3 }]);
    if (cold) bench.restart();
    await bench.time.advance(60);
    const [wake, ...more] = await wakeUps(bench);
    expect(more, 'one for the first record is enough').toEqual([]);
    expect(await bench.handle(wake!)).toEqual([]);
    const sent = await bench.sentTo('counts');
    expect(sent.map(({ values }) => values.length)).toEqual([3]);
    expect(counts(sent)).toEqual(['x 1', 'y 1', 'x 2']);
    expect((await bench.record()).lingering).toBeUndefined();
    await bench.time.advance(10_000);
    expect(await wakeUps(bench)).toEqual([]);
  });

  test('go with whatever message comes first behind the timeout; the wake-up finds nothing then, and asks for no other', async () => {
    const { bench, a } = await open();
    await bench.handle(await a.send([word('x')]));
    await bench.time.advance(timeoutMs);
    await bench.handle(await a.send([word('x')]));
    expect(counts(await bench.sentTo('counts'))).toEqual(['x 1', 'x 2']);
    const [wake] = await wakeUps(bench);
    await bench.handle(wake!);
    expect(await bench.sentTo('counts')).toEqual([]);
    await bench.time.advance(10_000);
    expect(await wakeUps(bench)).toEqual([]);
  });

  test('are judged by the processing time in the record: a duplicate, however late, sends none', async () => {
    const { bench, a } = await open();
    const message = await a.send([word('x')]);
    await bench.handle(message);
    const { version } = await bench.record();
    await bench.time.advance(10 * timeoutMs);
    bench.restart();
    await bench.handle(again(message));
    expect(await bench.sentTo('counts')).toEqual([]);
    expect((await bench.record()).version).toBe(version);
  });

  test.each([false, true])('are sent later where the wake-up came too early, and somebody is asked again; cold: %s', async (cold) => {
    const { bench, a } = await open();
    await bench.handle(await a.send([word('x')]));
    if (cold) bench.restart();
    // Another machine's clock is ahead.
    await bench.handle(bench.control('flush', 1));
    expect(await bench.sentTo('counts')).toEqual([]);
    await bench.time.advance(timeoutMs);
    for (const wake of await wakeUps(bench)) await bench.handle(wake);
    expect(counts(await bench.sentTo('counts'))).toEqual(['x 1']);
  });

  test('are not sent by who only finishes what another has begun, however late: that may be a zombie', async () => {
    setLimits({ timersPerCommitMax: 2 });
    const { bench, a, b } = await open();
    await bench.handle(
      await a.watermark(
        9,
        Array.from({ length: 9 }, (_, i) => ({ word: `w${i}`, eventTimer: i })),
      ),
    );
    let commits = 0;
    bench.restart(async (site, act) => {
      if (site === 'shards.commit' && ++commits === 2) throw new Error('died');
      return act();
    });
    const last = await b.watermark(9);
    expect(await bench.handle(last)).toEqual([0]);
    bench.restart();
    await bench.time.advance(10 * timeoutMs);
    expect(await bench.handle(again(last))).toEqual([]);
    expect(await bench.sentTo('counts')).toEqual([]);
    for (const wake of await wakeUps(bench)) await bench.handle(wake);
    expect(counts(await bench.sentTo('counts'))).toHaveLength(18);
  });

  test('of the last message of a batch are committed with the wake-up, however many they are', async () => {
    const { bench, a } = await open();
    const message = await a.send(Array.from({ length: 65_536 }, () => word('x')));
    let commits = 0;
    bench.restart(async (site, act) => {
      if (site === 'shards.commit' && ++commits === 2) throw new Error('died');
      return act();
    });
    await bench.handle(message);
    bench.restart();
    await bench.handle(again(message));
    const sent = await bench.sentTo('counts');
    expect((await bench.record()).lingering).toBeDefined();
    await bench.time.advance(timeoutMs);
    for (const wake of await wakeUps(bench)) await bench.handle(wake);
    sent.push(...(await bench.sentTo('counts')));
    expect(new Set(counts(sent)).size).toBe(65_536);
  });

  test('that linger say nothing new to the coordinator when they are sent', async () => {
    const { bench, a } = await open();
    await bench.handle(await a.send([word('x')]));
    expect((await bench.toCoordinator()).map(({ kind }) => kind)).toEqual(['dirty']);
    await bench.time.advance(timeoutMs);
    for (const wake of await wakeUps(bench)) await bench.handle(wake);
    expect(await bench.toCoordinator()).toEqual([]);
  });
});

describe('nothing lingers', () => {
  test('behind a barrier: the snapshot has sent it, and its record has none', async () => {
    const { bench, a, b } = await open();
    await bench.handle(await a.send([word('x')]));
    await bench.handle(await a.watermark(5), await b.watermark(5));
    await bench.handle(await a.barrier(1), await b.barrier(1));
    const sent = await bench.sentTo('counts');
    expect(counts(sent)).toEqual(['x 1']);
    expect(events(sent)).toEqual([5, '|1']);
    expect((await bench.record()).lingering).toBeUndefined();
    const [snapshot] = snapshots(await bench.toCoordinator());
    expect(snapshot).toMatchObject({ outputs: { [channelId(2, 0, 0)]: 1 }, recordsOut: 1 });
    await bench.time.advance(timeoutMs);
    for (const wake of await wakeUps(bench)) await bench.handle(wake);
    expect(await bench.sentTo('counts')).toEqual([]);
  });

  test('behind the end of input', async () => {
    const { bench, a, b } = await open();
    await bench.handle(await a.send([word('x')]), await a.end(), await b.end());
    const sent = await bench.sentTo('counts');
    expect([counts(sent), events(sent).at(-1)]).toEqual([['x 1'], 'end-of-input']);
    expect((await bench.record()).lingering).toBeUndefined();
  });

  test('of an older attempt: a restore drops it, and what follows counts from the checkpoint', async () => {
    const { bench, a, b } = await open();
    await bench.handle(await a.send([word('x')]), await a.barrier(1), await b.barrier(1));
    const taken = snapshots(await bench.toCoordinator());
    await bench.handle(await a.send([word('x'), word('y')]));
    await bench.sentTo('counts');
    await restore(bench, taken);
    await bench.handle(bench.kick(2));
    expect((await bench.record()).lingering).toBeUndefined();
    const wakes = await wakeUps(bench);
    await bench.time.advance(timeoutMs);
    await bench.handle(...wakes, await bench.upstream(left, 2).send([word('x')]));
    await bench.time.advance(timeoutMs);
    const [wake] = (await bench.sentToSelf()).filter(({ attempt }) => attempt === 2);
    await bench.handle(bench.control('flush', wake!.number, { attempt: 2 }));
    expect(counts(await bench.sentTo('counts'))).toEqual(['x 2']);
  });
});

test('whichever call a function dies at, before or after it is done, each result is sent once, in order, and none is left', async () => {
  const batches = async ({ a, b }: Opened): Promise<Message[][]> => [
    [await a.send([word('x')])],
    [await b.send([word('x'), word('y')]), await a.watermark(3)],
    [await a.barrier(1, [word('z')]), await b.watermark(4), await b.barrier(1)],
    [await a.send([word('x')]), await b.send([word('x')])],
    [await a.watermark(4)],
  ];
  let calls = 1;
  let deaths = 0;
  for (let at = 0; at < calls * 2; at++) {
    const opened = await open();
    const { bench } = opened;
    calls = 0;
    const hook: Hook = async (_site, act) => {
      const mine = calls++;
      if (at === 2 * mine) throw new Error(`died before call ${mine}`);
      const result = await act();
      if (at === 2 * mine + 1) throw new Error(`died after call ${mine}`);
      return result;
    };
    bench.restart(hook);
    const sent = new Map<number, Envelope>();
    const deliver = async (batch: readonly Message[]): Promise<void> => {
      for (let tries = 1; (await bench.handle(...batch.map((message) => again(message, tries)))).length > 0; tries++) {
        deaths++;
        bench.restart(hook);
      }
      for (const envelope of await bench.sentTo('counts')) sent.set(envelope.header.sequence, envelope);
    };
    for (const batch of await batches(opened)) {
      await deliver(batch);
      await bench.time.advance(30);
      // Half of the time another process goes on.
      if (batch.length > 1) bench.restart(hook);
    }
    for (let wait = 0; wait < 4; wait++) {
      await bench.time.advance(timeoutMs);
      for (const wake of await wakeUps(bench)) await deliver([wake]);
    }
    const envelopes = [...sent].sort(([m], [n]) => m - n).map(([, envelope]) => envelope);
    expect(envelopes.map(({ header }) => header.sequence)).toEqual(envelopes.map((_, i) => i + 1));
    expect(counts(envelopes), `death ${at}`).toEqual(['x 1', 'x 2', 'y 1', 'z 1', 'x 3', 'x 4']);
    expect(events(envelopes)).toEqual([3, '|1', 4]);
    expect((await bench.record()).lingering).toBeUndefined();
  }
  expect(deaths).toBeGreaterThan(60);
});

describe('a source', () => {
  const openLingering = (script: Script): Promise<ShardBench> => openSource(script, { change: (compiled) => lingering(compiled, 8) });

  test('sends what lingers from its own loop, which sleeps no longer than that, and needs no other message', async () => {
    const script = new Script({ a: [[100, 101], [], [102]] });
    const bench = await openLingering(script);
    await turn(bench);
    await turn(bench);
    expect(await bench.sentTo('middle')).toEqual([]);
    // Nothing has come: it would sleep for 20 ms.
    script.batches['a'] = [[100, 101], []];
    await turn(bench);
    await turn(bench, 8);
    const sent = await bench.sentTo('middle');
    expect([times(sent), events(sent)]).toEqual([[100, 101], [90]]);
    expect((await bench.record()).lingering).toBeUndefined();
  });
});
