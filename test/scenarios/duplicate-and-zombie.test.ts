/** Scenario 22: batches that come again after they were done, workers that finish late, acknowledgements of what was given up. */
import { expect } from 'vitest';
import type { Envelope, StreamEvent } from '../../lib/model/envelope.ts';
import type { ReceivedMessage } from '../../lib/ports/message-queue.ts';
import { counter } from '../checkpoint/plans.ts';
import { job } from '../checkpoint/fixture.ts';
import { CoordinatorWorld } from '../coordinator/coordinator-world.ts';
import { compileCount, left, right } from '../runtime/count-job.ts';
import { restore, snapshots } from '../runtime/restore-shard.ts';
import { again, ShardBench, type Hook } from '../runtime/shard-bench.ts';
import { countingJob, expectWhole, numbersInput } from './counting-job.ts';
import { memoryStoresWith } from './faulty-stores.ts';
import { scenario, settingsOfScenario, type Mode } from './scenario.ts';
import { useWorld } from './support.ts';

const world = useWorld();

scenario(22, 'every batch is delivered once more after it was done, and state and output are as if it were not', async () => {
  const input = numbersInput();
  const handedOut = new Map<string, ReceivedMessage>();
  const toRepeat = new Map<string, ReceivedMessage[]>();
  let repeated = 0;
  const stores = memoryStoresWith(({ queue }) => ({
    queue: {
      receive: async (name, options) => {
        const once = toRepeat.get(name) ?? [];
        toRepeat.delete(name);
        repeated += once.length;
        // Of one group at a time, in its order, as a queue would.
        if (once.length > 0) return once.slice(0, options.messagesMax).map((message) => again(message));
        const messages = await queue.receive(name, options);
        for (const message of messages) handedOut.set(message.receipt, message);
        return messages;
      },
      deleteBatch: async (name, receipts) => {
        const done = receipts.flatMap((receipt) => handedOut.get(receipt) ?? []);
        receipts.forEach((receipt) => handedOut.delete(receipt));
        await queue.deleteBatch(name, receipts);
        if (done.length > 0) toRepeat.set(name, done);
      },
    },
  }));
  const run = await world.start(countingJob(input), { stores });
  await run.twoCheckpoints([input], 0.6);
  input.open(1);
  const record = await run.finished();
  expect(repeated).toBeGreaterThan(30);
  expect(record).toMatchObject({ attempt: 1, counts: { failed: 0 } });
  expectWhole(world.collect.published('all'));
});

const word = (text: string): object => ({ word: text });
const barrierOf = (mode: Mode): StreamEvent => ({
  ...{ kind: 'barrier', checkpoint: 1, mode: mode === 'at-least-once' ? mode : 'exactly-once' },
  ...(mode === 'unaligned' ? { overtakeAtMs: 0 } : {}),
});

/** Each envelope once, whatever was sent again. */
function output(envelopes: readonly Envelope[]): readonly unknown[] {
  const first = new Map(envelopes.map((envelope) => [`${envelope.header.attempt} ${envelope.header.sequence}`, envelope.values]));
  return [...first.values()].flat();
}

/** Where a worker stands still: when it has just read what it goes by, or when all that is left is to commit. */
const places = ['shards.read', 'shards.commit'] as const;

/** Waits there until somebody lets it go on. */
function stalled(place: (typeof places)[number]): { readonly hook: Hook; readonly isWaiting: Promise<void>; readonly goOn: () => void } {
  let goOn = (): void => undefined;
  const go = new Promise<void>((resolve) => (goOn = resolve));
  let tell = (): void => undefined;
  const isWaiting = new Promise<void>((resolve) => (tell = resolve));
  const hook: Hook = async (site, act) => {
    if (site !== place) return act();
    const read = site === 'shards.read' ? await act() : undefined;
    tell();
    await go;
    return read ?? act();
  };
  return { hook, isWaiting, goOn };
}

