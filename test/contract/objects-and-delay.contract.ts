import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { bytesOf, openFixture, textOf, type MakeStores, type StoresFixture } from './fixture.ts';

const large = 600_000;

/** What the object store and the delay promise. */
export function objectsAndDelayContract(adapter: string, make: MakeStores): void {
  let fixture: StoresFixture;

  describe(`object store of ${adapter}`, () => {
    beforeEach(async () => {
      fixture = await openFixture(make);
    });
    afterEach(() => fixture.dispose());

    test('an object is created once and read whole', async () => {
      const { objects } = fixture.stores;
      expect(await objects.read('a/b')).toBeUndefined();
      expect(await objects.createIfAbsent('a/b', bytesOf('one'))).toBe('created');
      expect(await objects.createIfAbsent('a/b', bytesOf('two'))).toBe('exists');
      expect(textOf(await objects.read('a/b'))).toBe('one');
    });

    test('small, empty and large objects come back byte by byte, under any key', async () => {
      const { objects } = fixture.stores;
      const big = Uint8Array.from({ length: large }, (_, i) => (i * 7) & 0xff);
      const keys = ['..', '../../x', 'ä/\u{1f600}', ' ', 'con', 'a'.repeat(500), '\u0000'];
      for (const key of keys) await objects.createIfAbsent(key, big);
      await objects.createIfAbsent('empty', new Uint8Array(0));
      for (const key of keys) expect(Buffer.from((await objects.read(key))!).equals(big)).toBe(true);
      expect((await objects.read('empty'))?.length).toBe(0);
    });

    test.each([10, large])('of many creations of one key with %i bytes one wins, and its bytes stay', async (size) => {
      const { objects } = fixture.stores;
      const outcomes = await Promise.all(Array.from({ length: 10 }, (_, i) => objects.createIfAbsent('k', new Uint8Array(size).fill(i))));
      expect(outcomes.filter((outcome) => outcome === 'created').length).toBe(1);
      expect((await objects.read('k'))?.[0]).toBe(outcomes.indexOf('created'));
    });

    test.each([10, large])('what was removed is gone and can be created again (%i bytes)', async (size) => {
      const { objects } = fixture.stores;
      await objects.createIfAbsent('k', new Uint8Array(size));
      await objects.remove(['k', 'never-there']);
      expect(await objects.read('k')).toBeUndefined();
      expect(await objects.createIfAbsent('k', new Uint8Array(size).fill(1))).toBe('created');
      expect((await objects.read('k'))?.[0]).toBe(1);
    });

    test('objects are listed by prefix with size and time, in order of their keys', async () => {
      const { objects } = fixture.stores;
      const createdAtMs = fixture.time.clock.now();
      await objects.createIfAbsent('jobs/2', new Uint8Array(large));
      await objects.createIfAbsent('jobs/1', bytesOf('x'));
      await objects.createIfAbsent('other', bytesOf('x'));
      expect(await objects.list('jobs/')).toEqual([
        { key: 'jobs/1', bytes: 1, createdAtMs },
        { key: 'jobs/2', bytes: large, createdAtMs },
      ]);
    });
  });

  describe(`delay of ${adapter}`, () => {
    const wakeUp = { queue: 'q', group: 'g', deduplicationId: 'd1', body: bytesOf('wake') };
    const receive = () => fixture.stores.queue.receive('q', { messagesMax: 10, waitMs: 0, visibilityMs: 1_000_000 });
    beforeEach(async () => {
      fixture = await openFixture(make);
    });
    afterEach(() => fixture.dispose());

    test('a wake-up is sent at its time and not before', async () => {
      await fixture.stores.delay.schedule({ ...wakeUp, dueAtMs: fixture.time.clock.now() + 5_000 });
      await fixture.time.advance(4_999);
      expect(await receive()).toEqual([]);
      await fixture.time.advance(1);
      const [message] = await receive();
      expect([message?.group, textOf(message?.body)]).toEqual(['g', 'wake']);
      await fixture.time.advance(100_000);
      expect(await fixture.stores.queue.depth('q')).toBe(1);
    });

    test('one that is due already is sent at once', async () => {
      await fixture.stores.delay.schedule({ ...wakeUp, dueAtMs: 0 });
      await fixture.time.advance(0);
      expect((await receive()).length).toBe(1);
    });

    test('a wake-up that is scheduled later and due earlier comes first', async () => {
      const nowMs = fixture.time.clock.now();
      await fixture.stores.delay.schedule({ ...wakeUp, group: 'late', dueAtMs: nowMs + 10_000 });
      await fixture.stores.delay.schedule({ ...wakeUp, group: 'early', dueAtMs: nowMs + 1_000 });
      await fixture.time.advance(1_000);
      expect((await receive()).map(({ group }) => group)).toEqual(['early']);
      await fixture.time.advance(9_000);
      expect((await receive()).map(({ group }) => group)).toEqual(['late']);
    });

    test('what no queue can take is refused when it is scheduled', async () => {
      const refused = fixture.stores.delay.schedule({ ...wakeUp, deduplicationId: '', dueAtMs: 0 });
      await expect(refused).rejects.toMatchObject({ code: 'SLUICE-QUEUE-CALL-INVALID' });
    });
  });

  describe(`delay of ${adapter} before a queue in trouble`, () => {
    test('a wake-up that the queue does not take is sent again later', async () => {
      let refusing = true;
      fixture = await openFixture(make, { refuse: () => refusing });
      await fixture.stores.delay.schedule({
        queue: 'q',
        group: 'g',
        deduplicationId: 'd',
        body: bytesOf('x'),
        dueAtMs: fixture.time.clock.now(),
      });
      await fixture.time.advance(1_000);
      expect(await fixture.stores.queue.depth('q')).toBe(0);
      refusing = false;
      await fixture.time.advance(5_000);
      expect(await fixture.stores.queue.depth('q')).toBe(1);
      await fixture.dispose();
    });
  });
}
