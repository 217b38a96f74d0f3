/** What Lambda's event source hands on of a queue, as the messages that functions work on. */
import type { SQSRecord } from 'aws-lambda';
import type { ReceivedMessage } from '../../ports/message-queue.ts';
import { bodyOfText } from '../sqs/body-text.ts';

export interface EventMessage {
  readonly message: ReceivedMessage;
  /** As it stood in the queue. */
  readonly text: string;
  /** The text is what our senders send: bytes in base64. Where it is not, the message has no body. */
  readonly isReadable: boolean;
}

export function readSqsRecord({ messageId, receiptHandle, body: text, attributes }: SQSRecord): EventMessage {
  const body = bodyOfText(text);
  const message: ReceivedMessage = {
    messageId,
    receipt: receiptHandle,
    // A standard queue has none: each message is for itself.
    group: attributes.MessageGroupId ?? '',
    body: body ?? new Uint8Array(0),
    receiveCount: Number(attributes.ApproximateReceiveCount),
    sentAtMs: Number(attributes.SentTimestamp),
  };
  return { message, text, isReadable: body !== undefined };
}
