/** A source shard: positions, watermarks per split, idleness, back-pressure, and the loop of messages to itself. */
import { describe, expect, test } from 'vitest';
import { operatorUid } from '../../lib/base/ids.ts';
import type { CoordinatorMessage } from '../../lib/model/coordinator-message.ts';
import { operatorQueue } from '../../lib/model/queue-names.ts';
import type { ShardSnapshot } from '../../lib/model/shard-record.ts';
import { MAX_WATERMARK, MIN_WATERMARK } from '../../lib/model/time.ts';
import { jobA } from '../contract/sample-records.ts';
import { events, openSource as open, Script, times, turn } from './scripted-source.ts';
import { again } from './shard-bench.ts';

const snapshots = (messages: readonly CoordinatorMessage[]): ShardSnapshot[] =>
  messages.flatMap((message) => (message.kind === 'acknowledgement' ? [message.snapshot] : []));
const kinds = (messages: readonly CoordinatorMessage[]): string[] =>
  messages.map((message) => (message.kind === 'dirty' ? `dirty ${message.epoch}` : message.kind));

test('a record whose event time is further ahead of the clock than the source takes fails it, and moves no watermark', async () => {
  const nowMs = (await open(new Script({}))).time.clock.now();
  const script = new Script({ a: [[1, nowMs + 1_000], [nowMs + 1_001]] });
  const bench = await open(script, { aheadMax: 1_000 });
  await turn(bench);
  expect(times(await bench.sentTo('middle'))).toEqual([1, nowMs + 1_000]);
  expect(await bench.handle(again(await bench.nextToItself(), 3))).toEqual([0]);
  const failures = (await bench.toCoordinator()).filter(({ kind }) => kind === 'failed');
  expect(failures).toMatchObject([{ failure: { code: 'SLUICE-TIMESTAMP-AHEAD', operator: 'readings' } }]);
  expect((await bench.record()).watermark).toBe(nowMs + 1_000 - 10 - 1);
});

test('a split whose records are all set aside is idle, and does not hold back the windows of the others', async () => {
  const ahead = (await open(new Script({}))).time.clock.now() + 60_000;
  const script = new Script({ a: Array.from({ length: 20 }, () => [ahead]), b: Array.from({ length: 20 }, (_, i) => [1_000 + i]) });
  const bench = await open(script, { aheadMax: 1_000, onError: 'dead-letter', idleness: 30 });
  for (let i = 0; i < 10; i++) await turn(bench, 20);
  expect((await bench.record()).watermark).toBe(1_000 + 9 - 10 - 1);
});

