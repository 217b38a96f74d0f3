/**
 * All queues of a local runner: the port over fifo-queue.ts.
 *
 * Owns: limits, deduplication, receipts, waiting receivers. Does not own: the order and visibility of messages (fifo-queue.ts).
 * Q1. Whoever waits is served in the order of asking, as soon as a message can be delivered; a receive call that waits has one timer, and each queue
 *     that somebody waits for has one for the next deadline.
 * Q2. After a restart every message counts as received before, and nothing is in flight; receipts of an earlier process are stale.
 *
 * Stale receipts. AWS documents two behaviours. The reference of DeleteMessage: the latest receipt of a message deletes it, even after its visibility
 * timeout, as long as nobody has received the message since (`latest-deletes`). The guide for FIFO queues: a receipt expires with the visibility
 * timeout (`expired-refused`, the default: it redelivers more, so a protocol that stands it stands the other). In both a receipt of an earlier receive
 * deletes nothing.
 */
import type { MessageReceiver, MessageSender, OutgoingMessage, ReceivedMessage } from '../../ports/message-queue.ts';
import type { CancelTimer } from '../../ports/system.ts';
import { Deduplication } from './deduplication.ts';
import { Deque } from './deque.ts';
import { FifoQueue, type QueuedMessage } from './fifo-queue.ts';
import type { MutationOf, StoredMessage } from './mutation.ts';
import { checkBatch, checkCount } from './queue-limits.ts';
import type { StoreContext } from './store-context.ts';

export interface MessageQueueOptions {
  readonly staleReceipts?: 'expired-refused' | 'latest-deletes';
  /** For tests and the simulator: true = the service does not take this entry; the others of the call are taken. */
  readonly refuse?: (queue: string, message: OutgoingMessage) => boolean;
}

type ReceiveOptions = Parameters<MessageReceiver['receive']>[1];
type QueueMutation = MutationOf<'queue-send' | 'queue-delete' | 'queue-memory'>;

interface Waiter {
  readonly options: ReceiveOptions;
  readonly resolve: (messages: readonly ReceivedMessage[]) => void;
  cancelTimer: CancelTimer;
  served: boolean;
}

interface Queue {
  readonly fifo: FifoQueue;
  readonly deduplication: Deduplication;
  readonly waiters: Deque<Waiter>;
  /** The deadline that somebody will be woken for; Infinity = none. */
  armedForMs: number;
  cancelDeadline: CancelTimer;
}

export class MemoryMessageQueue implements MessageSender, MessageReceiver {
  readonly #context: StoreContext;
  readonly #options: MessageQueueOptions;
  readonly #queues = new Map<string, Queue>();
  /** Tells receipts of this process from those of an earlier one. */
  readonly #receiptPrefix: string;
  #highestId = 0;
  #closed = false;

  constructor(context: StoreContext, options: MessageQueueOptions = {}) {
    this.#context = context;
    this.#options = options;
    this.#receiptPrefix = context.random.hex(8);
  }

