/**
 * Wake-ups in order of their due time, with one timer for the earliest.
 *
 * D1. A wake-up is forgotten only after its message has been taken by the queue: one that fires twice is allowed, one that is lost is not.
 */
import type { MessageSender } from '../../ports/message-queue.ts';
import type { CancelTimer, Delay } from '../../ports/system.ts';
import { MinHeap } from './min-heap.ts';
import type { MutationOf, StoredWakeUp } from './mutation.ts';
import { checkBatch } from './queue-limits.ts';
import type { StoreContext } from './store-context.ts';

type DelayMutation = MutationOf<'delay-put' | 'delay-remove'>;

/** How long to wait with a wake-up that the queue has refused. */
const retryMs = 100;

export class MemoryDelay implements Delay {
  readonly #context: StoreContext;
  readonly #sender: MessageSender;
  readonly #wakeUps = new Map<number, StoredWakeUp>();
  readonly #due = new MinHeap<number>();
  #highestId = 0;
  #cancelTimer: CancelTimer = () => undefined;
  #firing = false;
  #closed = false;

  constructor(context: StoreContext, sender: MessageSender) {
    this.#context = context;
    this.#sender = sender;
  }

  async schedule(wakeUp: Parameters<Delay['schedule']>[0]): Promise<void> {
    // What a queue can never take is refused here: later, nobody could be told.
    checkBatch(wakeUp.queue, [wakeUp]);
    this.#change({ kind: 'delay-put', wakeUp: { ...wakeUp, id: this.#highestId + 1 } });
    this.arm();
  }

  /** Waits for the earliest wake-up. Called once after wake-ups have been read back. */
  arm(): void {
    if (this.#closed || this.#firing || this.#due.size === 0) return;
    this.#cancelTimer();
    this.#cancelTimer = this.#context.timers.after(this.#due.first - this.#context.clock.now(), () => void this.#fireDue());
  }

  close(): void {
    this.#closed = true;
    this.#cancelTimer();
  }

  apply(mutation: DelayMutation): void {
    if (mutation.kind === 'delay-remove') {
      this.#wakeUps.delete(mutation.id);
      return;
    }
    const { wakeUp } = mutation;
    this.#highestId = Math.max(this.#highestId, wakeUp.id);
    this.#wakeUps.set(wakeUp.id, wakeUp);
    this.#due.push(wakeUp.dueAtMs, wakeUp.id);
  }

  *snapshot(): Iterable<MutationOf<'delay-put'>> {
    for (const wakeUp of this.#wakeUps.values()) yield { kind: 'delay-put', wakeUp };
  }

  #change(mutation: DelayMutation): void {
    this.apply(mutation);
    this.#context.journal.append(mutation);
  }

  async #fireDue(): Promise<void> {
    this.#firing = true;
    try {
      while (!this.#closed && this.#due.first <= this.#context.clock.now()) {
        const id = this.#due.pop()!;
        const wakeUp = this.#wakeUps.get(id);
        if (wakeUp === undefined) continue;
        if (await this.#send(wakeUp)) this.#change({ kind: 'delay-remove', id });
        else this.#due.push(this.#context.clock.now() + retryMs, id);
      }
    } finally {
      this.#firing = false;
      this.arm();
    }
  }

  async #send({ queue, group, deduplicationId, body }: StoredWakeUp): Promise<boolean> {
    try {
      const [taken] = await this.#sender.sendBatch(queue, [{ group, deduplicationId, body }]);
      return taken === true;
    } catch {
      // Whatever the queue's trouble is, the wake-up must not be lost.
      return false;
    }
  }
}