describe('the loop', () => {
  test('begins with the kick, reads split by split, and commits positions with what they stand behind', async () => {
    const script = new Script({ a: [[1, 2], [3]], b: [[10]] });
    const bench = await open(script);
    expect(script.reads).toEqual([]);
    await turn(bench);
    expect(script.reads).toEqual([
      ['a', 0, 50],
      ['b', 0, 50],
    ]);
    expect(times(await bench.sentTo('middle'))).toEqual([1, 2, 10]);
    expect(await bench.record()).toMatchObject({
      recordsIn: 3,
      splits: { a: { position: { batch: 1 }, records: 2 }, b: { position: { batch: 1 }, records: 1 } },
    });
    await turn(bench);
    expect(times(await bench.sentTo('middle'))).toEqual([3]);
  });

  test('goes on from the committed position, whatever was lost, and never twice', async () => {
    const bench = await open(new Script({ a: [[1], [2], [3]] }));
    const first = await bench.nextToItself();
    let failed = false;
    bench.restart(async (site, act) => {
      if (site !== 'shards.commit' || failed) return act();
      failed = true;
      throw new Error('no answer');
    });
    expect(await bench.handle(first)).toEqual([0]);
    expect(await bench.handle(again(first))).toEqual([]);
    expect(await bench.handle(again(first)), 'a second copy').toEqual([]);
    expect(times(await bench.sentTo('middle'))).toEqual([1]);
    bench.restart();
    await turn(bench);
    await turn(bench);
    expect(times(await bench.sentTo('middle'))).toEqual([2, 3]);
  });

  test('begins though who initialised the shard has died before sending, and a zombie with an earlier receive of the kick comes first', async () => {
    const bench = await open(new Script({ a: [[1]] }));
    await bench.sentToSelf();
    await bench.changeJob({ attempt: 2 });
    const kick = bench.kick(2);
    bench.restart(async (site, act) => {
      if (site === 'queue.sendBatch') throw new Error('died');
      return act();
    });
    expect(await bench.handle(again(kick))).toEqual([0]);
    expect(await bench.record()).toMatchObject({ attempt: 2, control: {}, witness: 'c:kick:1' });
    expect(await bench.sentToSelf()).toEqual([]);
    // To the zombie it is fresh and came once, and the record shows nothing unfinished: only the witness says that something is unsent.
    expect(await bench.newEnvironment().handle([kick])).toEqual([]);
    expect(await bench.sentToSelf()).toMatchObject([{ kind: 'continue', attempt: 2, number: 1 }]);
  });

  test('sleeps where there is nothing, and neither that nor waking up makes work for a checkpoint', async () => {
    const script = new Script({ a: [[1]] });
    const bench = await open(script);
    await turn(bench);
    expect(kinds(await bench.toCoordinator())).toEqual(['dirty 1']);
    await bench.handle(bench.order(1));
    await bench.toCoordinator();
    await turn(bench);
    for (let i = 0; i < 3; i++) {
      expect(await bench.sentToSelf(), 'not before its time').toEqual([]);
      await turn(bench, 20);
    }
    expect(kinds(await bench.toCoordinator())).toEqual([]);
    script.batches['a']!.push([2]);
    await turn(bench, 20);
    expect(kinds(await bench.toCoordinator())).toEqual(['dirty 2']);
    expect(times(await bench.sentTo('middle'))).toEqual([1, 2]);
  });

  test('ends when all splits have ended: last watermark, end of input, and the coordinator knows', async () => {
    const script = new Script({ a: [[1]], b: [[]] });
    script.closed.add('a').add('b');
    const bench = await open(script);
    await turn(bench);
    expect(events(await bench.sentTo('middle'))).toEqual([MAX_WATERMARK, 'end-of-input']);
    expect(kinds(await bench.toCoordinator())).toEqual(['dirty 1', 'ended']);
    expect(await bench.sentToSelf()).toEqual([]);
    await bench.handle(bench.order(1));
    expect(events(await bench.sentTo('middle'))).toEqual(['|1']);
    expect(snapshots(await bench.toCoordinator())).toMatchObject([{ finished: true, splits: { a: { ended: true }, b: { ended: true } } }]);
    expect(await bench.record()).toMatchObject({ status: 'finished' });
  });

  test('of a shard without splits ends at once', async () => {
    const bench = await open(new Script({ a: [[1]] }), { shard: 1, parallelism: 2 });
    await turn(bench);
    expect(kinds(await bench.toCoordinator())).toContain('ended');
  });

  test('agrees on the splits with the other shards, whatever a later listing says', async () => {
    const script = new Script({ c: [[3]], a: [[1]], b: [[2]] });
    const bench = await open(script, { parallelism: 2 });
    expect(Object.keys((await bench.record()).splits!)).toEqual(['a', 'c']);
    delete script.batches['a'];
    await bench.environment.handle([{ ...bench.kick(), group: '1.1' }]);
    const other = await bench.stores.shards.read({ job: jobA, uid: operatorUid('readings'), shard: 1 });
    expect(Object.keys(other!.splits!)).toEqual(['b']);
  });
});