  async sendBatch(queueName: string, messages: readonly OutgoingMessage[]): Promise<readonly boolean[]> {
    checkBatch(queueName, messages);
    const nowMs = this.#context.clock.now();
    const { deduplication } = this.#queue(queueName);
    deduplication.forgetExpired(nowMs);
    const stored: StoredMessage[] = [];
    const results = messages.map((message) => {
      if (this.#options.refuse?.(queueName, message) === true) return false;
      const { group, deduplicationId, body } = message;
      const twin = (other: StoredMessage): boolean => other.group === group && other.deduplicationId === deduplicationId;
      if (deduplication.remembers(group, deduplicationId, nowMs) || stored.some(twin)) return true;
      stored.push({ id: this.#highestId + stored.length + 1, group, deduplicationId, body, sentAtMs: nowMs });
      return true;
    });
    if (stored.length > 0) this.#change({ kind: 'queue-send', queue: queueName, messages: stored });
    await this.#context.journal.room();
    return results;
  }

  async depth(queueName: string): Promise<number> {
    return this.#queues.get(queueName)?.fifo.depth ?? 0;
  }

  async receive(queueName: string, options: ReceiveOptions): Promise<readonly ReceivedMessage[]> {
    checkCount(options.messagesMax);
    const queue = this.#queue(queueName);
    const taken = this.#take(queue, options);
    if (taken.length > 0 || options.waitMs <= 0 || this.#closed) return taken;
    return new Promise((resolve) => {
      const waiter: Waiter = { options, resolve, cancelTimer: () => undefined, served: false };
      waiter.cancelTimer = this.#context.timers.after(options.waitMs, () => this.#settle(waiter, []));
      queue.waiters.push(waiter);
      this.#armDeadline(queue);
    });
  }

  async deleteBatch(queueName: string, receipts: readonly string[]): Promise<void> {
    checkCount(receipts.length);
    const { fifo } = this.#queue(queueName);
    const find = this.#options.staleReceipts === 'latest-deletes' ? fifo.latest.bind(fifo) : fifo.held.bind(fifo);
    const ids = [...new Set(this.#messagesOf(receipts, find).map((message) => message.id))];
    if (ids.length > 0) this.#change({ kind: 'queue-delete', queue: queueName, ids });
  }

  async changeVisibility(queueName: string, receipts: readonly string[], visibilityMs: number): Promise<void> {
    checkCount(receipts.length);
    const queue = this.#queue(queueName);
    const held = this.#messagesOf(receipts, queue.fifo.held.bind(queue.fifo));
    const nowMs = this.#context.clock.monotonic();
    for (const message of held) queue.fifo.changeVisibility(message, nowMs, visibilityMs);
    this.#serve(queue);
  }

  /** Nobody waits any longer, and nobody will. */
  close(): void {
    this.#closed = true;
    for (const queue of this.#queues.values()) {
      queue.cancelDeadline();
      for (let waiter = queue.waiters.shift(); waiter !== undefined; waiter = queue.waiters.shift()) this.#settle(waiter, []);
    }
  }

  /** `receiveCount` is how often sent messages count as received already: 0 when they are sent, 1 when they are read back after a restart. */
  apply(mutation: QueueMutation, receiveCount: number): void {
    const queue = this.#queue(mutation.queue);
    switch (mutation.kind) {
      case 'queue-send':
        for (const message of mutation.messages) {
          this.#highestId = Math.max(this.#highestId, message.id);
          queue.deduplication.remember(message.group, message.deduplicationId, message.sentAtMs);
          queue.fifo.append(message, receiveCount);
        }
        break;
      case 'queue-delete':
        for (const id of mutation.ids) queue.fifo.delete(id);
        break;
      case 'queue-memory':
        this.#highestId = Math.max(this.#highestId, mutation.highestId);
        for (const { group, deduplicationId, sentAtMs } of mutation.remembered)
          queue.deduplication.remember(group, deduplicationId, sentAtMs);
        break;
    }
  }

  *snapshot(): Iterable<QueueMutation> {
    const nowMs = this.#context.clock.now();
    for (const [name, { fifo, deduplication }] of this.#queues) {
      deduplication.forgetExpired(nowMs);
      for (const message of fifo.messages) yield { kind: 'queue-send', queue: name, messages: [storedPart(message)] };
      // After the messages: what is remembered of them is remembered once more, with the same time.
      yield { kind: 'queue-memory', queue: name, highestId: this.#highestId, remembered: deduplication.remembered() };
    }
  }

  #change(mutation: MutationOf<'queue-send' | 'queue-delete'>): void {
    this.apply(mutation, 0);
    this.#context.journal.append(mutation);
    this.#serve(this.#queue(mutation.queue));
  }

  #queue(name: string): Queue {
    let queue = this.#queues.get(name);
    if (queue === undefined) {
      queue = {
        fifo: new FifoQueue(),
        deduplication: new Deduplication(),
        waiters: new Deque(),
        armedForMs: Infinity,
        cancelDeadline: () => undefined,
      };
      this.#queues.set(name, queue);
    }
    return queue;
  }

  #take(queue: Queue, options: ReceiveOptions): readonly ReceivedMessage[] {
    const taken = queue.fifo.receive(options.messagesMax, this.#context.clock.monotonic(), options.visibilityMs);
    return taken.map((message) => ({
      messageId: String(message.id),
      receipt: `${this.#receiptPrefix}.${message.id}.${message.receiveCount}`,
      group: message.group,
      body: message.body,
      receiveCount: message.receiveCount,
      sentAtMs: message.sentAtMs,
    }));
  }

  #messagesOf(receipts: readonly string[], find: FifoQueue['held']): QueuedMessage[] {
    const nowMs = this.#context.clock.monotonic();
    const found: QueuedMessage[] = [];
    for (const receipt of receipts) {
      const [prefix, id, receive] = receipt.split('.');
      const message = prefix === this.#receiptPrefix ? find(Number(id), Number(receive), nowMs) : undefined;
      if (message !== undefined) found.push(message);
    }
    return found;
  }

  #serve(queue: Queue): void {
    const { waiters, fifo } = queue;
    while (waiters.length > 0 && fifo.hasVisible(this.#context.clock.monotonic())) {
      const waiter = waiters.shift()!;
      if (!waiter.served) this.#settle(waiter, this.#take(queue, waiter.options));
    }
    this.#armDeadline(queue);
  }

  #settle(waiter: Waiter, messages: readonly ReceivedMessage[]): void {
    waiter.served = true;
    waiter.cancelTimer();
    waiter.resolve(messages);
  }

  /** Without waiters nobody needs to be woken: the next receive looks at the deadlines itself. */
  #armDeadline(queue: Queue): void {
    for (let waiter = queue.waiters.peek(); waiter?.served === true; waiter = queue.waiters.peek()) queue.waiters.shift();
    const deadlineMs = queue.waiters.length === 0 ? Infinity : queue.fifo.nextDeadlineMs;
    if (deadlineMs === queue.armedForMs) return;
    queue.cancelDeadline();
    queue.armedForMs = deadlineMs;
    if (deadlineMs === Infinity) return;
    queue.cancelDeadline = this.#context.timers.after(deadlineMs - this.#context.clock.monotonic(), () => {
      queue.armedForMs = Infinity;
      this.#serve(queue);
    });
  }
}

function storedPart({ id, group, deduplicationId, body, sentAtMs }: QueuedMessage): StoredMessage {
  return { id, group, deduplicationId, body, sentAtMs };
}
