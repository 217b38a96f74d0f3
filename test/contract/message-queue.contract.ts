import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { MemoryStoresOptions } from '../../lib/adapters/memory/memory-stores.ts';
import type { OutgoingMessage, ReceivedMessage } from '../../lib/ports/message-queue.ts';
import { bytesOf, openFixture, textOf, type MakeStores, type StoresFixture } from './fixture.ts';
import { settle } from './manual-time.ts';

const all = { messagesMax: 10, waitMs: 0, visibilityMs: 30_000 };
let nextId = 0;

function message(group: string, body: string, deduplicationId = `id-${nextId++}`): OutgoingMessage {
  return { group, deduplicationId, body: bytesOf(body) };
}

function bodies(messages: readonly ReceivedMessage[]): (string | undefined)[] {
  return messages.map(({ body }) => textOf(body));
}

/** What every queue adapter promises, in the port's own words. */
export function messageQueueContract(adapter: string, make: MakeStores): void {
  let fixture: StoresFixture;
  const open = async (queue?: MemoryStoresOptions['queue']): Promise<void> => {
    fixture = await openFixture(make, queue);
  };
  const send = (...messages: OutgoingMessage[]): Promise<readonly boolean[]> => fixture.stores.queue.sendBatch('q', messages);
  const receive = (changes: Partial<typeof all> = {}): Promise<readonly ReceivedMessage[]> =>
    fixture.stores.queue.receive('q', { ...all, ...changes });
  const remove = (messages: readonly ReceivedMessage[]): Promise<void> =>
    fixture.stores.queue.deleteBatch(
      'q',
      messages.map(({ receipt }) => receipt),
    );

  describe(`message queue of ${adapter}`, () => {
    beforeEach(() => open());
    afterEach(() => fixture.dispose());

    test('delivers a group in the order of sending, with count 1 and the time of sending', async () => {
      const sentAtMs = fixture.time.clock.now();
      expect(await send(message('g', '1'), message('g', '2'))).toEqual([true, true]);
      await send(message('g', '3'));
      const received = await receive();
      expect(bodies(received)).toEqual(['1', '2', '3']);
      expect(received.map(({ receiveCount, group, sentAtMs: at }) => [receiveCount, group, at])).toEqual([
        [1, 'g', sentAtMs],
        [1, 'g', sentAtMs],
        [1, 'g', sentAtMs],
      ]);
    });

    test('takes as many of one group as there are and fills up with the next group', async () => {
      await send(message('a', 'a1'), message('b', 'b1'), message('a', 'a2'), message('b', 'b2'), message('a', 'a3'));
      expect(bodies(await receive({ messagesMax: 4 }))).toEqual(['a1', 'a2', 'a3', 'b1']);
    });

    test('delivers nothing more of a group while one of its messages is in flight, and other groups meanwhile', async () => {
      await send(message('a', 'a1'), message('a', 'a2'));
      const first = await receive({ messagesMax: 1 });
      await send(message('b', 'b1'));
      expect(bodies(await receive())).toEqual(['b1']);
      await remove(first);
      expect(bodies(await receive())).toEqual(['a2']);
    });

    test('gives turns to groups: one with much to deliver does not starve the others', async () => {
      for (let i = 0; i < 20; i++) await send(message('busy', `busy${i}`));
      await send(message('quiet', 'quiet'));
      const seen: (string | undefined)[] = [];
      for (let i = 0; i < 2; i++) {
        const batch = await receive();
        seen.push(...bodies(batch));
        await remove(batch);
      }
      expect(seen).toContain('quiet');
    });

    test('delivers a message again after its visibility timeout, with a higher count and before its followers', async () => {
      await send(message('a', '1'), message('a', '2'));
      await receive({ messagesMax: 1 });
      await fixture.time.advance(29_999);
      expect(await receive()).toEqual([]);
      await fixture.time.advance(1);
      const again = await receive();
      expect(again.map(({ body, receiveCount }) => [textOf(body), receiveCount])).toEqual([
        ['1', 2],
        ['2', 1],
      ]);
    });

    test('a message that becomes visible early is not held up by its followers in flight, and holds up later ones', async () => {
      await send(message('a', '1'), message('a', '2'), message('a', '3'));
      const [first] = await receive({ messagesMax: 2 });
      await fixture.stores.queue.changeVisibility('q', [first!.receipt], 0);
      const again = await receive();
      expect(bodies(again)).toEqual(['1']);
      await remove(again);
      expect(await receive()).toEqual([]);
    });

    test('changes the visibility of what is held: longer, shorter, and at once', async () => {
      await send(message('a', '1'));
      const [held] = await receive();
      await fixture.stores.queue.changeVisibility('q', [held!.receipt], 60_000);
      await fixture.time.advance(59_999);
      expect(await receive()).toEqual([]);
      await fixture.stores.queue.changeVisibility('q', [held!.receipt], 0);
      expect(bodies(await receive())).toEqual(['1']);
    });

    test('a delete or change of visibility by the receipt of an earlier receive does nothing', async () => {
      await send(message('a', '1'));
      const earlier = await receive();
      await fixture.time.advance(30_000);
      const later = await receive();
      await remove(earlier);
      await fixture.stores.queue.changeVisibility('q', [earlier[0]!.receipt, 'made.up.99'], 0);
      expect(await receive()).toEqual([]);
      expect(await fixture.stores.queue.depth('q')).toBe(1);
      await remove(later);
      expect(await fixture.stores.queue.depth('q')).toBe(0);
    });

    test('deleting twice by the same receipt is harmless', async () => {
      await send(message('a', '1'), message('a', '2'));
      const [first] = await receive({ messagesMax: 1 });
      await remove([first!, first!]);
      await remove([first!]);
      expect(bodies(await receive())).toEqual(['2']);
    });

    test('counts what waits and what is in flight', async () => {
      expect(await fixture.stores.queue.depth('q')).toBe(0);
      await send(message('a', '1'), message('b', '2'), message('b', '3'));
      await receive({ messagesMax: 1 });
      expect(await fixture.stores.queue.depth('q')).toBe(3);
    });

    test('takes a second send of the same id in the same group without delivering it, for five minutes and after the delete too', async () => {
      await send(message('a', '1', 'same'), message('a', 'twin', 'same'));
      await remove(await receive());
      await fixture.time.advance(299_999);
      expect(await send(message('a', 'again', 'same'))).toEqual([true]);
      expect(await receive()).toEqual([]);
      await fixture.time.advance(1);
      await send(message('a', 'new', 'same'));
      expect(bodies(await receive())).toEqual(['new']);
    });

    test('remembers ids per group', async () => {
      await send(message('a', '1', 'same'), message('b', '2', 'same'));
      expect((await receive()).length).toBe(2);
    });

    test('queues are apart', async () => {
      await fixture.stores.queue.sendBatch('other', [message('a', 'other', 'same')]);
      await send(message('a', 'mine', 'same'));
      expect(bodies(await receive())).toEqual(['mine']);
    });

    test('a receive waits for the first message and gets it without delay', async () => {
      const waiting = receive({ waitMs: 20_000 });
      await settle();
      await send(message('a', '1'), message('a', '2'));
      expect(bodies(await waiting)).toEqual(['1', '2']);
    });

    test('a receive that waits in vain comes back empty', async () => {
      const waiting = receive({ waitMs: 20_000 });
      await settle();
      await fixture.time.advance(20_000);
      expect(await waiting).toEqual([]);
      await send(message('a', '1'));
      expect(bodies(await receive())).toEqual(['1']);
    });

    test('whoever waits gets what becomes visible by a delete, by a timeout or by a change of visibility', async () => {
      await send(message('a', '1'), message('a', '2'));
      const first = await receive({ messagesMax: 1 });
      const byDelete = receive({ waitMs: 20_000, visibilityMs: 5_000 });
      await remove(first);
      const [held] = await byDelete;
      expect(textOf(held!.body)).toBe('2');
      const byTimeout = receive({ waitMs: 20_000 });
      await fixture.time.advance(5_000);
      const [again] = await byTimeout;
      expect(again!.receiveCount).toBe(2);
      const byChange = receive({ waitMs: 20_000 });
      await fixture.stores.queue.changeVisibility('q', [again!.receipt], 0);
      expect((await byChange)[0]!.receiveCount).toBe(3);
    });

    test('those who wait are served in the order of asking', async () => {
      const first = receive({ waitMs: 20_000, messagesMax: 1 });
      const second = receive({ waitMs: 20_000, messagesMax: 1 });
      await send(message('a', 'a1'), message('b', 'b1'));
      expect(bodies(await first)).toEqual(['a1']);
      expect(bodies(await second)).toEqual(['b1']);
    });

    test('refuses calls beyond the limits of the service as a whole, and takes what is just within them', async () => {
      const eleven = Array.from({ length: 11 }, (_, i) => message('a', String(i)));
      const refused = { code: 'SLUICE-QUEUE-CALL-INVALID' };
      await expect(send(...eleven)).rejects.toMatchObject(refused);
      await expect(send()).rejects.toMatchObject(refused);
      await expect(send(message('a', '1', 'x'.repeat(129)))).rejects.toMatchObject(refused);
      await expect(send(message('', '1'))).rejects.toMatchObject(refused);
      await expect(receive({ messagesMax: 11 })).rejects.toMatchObject(refused);
      await expect(send({ ...message('a', ''), body: new Uint8Array(786_433) })).rejects.toMatchObject(refused);
      expect(await fixture.stores.queue.depth('q')).toBe(0);
      expect(await send({ ...message('a', ''), body: new Uint8Array(786_432) })).toEqual([true]);
      expect(await send(...eleven.slice(1))).toEqual(new Array(10).fill(true));
    });

    test('closing lets go whoever waits', async () => {
      const waiting = receive({ waitMs: 20_000 });
      await settle();
      await fixture.stores.close();
      expect(await waiting).toEqual([]);
      expect(fixture.time.waiting).toBe(0);
    });
  });

  describe(`variants of the message queue of ${adapter}`, () => {
    afterEach(() => fixture.dispose());

    test('a receipt expires with its visibility timeout, even where nobody has received the message since', async () => {
      await open({ staleReceipts: 'expired-refused' });
      await send(message('a', '1'));
      const expired = await receive();
      await fixture.time.advance(30_000);
      await remove(expired);
      expect(await fixture.stores.queue.depth('q')).toBe(1);
    });

    test('the latest receipt deletes after its visibility timeout, where that is asked for, and an earlier one does not', async () => {
      await open({ staleReceipts: 'latest-deletes' });
      await send(message('a', '1'));
      const first = await receive();
      await fixture.time.advance(30_000);
      const second = await receive();
      await fixture.time.advance(30_000);
      await remove(first);
      expect(await fixture.stores.queue.depth('q')).toBe(1);
      await remove(second);
      expect(await fixture.stores.queue.depth('q')).toBe(0);
    });

    test('an entry that the service does not take is reported alone: later ones of its group may be taken', async () => {
      let refusing = true;
      await open({ refuse: (_queue, { body }) => refusing && textOf(body) === '2' });
      expect(await send(message('a', '1'), message('a', '2', 'second'), message('a', '3'))).toEqual([true, false, true]);
      refusing = false;
      expect(await send(message('a', '2', 'second'))).toEqual([true]);
      expect(bodies(await receive())).toEqual(['1', '3', '2']);
    });
  });
}
