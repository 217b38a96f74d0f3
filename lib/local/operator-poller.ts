/**
 * The local stand-in for Lambda's event source: receives from one queue, runs the function, deletes what succeeded.
 *
 * Failed messages become visible again after a pause that doubles with their receives, so that a poison batch does not burn a core.
 */
import { errorMessage } from '../base/errors.ts';
import { limits } from '../base/limits.ts';
import type { MessageReceiver, ReceivedMessage } from '../ports/message-queue.ts';
import type { Logger, Timers } from '../ports/system.ts';
import type { Postpone } from '../runtime/operator-function.ts';

export interface PollerOptions {
  readonly queue: string;
  readonly receiver: MessageReceiver;
  readonly timers: Timers;
  readonly logger: Logger;
  /** `postpone`: how long what failed rests, where the pause is not the poller's to choose. */
  readonly handle: (messages: readonly ReceivedMessage[], postpone: Postpone) => Promise<readonly string[]>;
  readonly retryMs: number;
}

const retryMaxMs = 10_000;
/** How long one receive waits; a stop ends it sooner by closing the stores. */
const receiveWaitMs = 20_000;

export class OperatorPoller {
  readonly #options: PollerOptions;
  #stopped = false;
  #running: Promise<void> | undefined;
  #inHand: Promise<void> | undefined;

  constructor(options: PollerOptions) {
    this.#options = options;
  }

  start(): void {
    this.#running ??= this.#loop();
  }

  /** Resolves when the invocation in hand has ended; takes no further message. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  requestStop(): void {
    this.#stopped = true;
  }

  /** Resolves when the invocation in hand has ended; after a request to stop there is none after it. */
  async idle(): Promise<void> {
    // How it failed is told by `stop`.
    await this.#inHand?.catch(() => undefined);
  }

  async #loop(): Promise<void> {
    const { queue, receiver } = this.#options;
    const options = { messagesMax: limits.messagesPerBatchMax, waitMs: receiveWaitMs, visibilityMs: limits.visibilityTimeoutMs };
    while (!this.#stopped) {
      const messages = await receiver.receive(queue, options);
      if (this.#stopped) return this.#giveBack(messages);
      if (messages.length > 0) {
        this.#inHand = this.#invoke(messages);
        await this.#inHand;
      }
      // All adapters here answer without leaving the process: without a turn of the event loop timers and HTTP would starve.
      await new Promise<void>((resolve) => this.#options.timers.after(0, resolve));
    }
  }

  /** What came to a receive that began before the stop is for the next run, without a pause. */
  async #giveBack(messages: readonly ReceivedMessage[]): Promise<void> {
    const { queue, receiver } = this.#options;
    if (messages.length > 0) await receiver.changeVisibility(queue, messages.map(receiptOf), 0);
  }

  async #invoke(messages: readonly ReceivedMessage[]): Promise<void> {
    const { queue, receiver, logger, handle, retryMs } = this.#options;
    let failed: readonly string[];
    const pauses = new Map<string, number>();
    try {
      failed = await handle(messages, (ids, pauseMs) => ids.forEach((id) => pauses.set(id, pauseMs)));
    } catch (error) {
      logger.log('error', 'a function failed outside any shard', { queue, error: errorMessage(error) });
      failed = messages.map(({ messageId }) => messageId);
    }
    const done = messages.filter(({ messageId }) => !failed.includes(messageId));
    if (done.length > 0) await receiver.deleteBatch(queue, done.map(receiptOf));
    const failures = messages.filter(({ messageId }) => failed.includes(messageId));
    const postponed = failures.filter(({ messageId }) => pauses.has(messageId));
    for (const pauseMs of new Set(postponed.map(({ messageId }) => pauses.get(messageId)!))) {
      const resting = postponed.filter(({ messageId }) => pauses.get(messageId) === pauseMs);
      await receiver.changeVisibility(queue, resting.map(receiptOf), pauseMs);
    }
    const again = failures.filter(({ messageId }) => !pauses.has(messageId));
    if (again.length === 0) return;
    const tries = Math.min(...again.map(({ receiveCount }) => receiveCount));
    await receiver.changeVisibility(queue, again.map(receiptOf), Math.min(retryMs * 2 ** (tries - 1), retryMaxMs));
  }
}

function receiptOf({ receipt }: ReceivedMessage): string {
  return receipt;
}
