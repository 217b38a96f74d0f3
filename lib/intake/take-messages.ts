/** Messages of a user's queue, as they come: each is a record, whatever it holds. */
import { identityOf } from '../model/intake-identity.ts';
import type { OfferedRecord, TakeIn } from './take-in.ts';

export interface QueueMessage {
  readonly messageId: string;
  /** Of a FIFO queue, which gives both. */
  readonly fifo: { readonly group: string; readonly sequence: string } | null;
  readonly text: string;
}

/** Ids of those that must come again. Of a FIFO group these are its last ones: a group is in one partition, where order holds. */
export async function takeMessages(takeIn: TakeIn, messages: readonly QueueMessage[]): Promise<readonly string[]> {
  const { taken } = await takeIn(messages.map(recordOf));
  return messages.filter((_, index) => taken[index] !== true).map(({ messageId }) => messageId);
}

/** SQS delivers a message again under the same id, and numbers those of a FIFO group; what a sender sends twice are two messages. */
function recordOf({ messageId, fifo, text }: QueueMessage): OfferedRecord {
  if (fifo === null) return { key: messageId, id: identityOf(`message ${messageId}`, text), text };
  return { key: fifo.group, id: identityOf(`fifo ${fifo.sequence} ${fifo.group}`, text), text };
}