describe('back-pressure', () => {
  test('lets a source sleep while any queue downstream is too long, near or far', async () => {
    for (const uid of ['middle', 'out']) {
      const script = new Script({ a: [[1], [2], [3]] });
      const bench = await open(script, { settings: { backlogMessagesPerShard: 2 } });
      const fill = async (count: number): Promise<void> => {
        for (let i = 0; i < count; i++) {
          await bench.stores.queue.sendBatch(operatorQueue(jobA, operatorUid(uid)), [
            { group: '0.1', deduplicationId: `${uid}-${i}`, body: new Uint8Array(1) },
          ]);
        }
      };
      await fill(3);
      await turn(bench);
      expect(script.reads, uid).toEqual([]);
      expect(await bench.sentToSelf()).toEqual([]);
      await turn(bench, 50);
      expect(script.reads).toEqual([]);
      const queue = operatorQueue(jobA, operatorUid(uid));
      const held = await bench.stores.queue.receive(queue, { messagesMax: 10, waitMs: 0, visibilityMs: 1_000 });
      await bench.stores.queue.deleteBatch(queue, held.map(({ receipt }) => receipt)); // prettier-ignore
      await turn(bench, 50);
      expect(script.reads).toHaveLength(1);
    }
  });

  test('is looked at no more often than it may cost', async () => {
    const script = new Script({ a: [[1], [2], [3]] });
    const bench = await open(script, { settings: { backlogCheckMs: 1_000 } });
    const looks: number[] = [];
    for (let i = 0; i < 3; i++) {
      await turn(bench);
      looks.push(bench.calls.filter((call) => call === 'queue.depth').length);
    }
    expect(looks, 'each queue downstream and the coordinator, once a second').toEqual([4, 0, 0]);
  });
});

describe('the watermark', () => {
  test('is what is surely complete: the slowest split, less the bound, less one', async () => {
    const bench = await open(new Script({ a: [[100], [300]], b: [[50], [60]] }));
    await turn(bench);
    expect(events(await bench.sentTo('middle'))).toEqual([39]);
    await turn(bench);
    expect(events(await bench.sentTo('middle'))).toEqual([49]);
    expect((await bench.record()).watermark).toBe(49);
  });

  test('waits for a split that has brought nothing yet', async () => {
    const bench = await open(new Script({ a: [[100]], b: [] }));
    await turn(bench);
    await turn(bench);
    expect((await bench.record()).watermark).toBe(MIN_WATERMARK);
  });

  test('does not wait for a split that has ended', async () => {
    const script = new Script({ a: [[100]], b: [[20]] });
    script.closed.add('b');
    const bench = await open(script);
    await turn(bench);
    expect((await bench.record()).watermark).toBe(89);
  });

  test('does not fall when a split comes back with older records', async () => {
    const script = new Script({ a: [[100]], b: [[90], [], [10]] });
    const bench = await open(script);
    await turn(bench);
    await turn(bench);
    await turn(bench, 20);
    expect((await bench.record()).watermark).toBe(79);
    expect(times(await bench.sentTo('middle'))).toEqual([100, 90, 10]);
  });
});

describe('idleness', () => {
  test('begins when a split has brought nothing for so long, counted from the start, not from 1970', async () => {
    const script = new Script({ a: [[100]], b: [] });
    const bench = await open(script, { idleness: 30 });
    await turn(bench);
    expect((await bench.record()).watermark, 'b may still bring something').toBe(MIN_WATERMARK);
    await turn(bench);
    await turn(bench, 20);
    expect((await bench.record()).watermark).toBe(MIN_WATERMARK);
    script.batches['a']!.push([120]);
    await turn(bench, 20);
    expect((await bench.record()).watermark, 'b has been silent for 40 ms').toBe(109);
  });

  test('of all splits is told downstream, and taken back by the next record', async () => {
    const script = new Script({ a: [[100]] });
    const bench = await open(script, { idleness: 30 });
    await turn(bench);
    await turn(bench);
    await turn(bench, 20);
    await turn(bench, 20);
    expect(events(await bench.sentTo('middle'))).toEqual([89, 'idle']);
    script.batches['a']!.push([150]);
    await turn(bench, 20);
    await turn(bench);
    expect(events(await bench.sentTo('middle'))).toEqual([139]);
    await turn(bench, 40);
    await turn(bench, 20);
    expect(events(await bench.sentTo('middle'))).toEqual(['idle']);
  });

  test('is not carried over a restart of the attempt', async () => {
    const script = new Script({ a: [[100]], b: [] });
    const bench = await open(script, { idleness: 30 });
    await bench.time.advance(1_000_000);
    await bench.changeJob({ attempt: 2 });
    bench.restart();
    await bench.handle(bench.kick(2));
    const [, control] = await bench.sentToSelf();
    await bench.handle(bench.control(control!.kind, control!.number, { attempt: 2 }));
    expect((await bench.record()).watermark).toBe(MIN_WATERMARK);
  });
});

