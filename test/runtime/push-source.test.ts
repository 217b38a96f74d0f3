/** A push source: at rest until it is told, one loop, nothing lost and nothing twice, whatever fails. */
import { describe, expect, test } from 'vitest';
import { operatorUid } from '../../lib/base/ids.ts';
import { readMessage } from '../../lib/model/envelope-codec.ts';
import { jobA } from '../contract/sample-records.ts';
import { Choices } from './chaos-random.ts';
import { PushWorld } from './push-world.ts';
import { again } from './shard-bench.ts';
import { events } from './scripted-source.ts';

const sorted = (times: readonly number[]): number[] => [...times].sort((a, b) => a - b);

async function opened(options: Parameters<typeof PushWorld.open>[0] = {}): Promise<PushWorld> {
  const world = await PushWorld.open(options);
  expect(await world.bench.handle(world.bench.kick())).toEqual([]);
  await world.settle();
  return world;
}

describe('at rest', () => {
  test('a source asks for nothing, however long, and an arrival wakes it', async () => {
    const world = await opened();
    expect((await world.bench.record()).push).toEqual({ loop: null, arrived: {} });
    world.bench.calls = [];
    await world.bench.time.advance(86_400_000);
    expect([await world.receive(), world.bench.calls]).toEqual([[], []]);
    expect(await world.send(1, 2, 3)).toBe(true);
    await world.settle();
    expect(sorted(await world.outcome())).toEqual([1, 2, 3]);
    expect((await world.bench.record()).push!.loop).toBeNull();
    await world.bench.time.advance(86_400_000);
    expect(await world.receive()).toEqual([]);
  });

  test('what lay in the log before the job began is read', async () => {
    const world = await PushWorld.open();
    await world.writeOnly(5);
    await world.bench.handle(world.bench.kick());
    await world.settle();
    expect(await world.outcome()).toEqual([5]);
  });

  test('neither resting nor being told of what has been read makes work for a checkpoint', async () => {
    const world = await opened();
    await world.send(1);
    await world.settle();
    await world.bench.toCoordinator();
    const before = await world.bench.record();
    await world.bench.handle(world.bench.order(1));
    const messages = await world.bench.toCoordinator();
    expect(messages.map(({ kind }) => kind)).toEqual(['acknowledgement']);
    const [split, number] = Object.entries(before.push!.arrived)[0]!;
    expect(await world.bench.handle(world.bench.arrived(split, number + 1))).toEqual([]);
    await world.settle();
    expect(await world.bench.toCoordinator()).toEqual([]);
  });
});

describe('an arrival', () => {
  test('is accepted once and only upwards, for each partition by itself', async () => {
    const world = await opened();
    await world.send(1);
    const [message] = await world.receive();
    const { control } = readMessage(message!.body) as { readonly control: { readonly split: string; readonly number: number } };
    await world.handle([message!]);
    await world.settle();
    const { version, push } = await world.bench.record();
    expect(push!.arrived).toEqual({ [control.split]: 1 });
    await world.bench.environment.handle([again(message!)]);
    expect((await world.bench.record()).version).toBe(version);
    const other = control.split === '000-of-2' ? '001-of-2' : '000-of-2';
    await world.bench.handle(world.bench.arrived(other, 1));
    expect((await world.bench.record()).push!.arrived).toEqual({ [control.split]: 1, [other]: 1 });
  });

  test('begins no second loop, however many come, and while one is on its way only the loop reads', async () => {
    const world = await opened({ settings: { sourceRecordsPerCommit: 2 } });
    for (let at = 1; at <= 12; at++) await world.send(at);
    for (let batch = 0; ; batch++) {
      const messages = await world.receive();
      if (messages.length === 0) break;
      await world.handle(messages);
      const left = await world.receive();
      const loops = left.filter(({ body }) => (readMessage(body) as { control?: { kind: string } }).control?.kind === 'continue');
      expect(loops.length).toBeLessThanOrEqual(1);
      if (left.length > 0) await world.handle(left);
      expect(batch).toBeLessThan(50);
    }
    expect(sorted(await world.outcome())).toEqual(Array.from({ length: 12 }, (_, n) => n + 1));
  });

  test('of an older attempt is dropped, and the new attempt reads by itself what it was about', async () => {
    const world = await opened();
    await world.send(1);
    await world.bench.changeJob({ attempt: 2, firstEpoch: 2 });
    await world.bench.handle(world.bench.kick(2));
    await world.settle();
    expect(await world.outcome()).toEqual([1]);
    await world.send(2);
    await world.settle();
    expect(sorted(await world.outcome())).toEqual([1, 2]);
  });

  test('of a split that is not the shard’s is an invariant that is broken', async () => {
    const world = await opened();
    expect(await world.bench.handle(world.bench.arrived('007-of-9', 1))).toEqual([0]);
    expect(world.bench.logged.join()).toContain('PS3');
  });

  test('while the queues are full is looked at later', async () => {
    const world = await opened({ settings: { backlogMessagesPerShard: 0 } });
    const { queue } = world.bench.stores;
    await queue.sendBatch(`${jobA}/middle`, [{ group: '0.1', deduplicationId: 'x', body: new Uint8Array(1) }]);
    await world.send(1);
    await world.settle();
    expect((await world.bench.record()).push!.loop).not.toBeNull();
    const held = await queue.receive(`${jobA}/middle`, { messagesMax: 10, waitMs: 0, visibilityMs: 1_000 });
    await queue.deleteBatch(`${jobA}/middle`, held.map(({ receipt }) => receipt)); // prettier-ignore
    await world.bench.time.advance(50);
    await world.settle();
    expect(await world.outcome()).toEqual([1]);
    await world.bench.time.advance(50);
    await world.settle();
    expect((await world.bench.record()).push!.loop).toBeNull();
  });
});

