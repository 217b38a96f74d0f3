/**
 * What Lambda hands to an intake, and what it wants back: messages of the user's queue, or a request by HTTP.
 *
 * IE1. Every id in the answer is one of the batch: Lambda takes a malformed answer for success, or fails everything. What goes wrong outside any message
 *      fails the whole batch.
 */
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2, SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import { errorMessage } from '../../base/errors.ts';
import type { Logger } from '../../ports/system.ts';

interface QueueMessage {
  readonly messageId: string;
  readonly fifo: { readonly group: string; readonly sequence: string } | null;
  readonly text: string;
}

/** `take` names those that must come again. */
export async function answerQueue(
  event: SQSEvent,
  { take, logger }: { readonly take: (messages: readonly QueueMessage[]) => Promise<readonly string[]>; readonly logger: Logger },
): Promise<SQSBatchResponse> {
  const messages = event.Records.map(messageOf);
  const ids = messages.map(({ messageId }) => messageId);
  let failed: readonly string[];
  try {
    const named = new Set(await take(messages));
    failed = ids.filter((id) => named.has(id));
  } catch (error) {
    logger.log('error', 'an intake failed outside any message: its whole batch comes again', { error: errorMessage(error) });
    failed = ids;
  }
  return { batchItemFailures: failed.map((itemIdentifier) => ({ itemIdentifier })) };
}

/** A standard queue may have groups too (fair queues), but numbers nothing. */
function messageOf({ messageId, body, attributes: { MessageGroupId: group, SequenceNumber: sequence } }: SQSRecord): QueueMessage {
  return { messageId, text: body, fifo: group === undefined || sequence === undefined ? null : { group, sequence } };
}

interface Request {
  readonly body: Uint8Array;
  readonly contentType: string | undefined;
  readonly idempotencyKey: string | undefined;
}

/** API Gateway writes names of headers in small letters. */
export function requestOf({ body = '', isBase64Encoded, headers }: APIGatewayProxyEventV2): Request {
  return {
    body: Buffer.from(body, isBase64Encoded ? 'base64' : 'utf8'),
    contentType: headers['content-type'],
    idempotencyKey: headers['idempotency-key'],
  };
}

export function responseOf(answer: {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
}): APIGatewayProxyStructuredResultV2 {
  return {
    statusCode: answer.status,
    headers: { ...answer.headers, 'content-type': 'application/json' },
    body: JSON.stringify(answer.body),
  };
}
