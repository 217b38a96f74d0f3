/**
 * One FIFO queue as SQS has it in high-throughput mode. Synchronous: the port around it owns clocks, waiting and what is written down.
 *
 * F1. Per group, messages are delivered in the order they were sent. A message in flight blocks the later messages of its group, not the earlier ones:
 *     one that becomes visible again before its followers is delivered again before them.
 * F2. A message is in flight from its receive until its delete or its deadline, whichever is first.
 * F3. A receipt names one receive. The receipt of an earlier receive changes nothing.
 * F4. Constant time per message: no scan over groups, no timer per message, bodies are never copied.
 */
import { Deque } from './deque.ts';
import { MinHeap } from './min-heap.ts';
import type { StoredMessage } from './mutation.ts';

export interface QueuedMessage extends StoredMessage {
  readonly home: Group;
  receiveCount: number;
  /** Deadline by the monotonic clock; -1 = visible. */
  hiddenUntilMs: number;
  previous: QueuedMessage | undefined;
  next: QueuedMessage | undefined;
}

interface Group {
  readonly name: string;
  head: QueuedMessage | undefined;
  tail: QueuedMessage | undefined;
  /** Stands in the line of groups that have something to deliver. */
  ready: boolean;
}

const visible = -1;

export class FifoQueue {
  readonly #groups = new Map<string, Group>();
  readonly #messages = new Map<number, QueuedMessage>();
  readonly #ready = new Deque<Group>();
  /** Deadlines by message id; obsolete ones stay until they come up. Ids, not messages: a deleted body must not be kept alive. */
  #deadlines = new MinHeap<number>();

  get depth(): number {
    return this.#messages.size;
  }

  get messages(): IterableIterator<QueuedMessage> {
    return this.#messages.values();
  }

  append(message: StoredMessage, receiveCount: number): void {
    let group = this.#groups.get(message.group);
    if (group === undefined)
      this.#groups.set(message.group, (group = { name: message.group, head: undefined, tail: undefined, ready: false }));
    const queued: QueuedMessage = {
      id: message.id,
      group: group.name,
      deduplicationId: message.deduplicationId,
      body: message.body,
      sentAtMs: message.sentAtMs,
      home: group,
      receiveCount,
      hiddenUntilMs: visible,
      previous: group.tail,
      next: undefined,
    };
    if (group.tail === undefined) group.head = queued;
    else group.tail.next = queued;
    group.tail = queued;
    this.#messages.set(message.id, queued);
    this.#line(group);
  }

  /** Takes as many messages of one group as there are, then those of the next group, up to `messagesMax`. */
  receive(messagesMax: number, nowMs: number, visibilityMs: number): QueuedMessage[] {
    this.expire(nowMs);
    const taken: QueuedMessage[] = [];
    while (taken.length < messagesMax) {
      const group = this.#ready.shift();
      if (group === undefined) break;
      group.ready = false;
      for (let message = group.head; message?.hiddenUntilMs === visible && taken.length < messagesMax; message = message.next) {
        message.receiveCount += 1;
        this.#hide(message, nowMs + visibilityMs);
        taken.push(message);
      }
    }
    return taken;
  }

  /** The message, where it is in flight by this very receive. */
  held(id: number, receive: number, nowMs: number): QueuedMessage | undefined {
    const message = this.latest(id, receive, nowMs);
    return message === undefined || message.hiddenUntilMs === visible ? undefined : message;
  }

  /** The message, where this receive is its latest, in flight or not. */
  latest(id: number, receive: number, nowMs: number): QueuedMessage | undefined {
    this.expire(nowMs);
    const message = this.#messages.get(id);
    return message?.receiveCount === receive ? message : undefined;
  }

  delete(id: number): void {
    const message = this.#messages.get(id);
    if (message === undefined) return;
    this.#messages.delete(id);
    const group = message.home;
    if (message.previous === undefined) group.head = message.next;
    else message.previous.next = message.next;
    if (message.next === undefined) group.tail = message.previous;
    else message.next.previous = message.previous;
    if (group.head === undefined) this.#groups.delete(group.name);
    else this.#line(group);
  }

  changeVisibility(message: QueuedMessage, nowMs: number, visibilityMs: number): void {
    if (visibilityMs > 0) this.#hide(message, nowMs + visibilityMs);
    else this.#show(message);
  }

  /** True where a receive would bring something. */
  hasVisible(nowMs: number): boolean {
    this.expire(nowMs);
    for (let group = this.#ready.peek(); group !== undefined; group = this.#ready.peek()) {
      if (group.head?.hiddenUntilMs === visible) return true;
      this.#ready.shift();
      group.ready = false;
    }
    return false;
  }

  /** When the next message in flight may become visible; Infinity where none can. May be too early, never too late. */
  get nextDeadlineMs(): number {
    return this.#deadlines.first;
  }

  expire(nowMs: number): void {
    while (this.#deadlines.first <= nowMs) {
      const message = this.#messages.get(this.#deadlines.pop()!);
      if (message !== undefined && message.hiddenUntilMs !== visible && message.hiddenUntilMs <= nowMs) this.#show(message);
    }
  }

  #hide(message: QueuedMessage, untilMs: number): void {
    message.hiddenUntilMs = untilMs;
    this.#deadlines.push(untilMs, message.id);
    if (this.#deadlines.size > 64 + this.#messages.size * 2) {
      this.#deadlines.retain((deadlineMs, id) => this.#messages.get(id)?.hiddenUntilMs === deadlineMs);
    }
  }

  #show(message: QueuedMessage): void {
    message.hiddenUntilMs = visible;
    this.#line(message.home);
  }

  #line(group: Group): void {
    if (group.ready || group.head?.hiddenUntilMs !== visible) return;
    group.ready = true;
    this.#ready.push(group);
  }
}
