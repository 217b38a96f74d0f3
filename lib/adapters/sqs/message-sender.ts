/**
 * Sends to FIFO queues, and looks how much waits in them.
 *
 * MS1. One entry, one result: an entry that the service names neither as taken nor as refused was not taken.
 * MS2. An entry that is the caller's own fault would be refused for ever: an error, so that it is told.
 */
import { GetQueueAttributesCommand, SendMessageBatchCommand, type BatchResultErrorEntry } from '@aws-sdk/client-sqs';
import { SluiceError } from '../../base/errors.ts';
import type { MessageSender, OutgoingMessage } from '../../ports/message-queue.ts';
import { telling } from '../aws-sdk/telling.ts';
import { checkBatch } from '../memory/queue-limits.ts';
import { textOfBody } from './body-text.ts';
import { urlOf, type SqsAccess } from './sqs-access.ts';

export function createSqsSender(access: SqsAccess): MessageSender {
  return telling<MessageSender>('SQS', {
    sendBatch: (queue, messages) => sendBatch(access, queue, messages),
    depth: (queue) => depth(access, queue),
  });
}

async function sendBatch(access: SqsAccess, queue: string, messages: readonly OutgoingMessage[]): Promise<readonly boolean[]> {
  checkBatch(queue, messages);
  const { Successful: taken = [], Failed: refused = [] } = await access.client.send(
    new SendMessageBatchCommand({
      QueueUrl: urlOf(access, queue),
      Entries: messages.map(({ group, deduplicationId, body }, index) => ({
        Id: String(index),
        MessageGroupId: group,
        MessageDeduplicationId: deduplicationId,
        MessageBody: textOfBody(body),
      })),
    }),
  );
  const hopeless = refused.find(isHopeless);
  if (hopeless !== undefined) throw refusedFor(queue, hopeless);
  const ids = new Set(taken.map(({ Id }) => Id));
  return messages.map((_, index) => ids.has(String(index)));
}

/** MS2. A throttle comes as the sender's fault too. */
function isHopeless({ SenderFault: isOurs, Code: code = '' }: BatchResultErrorEntry): boolean {
  return isOurs === true && !/thrott|toomany|slowdown/i.test(code);
}

function refusedFor(queue: string, { Code: code, Message: message }: BatchResultErrorEntry): SluiceError {
  return new SluiceError('SLUICE-QUEUE-CALL-INVALID', `the queue ${queue} refuses a message: ${message ?? code}`, {
    hint: 'Look at the settings of the queue, above all its maximum message size (1 MiB is wanted), and at its key.',
    facts: { queue, code },
  });
}

const counted = ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible'] as const;

async function depth(access: SqsAccess, queue: string): Promise<number> {
  const command = new GetQueueAttributesCommand({ QueueUrl: urlOf(access, queue), AttributeNames: [...counted] });
  const { Attributes: attributes } = await access.client.send(command);
  return counted.reduce((sum, name) => sum + Number(attributes?.[name] ?? 0), 0);
}
