/**
 * Receives from queues where no event source does: relays of a user's queue, tests. What Lambda's event source hands on is read in lib/adapters/lambda.
 *
 * MR1. A receipt that SQS does not know any more is no error: somebody else holds the message, or nobody needs to.
 */
import {
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageBatchCommand,
  ReceiveMessageCommand,
  type BatchResultErrorEntry,
  type Message,
} from '@aws-sdk/client-sqs';
import type { MessageReceiver, ReceivedMessage } from '../../ports/message-queue.ts';
import { telling } from '../aws-sdk/telling.ts';
import { checkCount } from '../memory/queue-limits.ts';
import { bodyOfText } from './body-text.ts';
import { secondsOf, urlOf, type SqsAccess } from './sqs-access.ts';

const waitSecondsMax = 20;
/** Twelve hours from the receive on: some of them have passed. */
const visibilitySecondsMax = 42_000;

export function createSqsReceiver(access: SqsAccess): MessageReceiver {
  return telling<MessageReceiver>('SQS', {
    receive: (queue, options) => receive(access, queue, options),
    deleteBatch: (queue, receipts) => deleteBatch(access, queue, receipts),
    changeVisibility: (queue, receipts, visibilityMs) => changeVisibility(access, queue, receipts, visibilityMs),
  });
}

async function receive(
  access: SqsAccess,
  queue: string,
  { messagesMax, waitMs, visibilityMs }: Parameters<MessageReceiver['receive']>[1],
): Promise<readonly ReceivedMessage[]> {
  checkCount(messagesMax);
  const { Messages: messages = [] } = await access.client.send(
    new ReceiveMessageCommand({
      QueueUrl: urlOf(access, queue),
      MaxNumberOfMessages: messagesMax,
      WaitTimeSeconds: secondsOf(waitMs, waitSecondsMax),
      VisibilityTimeout: secondsOf(visibilityMs, visibilitySecondsMax),
      MessageSystemAttributeNames: ['ApproximateReceiveCount', 'SentTimestamp', 'MessageGroupId'],
    }),
  );
  return messages.map(receivedMessage);
}

function receivedMessage({
  MessageId: messageId,
  ReceiptHandle: receipt,
  Body: text = '',
  Attributes: attributes = {},
}: Message): ReceivedMessage {
  return {
    messageId: messageId!,
    receipt: receipt!,
    group: attributes.MessageGroupId ?? '',
    // What is no base64 is nobody's of us: as text it is refused by whoever reads it, and can be shown.
    body: bodyOfText(text) ?? Buffer.from(text, 'utf8'),
    receiveCount: Number(attributes.ApproximateReceiveCount ?? 1),
    sentAtMs: Number(attributes.SentTimestamp ?? 0),
  };
}

async function deleteBatch(access: SqsAccess, queue: string, receipts: readonly string[]): Promise<void> {
  checkCount(receipts.length);
  const entries = receipts.map((receipt, index) => ({ Id: String(index), ReceiptHandle: receipt }));
  const { Failed: refused } = await access.client.send(new DeleteMessageBatchCommand({ QueueUrl: urlOf(access, queue), Entries: entries }));
  throwWhereServiceFailed('deleted', queue, refused);
}

async function changeVisibility(access: SqsAccess, queue: string, receipts: readonly string[], visibilityMs: number): Promise<void> {
  checkCount(receipts.length);
  const seconds = secondsOf(visibilityMs, visibilitySecondsMax);
  const entries = receipts.map((receipt, index) => ({ Id: String(index), ReceiptHandle: receipt, VisibilityTimeout: seconds }));
  const command = new ChangeMessageVisibilityBatchCommand({ QueueUrl: urlOf(access, queue), Entries: entries });
  const { Failed: refused } = await access.client.send(command);
  throwWhereServiceFailed('put off', queue, refused);
}

/** MR1: what the sender is at fault for are receipts. */
function throwWhereServiceFailed(what: string, queue: string, refused: readonly BatchResultErrorEntry[] = []): void {
  const failures = refused.filter(({ SenderFault: isOurs }) => isOurs !== true);
  if (failures.length > 0)
    throw new Error(`${failures.length} messages of ${queue} were not ${what}: ${failures[0]!.Message ?? failures[0]!.Code}`);
}
