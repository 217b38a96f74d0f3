/** What a queue refuses as a whole call: an error of the caller and no outcome of an entry. Checked before anything is taken. */
import { SluiceError } from '../../base/errors.ts';
import { limits } from '../../base/limits.ts';
import type { OutgoingMessage } from '../../ports/message-queue.ts';

/** A body travels as base64: four characters of text for three bytes. */
function textBytes(body: Uint8Array): number {
  return Math.ceil(body.length / 3) * 4;
}

export function checkBatch(queue: string, messages: readonly OutgoingMessage[]): void {
  checkCount(messages.length);
  let bytes = 0;
  for (const { body, deduplicationId, group } of messages) {
    bytes += textBytes(body);
    checkId('deduplication id', deduplicationId, queue);
    checkId('message group', group, queue);
  }
  if (bytes > limits.messageTextBytesMax)
    refuse(`${bytes} bytes of text in one call`, { queue, bytes, bytesMax: limits.messageTextBytesMax });
}

export function checkCount(count: number): void {
  if (!(count >= 1 && count <= limits.messagesPerBatchMax))
    refuse(`${count} messages in one call`, { count, countMax: limits.messagesPerBatchMax });
}

function checkId(what: string, id: string, queue: string): void {
  if (id.length === 0 || id.length > limits.messageIdCharactersMax)
    refuse(`a ${what} of ${id.length} characters`, { queue, id: id.slice(0, 200) });
}

function refuse(what: string, facts: Readonly<Record<string, unknown>>): never {
  throw new SluiceError('SLUICE-QUEUE-CALL-INVALID', `a queue refuses ${what}`, {
    hint: 'This is a fault in Sluice: it must pack messages within the limits of SQS. Report the facts below.',
    facts,
  });
}
