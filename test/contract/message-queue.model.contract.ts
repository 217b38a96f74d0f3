import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ReceivedMessage } from '../../lib/ports/message-queue.ts';
import { bytesOf, openFixture, textOf, type MakeStores } from './fixture.ts';

interface ModelMessage {
  readonly group: string;
  readonly body: string;
  count: number;
  hiddenUntilMs: number;
}

/** The queue as a plain list, slow and obvious. It says what may be delivered; which groups come first is the adapter's choice. */
class ModelQueue {
  messages: ModelMessage[] = [];
  readonly #sentAt = new Map<string, number>();

  send(group: string, deduplicationId: string, body: string, nowMs: number): void {
    const sentAtMs = this.#sentAt.get(`${group}/${deduplicationId}`);
    if (sentAtMs !== undefined && nowMs < sentAtMs + 300_000) return;
    this.#sentAt.set(`${group}/${deduplicationId}`, nowMs);
    this.messages.push({ group, body, count: 0, hiddenUntilMs: -1 });
  }

  deliverable(group: string, nowMs: number): ModelMessage[] {
    const ofGroup = this.messages.filter((message) => message.group === group);
    const blocked = ofGroup.findIndex(({ hiddenUntilMs }) => hiddenUntilMs > nowMs);
    return blocked < 0 ? ofGroup : ofGroup.slice(0, blocked);
  }

  /** Checks one receive and takes over what it did. */
  received(batch: readonly ReceivedMessage[], messagesMax: number, visibilityMs: number, nowMs: number): void {
    const deliverable = new Map(['a', 'b', 'c'].map((group) => [group, this.deliverable(group, nowMs)]));
    const available = [...deliverable.values()].flat().length;
    expect(batch.length).toBe(Math.min(messagesMax, available));
    for (const { group, body, receiveCount } of batch) {
      const expected = deliverable.get(group)!.shift()!;
      expect([textOf(body), receiveCount]).toEqual([expected.body, expected.count + 1]);
      expected.count += 1;
      expected.hiddenUntilMs = nowMs + visibilityMs;
    }
  }
}

const step = fc.oneof(
  fc.record({
    kind: fc.constant('send' as const),
    group: fc.constantFrom('a', 'b', 'c'),
    id: fc.nat(12),
    count: fc.integer({ min: 1, max: 4 }),
  }),
  fc.record({
    kind: fc.constant('receive' as const),
    messagesMax: fc.integer({ min: 1, max: 10 }),
    visibilityMs: fc.constantFrom(0, 1_000, 30_000),
  }),
  fc.record({ kind: fc.constant('delete' as const), receive: fc.nat(30), from: fc.nat(3), count: fc.integer({ min: 1, max: 10 }) }),
  fc.record({
    kind: fc.constant('visibility' as const),
    receive: fc.nat(30),
    index: fc.nat(9),
    visibilityMs: fc.constantFrom(0, 500, 60_000),
  }),
  fc.record({ kind: fc.constant('advance' as const), byMs: fc.constantFrom(1, 999, 30_000, 200_000) }),
);

/** Any sequence of calls does what the plain list says. `stepMs`: what visibility is rounded up to, where the service has whole seconds. */
export function messageQueueModelContract(adapter: string, make: MakeStores, runs: number, stepMs = 1): void {
  const rounded = (timeMs: number): number => Math.ceil(timeMs / stepMs) * stepMs;
  test(`the message queue of ${adapter} does in every sequence of calls what a plain list of messages would do`, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const { stores, time, dispose } = await openFixture(make);
        try {
          const model = new ModelQueue();
          const receives: { messages: readonly ReceivedMessage[]; held: ModelMessage[] }[] = [];
          let bodyNumber = 0;
          for (const action of steps) {
            const nowMs = time.clock.monotonic();
            switch (action.kind) {
              case 'send': {
                const batch = Array.from({ length: action.count }, (_, i) => ({ id: `${action.id + i}`, body: `${bodyNumber++}` }));
                const results = await stores.queue.sendBatch(
                  'q',
                  batch.map(({ id, body }) => ({ group: action.group, deduplicationId: id, body: bytesOf(body) })),
                );
                expect(results.every(Boolean)).toBe(true);
                for (const { id, body } of batch) model.send(action.group, id, body, nowMs);
                break;
              }
              case 'receive': {
                const { messagesMax, visibilityMs } = action;
                const messages = await stores.queue.receive('q', { messagesMax, visibilityMs, waitMs: 0 });
                model.received(messages, messagesMax, rounded(visibilityMs), nowMs);
                const held = messages.map(({ body }) => model.messages.find((message) => message.body === textOf(body))!);
                receives.push({ messages, held });
                break;
              }
              case 'delete': {
                const chosen = receives.at(-1 - action.receive);
                const entries = chosen?.messages.slice(action.from, action.from + action.count) ?? [];
                if (entries.length === 0) break;
                await stores.queue.deleteBatch(
                  'q',
                  entries.map(({ receipt }) => receipt),
                );
                const gone = entries.flatMap(({ receiveCount }, i) => {
                  const message = chosen!.held[action.from + i]!;
                  return message.count === receiveCount && message.hiddenUntilMs > nowMs ? [message] : [];
                });
                model.messages = model.messages.filter((message) => !gone.includes(message));
                break;
              }
              case 'visibility': {
                const chosen = receives.at(-1 - action.receive);
                const entry = chosen?.messages[action.index];
                if (entry === undefined) break;
                await stores.queue.changeVisibility('q', [entry.receipt], action.visibilityMs);
                const message = chosen!.held[action.index]!;
                const holds = message.count === entry.receiveCount && message.hiddenUntilMs > nowMs;
                if (holds) message.hiddenUntilMs = nowMs + rounded(action.visibilityMs);
                break;
              }
              case 'advance':
                await time.advance(action.byMs);
                break;
            }
            expect(await stores.queue.depth('q')).toBe(model.messages.length);
          }
        } finally {
          await dispose();
        }
      }),
      { numRuns: runs },
    );
  });
}
