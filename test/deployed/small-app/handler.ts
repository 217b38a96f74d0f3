import { DeleteItemCommand, DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { SendMessageBatchCommand, SQSClient } from '@aws-sdk/client-sqs';
import type { Context, SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import { setTimeout as sleep } from 'node:timers/promises';

interface TaskInput {
  readonly act: string;
  readonly execution: string;
  readonly token?: string;
  readonly retry: number;
}

const { TABLE: table = '', QUEUE_URL: queueUrl = '' } = process.env;
const dynamodb = new DynamoDBClient();
const sqs = new SQSClient({ useQueueUrlAsEndpoint: false });

/** Messages of the queue say what is to be done with them; the state machine calls the same function with an act. */
export async function handler(event: SQSEvent | TaskInput, context: Context): Promise<unknown> {
  return 'Records' in event ? handleMessages(event, context) : handleTask(event);
}

async function handleMessages({ Records: records }: SQSEvent, context: Context): Promise<SQSBatchResponse> {
  const failed: string[] = [];
  for (const record of records) {
    const { name, sleepMs = 0, wrongId = false } = JSON.parse(record.body) as { name: string; sleepMs?: number; wrongId?: boolean };
    const isFirst = record.attributes.ApproximateReceiveCount === '1';
    await note(`message#${name}`, `begun#${record.attributes.ApproximateReceiveCount}`, facts(record, context));
    await sleep(sleepMs);
    await note(`message#${name}`, `ended#${record.attributes.ApproximateReceiveCount}`, facts(record, context));
    if (wrongId && isFirst) failed.push('no-message-of-the-batch');
  }
  return { batchItemFailures: failed.map((itemIdentifier) => ({ itemIdentifier })) };
}

function facts({ attributes, messageId }: SQSRecord, context: Context): Readonly<Record<string, string>> {
  return {
    atMs: String(Date.now()),
    pid: String(process.pid),
    messageId,
    group: attributes.MessageGroupId ?? '',
    sequence: attributes.SequenceNumber ?? '',
    remainingMs: String(context.getRemainingTimeInMillis()),
  };
}

class BarrierLost extends Error {
  override readonly name = 'BarrierLost';
}

async function handleTask({ act, execution, token = '', retry }: TaskInput): Promise<unknown> {
  if (act.startsWith('note')) await note(`task#${execution}`, `token#${retry}`, { token, atMs: String(Date.now()) });
  if (act === 'note-and-sleep') await sleep(3_000);
  if (act === 'throw') {
    await note(`task#${execution}`, `thrown#${retry}`, { pid: String(process.pid), atMs: String(Date.now()) });
    throw new BarrierLost('the barrier is gone');
  }
  if (act === 'batch') {
    const entry = { Id: '1', MessageGroupId: execution, MessageDeduplicationId: '1', MessageBody: JSON.stringify({ name: execution }) };
    const { Failed: failed = [] } = await sqs.send(new SendMessageBatchCommand({ QueueUrl: queueUrl, Entries: [entry] }));
    return { failed: failed.length };
  }
  if (act === 'forbidden') {
    await dynamodb.send(new DeleteItemCommand({ TableName: table, Key: { pk: { S: 'a' }, sk: { S: 'b' } } }));
  }
  return { pid: process.pid };
}

async function note(pk: string, sk: string, attributes: Readonly<Record<string, string>>): Promise<void> {
  const entries = Object.entries({ pk, sk, ...attributes }).map(([name, value]) => [name, { S: value }] as const);
  await dynamodb.send(new PutItemCommand({ TableName: table, Item: Object.fromEntries(entries) }));
}
