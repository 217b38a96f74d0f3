import { errorCode, errorMessage } from '../lib/base/errors.ts';
import type { ReceivedMessage } from '../lib/ports/message-queue.ts';
import type { Logger } from '../lib/ports/system.ts';

/** One after the other, up to the first that fails: it and what follows come again. */
export function receiveInOrder(receive: (body: Uint8Array) => Promise<unknown>, logger: Logger) {
  return async (messages: readonly ReceivedMessage[]): Promise<readonly string[]> => {
    for (const [index, { body }] of messages.entries()) {
      try {
        await receive(body);
      } catch (error) {
        logger.log('warn', 'a message to the coordinator failed and comes again', { code: errorCode(error), error: errorMessage(error) });
        return messages.slice(index).map(({ messageId }) => messageId);
      }
    }
    return [];
  };
}