async function expectZombieWithoutEffect(mode: Mode, place: (typeof places)[number]): Promise<void> {
  const bench = await ShardBench.open(compileCount(), 'count');
  await bench.handle(bench.kick());
  const [one, two] = [bench.upstream(left), bench.upstream(right)];
  const batch = [await one.send([word('a'), word('b')], barrierOf(mode)), await two.send([word('a')], barrierOf(mode))];
  const slow = stalled(place);
  const zombie = bench.newEnvironment(slow.hook).handle(batch);
  await slow.isWaiting;
  expect(await bench.handle(...batch.map((message) => again(message)))).toEqual([]);
  const [record, taken] = [await bench.record(), snapshots(await bench.toCoordinator())];
  const shown = output(await bench.sentTo('counts'));
  expect(taken).toHaveLength(1);
  slow.goOn();
  await zombie;
  expect(await bench.record()).toEqual(record);
  expect(
    output(await bench.sentTo('counts')).filter((value) => !shown.some((seen) => JSON.stringify(seen) === JSON.stringify(value))),
  ).toEqual([]);
  // Nor does the batch when it comes a third time.
  await bench.handle(...batch.map((message) => again(message, 3)));
  expect((await bench.record()).recordsIn).toBe(3);
  await bench.handle(await one.send([word('a')]));
  expect(output(await bench.sentTo('counts'))).toContainEqual({ word: 'a', count: 3 });
}

for (const place of places) {
  scenario(22, `a worker that stood still at ${place} when another did its batch, barrier included, changes nothing`, (mode) =>
    expectZombieWithoutEffect(mode, place),
  );
}

scenario(22, 'a worker of an attempt that is over commits nothing, however late it comes', async (mode) => {
  const bench = await ShardBench.open(compileCount(), 'count');
  await bench.handle(bench.kick());
  const [one, two] = [bench.upstream(left), bench.upstream(right)];
  await bench.handle(await one.send([word('a')], barrierOf(mode)), await two.send([], barrierOf(mode)));
  const taken = snapshots(await bench.toCoordinator());
  const slow = stalled('shards.commit');
  const zombie = bench.newEnvironment(slow.hook).handle([await one.send([word('a'), word('late')])]);
  await slow.isWaiting;
  await restore(bench, taken);
  await bench.handle(bench.kick(2));
  await bench.sentTo('counts');
  const record = await bench.record();
  slow.goOn();
  await zombie;
  expect(record.attempt).toBe(2);
  expect(await bench.record()).toEqual(record);
  await bench.handle(await bench.upstream(left, 2).send([word('a'), word('late')]));
  expect((await bench.sentTo('counts')).filter(({ header }) => header.attempt === 2).flatMap(({ values }) => values)).toEqual([
    { word: 'a', count: 2 },
    { word: 'late', count: 1 },
  ]);
});

scenario(22, 'an acknowledgement of an aborted checkpoint comes late, and is ignored', async () => {
  const coordinator = new CoordinatorWorld({ settings: { ...settingsOfScenario(), tolerableFailures: 3, timeoutMs: 10_000 } });
  await coordinator.start();
  coordinator.mute.add(counter);
  await coordinator.dirty();
  await coordinator.advance(1_100);
  const late = (await coordinator.snapshots(1, 1)).filter(({ uid }) => uid === counter);
  await coordinator.expire(1);
  const acknowledge = async (): Promise<void> => {
    for (const snapshot of late)
      await coordinator.tell({ kind: 'acknowledgement', job, attempt: 1, uid: counter, shard: snapshot.shard, snapshot });
    await coordinator.settle();
  };
  await acknowledge();
  expect(await coordinator.record()).toMatchObject({ completed: 0, counts: { completed: 0, failed: 1 } });
  expect(await coordinator.stores.acknowledgements.list(job, 1, 1)).toEqual([]);
  coordinator.mute.clear();
  await coordinator.advance(1_100);
  const before = await coordinator.record();
  expect(before).toMatchObject({ completed: 2, counts: { completed: 1, failed: 1 } });
  await acknowledge();
  expect(await coordinator.record()).toEqual(before);
});
