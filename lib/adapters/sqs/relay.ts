/**
 * What the relay does with the messages of the delay queue: those that are due go to their FIFO queue, those that came too early go round once more.
 *
 * RL1. A message is done when its queue has taken it, or the delay queue has taken it again: before that it is failed, alone, and comes again.
 * RL2. Order does not matter: whoever is woken accepts numbers upwards and wants no gaps filled.
 */
import { errorMessage } from '../../base/errors.ts';
import type { MessageSender, ReceivedMessage } from '../../ports/message-queue.ts';
import type { Logger } from '../../ports/system.ts';
import { sendDelayed, type DelayQueue } from './delay.ts';
import { decodeDelayed, type DelayedMessage } from './delayed-message.ts';

export interface RelayOptions extends DelayQueue {
  readonly sender: Pick<MessageSender, 'sendBatch'>;
  readonly logger: Logger;
}

interface Held {
  readonly messageId: string;
  readonly delayed: DelayedMessage;
}

/** The ids of those that must come again. Whoever calls has set aside what is no delayed message. */
export async function relayDelayed(options: RelayOptions, messages: readonly ReceivedMessage[]): Promise<readonly string[]> {
  const failed = new Set<string>();
  const due = new Map<string, Held[]>();
  const early: Held[] = [];
  const nowMs = options.clock.now();
  for (const { messageId, body } of messages) {
    const delayed = decodeDelayed(body);
    if (delayed.dueAtMs > nowMs) early.push({ messageId, delayed });
    else due.set(delayed.queue, [...(due.get(delayed.queue) ?? []), { messageId, delayed }]);
  }
  const fail = (held: readonly Held[], error?: unknown): void => {
    for (const { messageId } of held) failed.add(messageId);
    if (error === undefined) return;
    options.logger.log('warn', 'delayed messages could not be handed on', { queue: held[0]!.delayed.queue, error: errorMessage(error) });
  };
  await Promise.all([
    ...early.map((held) => sendDelayed(options, held.delayed).catch((error: unknown) => fail([held], error))),
    ...[...due.values()].map((held) => handOn(options, held).then(fail, (error: unknown) => fail(held, error))),
  ]);
  return [...failed];
}

/** Those that the queue has not taken. All of a batch fit into one call (delayed-message.ts). */
async function handOn({ sender }: RelayOptions, held: readonly Held[]): Promise<readonly Held[]> {
  const taken = await sender.sendBatch(
    held[0]!.delayed.queue,
    held.map(({ delayed: { group, deduplicationId, body } }) => ({ group, deduplicationId, body })),
  );
  return held.filter((_, index) => taken[index] !== true);
}