describe('time', () => {
  test('makes a source idle by one wake-up, and then it rests', async () => {
    const world = await opened({ idleness: 1_000 });
    await world.send(100);
    await world.settle();
    await world.bench.sentTo('middle');
    let batches = 0;
    for (let passed = 0; passed < 10; passed++) {
      await world.bench.time.advance(500);
      batches += await world.settle();
    }
    const told = events(await world.bench.sentTo('middle'));
    expect(told.at(-1)).toBe('idle');
    expect(batches).toBeLessThanOrEqual(3);
    await world.bench.time.advance(86_400_000);
    expect(await world.receive()).toEqual([]);
  });

  test('flushes what lingers, though nothing more comes', async () => {
    const world = await opened({ bufferTimeoutMs: 300 });
    await world.send(1);
    await world.settle();
    expect(await world.outcome()).toEqual([]);
    await world.bench.time.advance(301);
    await world.settle();
    expect(await world.outcome()).toEqual([1]);
    await world.bench.time.advance(86_400_000);
    expect(await world.receive()).toEqual([]);
  });
});

test('whatever call fails, before or after it is done, and whoever dies, every message comes once', async () => {
  for (let seed = 1; seed <= 150; seed++) {
    const choices = new Choices(seed);
    const random = (): number => choices.fraction();
    const world = await PushWorld.open({ settings: { sourceRecordsPerCommit: 3, backlogMessagesPerShard: 1_000 } });
    let left = 12;
    const unreliable = async (_site: string, act: () => Promise<unknown>): Promise<unknown> => {
      const fate = left > 0 ? random() : 1;
      if (fate < 0.06) {
        left--;
        throw new Error('lost before');
      }
      const result = await act();
      if (fate > 0.06 && fate < 0.12) {
        left--;
        throw new Error('lost after');
      }
      return result;
    };
    world.restart(unreliable);
    await world.bench.stores.queue.sendBatch(`${jobA}/readings`, [
      { group: '0.1', deduplicationId: 'kick', body: world.bench.kick().body },
    ]);
    const sent: number[] = [];
    const zombies: (() => Promise<unknown>)[] = [];
    for (let step = 0; step < 60; step++) {
      const choice = random();
      if (choice < 0.35) {
        const at = random() < 0.3 && sent.length > 0 ? sent[Math.floor(random() * sent.length)]! : step * 10;
        sent.push(at);
        // Its intake dies, and SQS delivers the message again.
        if (random() < 0.3) await world.writeOnly(at);
        expect(await world.send(at)).toBe(true);
      } else if (choice < 0.9) {
        const messages = await world.receive();
        if (random() < 0.15) world.restart(unreliable);
        if (random() < 0.1) {
          // Whoever took them is slow: they come again, and later a zombie works on them too.
          const { environment } = world.bench;
          zombies.push(() => environment.handle(messages));
          world.restart(unreliable);
          await world.bench.time.advance(1_001);
        } else if (messages.length > 0) await world.handle(messages);
      } else if (choice < 0.95) await zombies.shift()?.();
      else await world.outcome();
    }
    left = 0;
    for (const zombie of zombies) await zombie();
    await world.bench.time.advance(2_000);
    for (let turn = 0; turn < 3; turn++) {
      await world.settle();
      await world.bench.time.advance(2_000);
    }
    expect(sorted(await world.outcome()), `seed ${seed}`).toEqual(sorted([...new Set(sent)]));
    const record = await world.bench.stores.shards.read({ job: jobA, uid: operatorUid('readings'), shard: 0 });
    expect(record?.push?.loop, `seed ${seed}`).toBeNull();
    await world.bench.time.advance(86_400_000);
    expect(await world.receive(), `seed ${seed}`).toEqual([]);
  }
}, 60_000);