describe('an order', () => {
  test('is a barrier behind everything before it', async () => {
    const bench = await open(new Script({ a: [[100], [200]] }));
    await bench.handle(await bench.nextToItself(), bench.order(1));
    const sent = await bench.sentTo('middle');
    expect([times(sent), events(sent)]).toEqual([[100], [89, '|1']]);
    const messages = await bench.toCoordinator();
    expect(snapshots(messages)).toMatchObject([
      { checkpoint: 1, finished: false, splits: { a: { position: { batch: 1 } } }, inputs: {}, outputs: { '0/0>0': 1 } },
    ]);
    expect(await bench.record()).toMatchObject({ epoch: 2, settled: 1 });
  });

  test('whose snapshot holds the first change of its epoch says so: an intermediate savepoint answers nothing, nor does an abort', async () => {
    const bench = await open(new Script({ a: [[100], [200]] }));
    await bench.handle(await bench.nextToItself(), bench.order(1));
    expect(kinds(await bench.toCoordinator())).toEqual(['dirty 1', 'acknowledgement']);
    await bench.handle(bench.order(2));
    expect(kinds(await bench.toCoordinator()), 'nothing has changed').toEqual(['acknowledgement']);
    await turn(bench);
    await bench.handle(bench.order(3));
    expect(kinds(await bench.toCoordinator()), 'said before').toEqual(['dirty 3', 'acknowledgement']);
  });

  test('that is over, or aborted, or given before, is nothing', async () => {
    const bench = await open(new Script({ a: [[100]] }));
    await bench.handle(bench.order(3));
    await bench.sentTo('middle');
    await bench.changeJob({ aborted: 5 });
    for (const number of [3, 2, 5])
      expect(await bench.handle(bench.control('order', 10 + number, { order: { checkpoint: number } }))).toEqual([]);
    expect(await bench.sentTo('middle')).toEqual([]);
    await bench.handle(bench.control('order', 20, { order: { checkpoint: 6 } }));
    expect(events(await bench.sentTo('middle'))).toEqual(['|6']);
  });

  test('to stop with drain ends the input first', async () => {
    const bench = await open(new Script({ a: [[100], [200]] }));
    await turn(bench);
    await bench.handle(bench.order(1, 'drain'));
    expect(events(await bench.sentTo('middle')).slice(-3)).toEqual([MAX_WATERMARK, 'end-of-input', '|1']);
    expect(snapshots(await bench.toCoordinator())).toMatchObject([
      { finished: true, splits: { a: { ended: false, position: { batch: 1 } } } },
    ]);
    await turn(bench);
    expect(times(await bench.sentTo('middle')), 'nothing is read any more').toEqual([]);
  });

  test('to stop and suspend brings the barrier alone, and nothing is read any more', async () => {
    const bench = await open(new Script({ a: [[100], [200]] }));
    await turn(bench);
    await bench.sentTo('middle');
    await bench.handle(bench.order(1, 'suspend'));
    const sent = await bench.sentTo('middle');
    expect(events(sent).at(-1)).toBe('|1');
    expect(events(sent)).not.toContain('end-of-input');
    await turn(bench);
    expect(times(await bench.sentTo('middle'))).toEqual([]);
    expect(await bench.record()).toMatchObject({ status: 'finished' });
  });
});
