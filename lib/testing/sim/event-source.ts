/**
 * Lambda's event source for one queue: receives, invokes a warm or a new container, deletes what succeeded.
 *
 * ES1. Who dies answers nothing: its messages come again when they become visible, and the source goes on with others.
 * ES2. Who answers after its messages have become visible again still deletes with the receipt it has; the queue decides what that is worth.
 */
import type { MessageReceiver, ReceivedMessage } from '../../ports/message-queue.ts';
import type { Container } from './container.ts';
import type { Decisions } from './decisions.ts';
import type { VirtualTime } from './virtual-time.ts';

export interface Warm {
  readonly container: Container;
  /** Ids of the messages that failed. */
  readonly handle: (messages: readonly ReceivedMessage[]) => Promise<readonly string[]>;
}

export interface EventSourceOptions {
  readonly queue: string;
  readonly receiver: MessageReceiver;
  readonly concurrency: number;
  readonly time: VirtualTime;
  readonly decisions: Decisions;
  readonly visibilityMs: number;
  readonly lifeMs: number;
  /** Whether it is turned on. */
  readonly isOn: () => boolean;
  /** Whether what is done is deleted; else it comes again. */
  readonly deletes: () => boolean;
  readonly make: () => Warm;
}

const messagesMax = 10;
const pollMs = 20_000;
/** How soon one that is turned on takes messages again. */
const offMs = 100;
/** Failed messages become visible again soon, not at once: what hinders them has to pass. */
const retryMs = 100;

export class EventSource {
  readonly #options: EventSourceOptions;
  readonly #warm: Warm[] = [];
  #stopped = false;

  constructor(options: EventSourceOptions) {
    this.#options = options;
  }

  start(): void {
    for (let i = 0; i < this.#options.concurrency; i++) void this.#loop();
  }

  /** Takes nothing more; who is at work goes on, as the functions of a replaced version do. */
  stop(): void {
    this.#stopped = true;
    this.#warm.length = 0;
  }

  /** The process that all of them are in is gone. */
  kill(): void {
    for (const { container } of this.#warm.splice(0)) container.kill();
  }

  async #loop(): Promise<void> {
    const { queue, receiver, time, decisions, visibilityMs, isOn } = this.#options;
    while (!this.#stopped) {
      if (!isOn()) {
        await time.sleep(offMs);
        continue;
      }
      const count = 1 + decisions.below(`batch/${queue}`, messagesMax);
      const messages = await receiver.receive(queue, { messagesMax: count, waitMs: pollMs, visibilityMs });
      if (messages.length === 0) await time.sleep(1);
      else if (this.#stopped) await receiver.changeVisibility(queue, messages.map(receiptOf), 0);
      else await this.#invoke(messages);
    }
  }

  async #invoke(messages: readonly ReceivedMessage[]): Promise<void> {
    const { queue, receiver, time, decisions, deletes, lifeMs } = this.#options;
    const warm = this.#take();
    const { container } = warm;
    container.invokedAtMs = time.nowMs;
    container.inHand = messages.map(({ messageId }) => messageId);
    const failed = await new Promise<readonly string[] | null>((resolve) => {
      const timeout = time.after(lifeMs, () => resolve(null));
      const end = (outcome: readonly string[] | null): void => {
        timeout();
        resolve(outcome);
      };
      container.onDeath(() => end(null));
      warm.handle(messages).then(end, () => end(messages.map(({ messageId }) => messageId)));
    });
    if (failed === null) return container.kill();
    container.invokedAtMs = null;
    if (container.alive && !this.#stopped) this.#warm.push(warm);
    const done = messages.filter(({ messageId }) => !failed.includes(messageId));
    const again = messages.filter(({ messageId }) => failed.includes(messageId));
    if (done.length > 0 && deletes()) await receiver.deleteBatch(queue, done.map(receiptOf));
    if (again.length > 0) await receiver.changeVisibility(queue, again.map(receiptOf), decisions.fraction(`retry/${queue}`) * retryMs);
  }

  #take(): Warm {
    const { queue, decisions, make } = this.#options;
    const at = this.#warm.length > 0 && decisions.chance(`warm/${queue}`, 0.85) ? decisions.below(`which/${queue}`, this.#warm.length) : -1;
    return at < 0 ? make() : this.#warm.splice(at, 1)[0]!;
  }
}

function receiptOf({ receipt }: ReceivedMessage): string {
  return receipt;
}
