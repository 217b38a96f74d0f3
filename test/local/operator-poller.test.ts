import { expect, test } from 'vitest';
import { silentLogger } from '../../lib/adapters/system/logger.ts';
import { systemTimers } from '../../lib/adapters/system/timers.ts';
import { OperatorPoller } from '../../lib/local/operator-poller.ts';
import type { MessageReceiver, ReceivedMessage } from '../../lib/ports/message-queue.ts';

const message = (id: string): ReceivedMessage =>
  ({ messageId: id, receipt: `receipt ${id}`, body: new Uint8Array(), receiveCount: 1 }) as unknown as ReceivedMessage;

class World implements MessageReceiver {
  readonly log: string[] = [];
  answer: (messages: readonly ReceivedMessage[]) => void = () => undefined;
  endHandling: () => void = () => undefined;

  receive(): Promise<readonly ReceivedMessage[]> {
    this.log.push('receive');
    return new Promise((resolve) => (this.answer = resolve));
  }

  async deleteBatch(_queue: string, receipts: readonly string[]): Promise<void> {
    this.log.push(`delete ${receipts.join()}`);
  }

  async changeVisibility(_queue: string, receipts: readonly string[], visibilityMs: number): Promise<void> {
    this.log.push(`give back ${receipts.join()} after ${visibilityMs} ms`);
  }

  readonly poller = new OperatorPoller({
    queue: 'queue',
    receiver: this,
    timers: systemTimers,
    logger: silentLogger,
    retryMs: 20,
    handle: (messages) => {
      this.log.push(`handle ${messages.map(({ messageId }) => messageId).join()}`);
      return new Promise((resolve) => (this.endHandling = () => resolve([])));
    },
  });
}

async function turns(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
}

test('a stop lets what is in hand end, and takes nothing after it', async () => {
  const world = new World();
  world.poller.start();
  world.answer([message('a')]);
  await turns();
  world.poller.requestStop();
  let isIdle = false;
  const idle = world.poller.idle().then(() => (isIdle = true));
  await turns();
  expect([isIdle, world.log]).toEqual([false, ['receive', 'handle a']]);
  world.endHandling();
  await idle;
  await world.poller.stop();
  expect(world.log).toEqual(['receive', 'handle a', 'delete receipt a']);
});

test('what comes to a receive that began before the stop is given back at once', async () => {
  const world = new World();
  world.poller.start();
  world.poller.requestStop();
  await world.poller.idle();
  world.answer([message('a'), message('b')]);
  await world.poller.stop();
  expect(world.log).toEqual(['receive', 'give back receipt a,receipt b after 0 ms']);
});

test('a receive that the closing of the queue ends gives nothing back', async () => {
  const world = new World();
  world.poller.start();
  world.poller.requestStop();
  world.answer([]);
  await world.poller.stop();
  expect(world.log).toEqual(['receive']);
});
