import type { MessageSender } from '../../ports/message-queue.ts';

/** As if every message came more than five minutes after the one before: deduplication remembers none. */
export function withoutMemory(queue: MessageSender): MessageSender {
  let number = 0;
  return {
    depth: (name) => queue.depth(name),
    sendBatch: (name, messages) =>
      queue.sendBatch(
        name,
        messages.map((message) => ({ ...message, deduplicationId: `${message.deduplicationId}-${++number}` })),
      ),
  };
}
