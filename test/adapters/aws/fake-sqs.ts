/**
 * SQS in this process. FIFO queues are the memory adapter's, which keeps the same contract; a standard queue is a list with delays, from which an event
 * source hands on what is visible, as Lambda's does.
 */
import { createHash } from 'node:crypto';
import type { SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import { MemoryMessageQueue, type MessageQueueOptions } from '../../../lib/adapters/memory/message-queue.ts';
import { volatileJournal } from '../../../lib/adapters/memory/store-context.ts';
import type { Clock, Random, Timers } from '../../../lib/ports/system.ts';
import { FakeService, json, jsonError, type FakeAnswer, type FakeRequest } from './fake-service.ts';

export interface FakeSqsOptions {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly queue?: MessageQueueOptions;
}

/** What a request holds: the names that SQS has for it, by operation. */
type Json = ReturnType<typeof JSON.parse>;
type Consumer = (event: SQSEvent) => Promise<SQSBatchResponse>;

interface StandardMessage {
  readonly id: string;
  readonly text: string;
  readonly sentAtMs: number;
  visibleAtMs: number;
  receives: number;
}

const textMax = 1_048_576;
const visibilityMs = 35_000;
const refusedCharacters = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/;

export class FakeSqs {
  readonly service = new FakeService(
    ({ headers }) => headers['x-amz-target']!.replace('AmazonSQS.', ''),
    (request) => this.#answer(request),
  );
  readonly #options: FakeSqsOptions;
  readonly #fifo: MemoryMessageQueue;
  readonly #texts: string[] = [];
  readonly #standard: StandardMessage[] = [];
  #consumer: Consumer | undefined;
  #closed = false;

  constructor(options: FakeSqsOptions) {
    const { refuse, ...queue } = options.queue ?? {};
    this.#options = options;
    this.#fifo = new MemoryMessageQueue(
      { ...options, journal: volatileJournal, protect: (value) => value },
      {
        ...queue,
        ...(refuse === undefined
          ? {}
          : { refuse: (url, message) => refuse(nameOf(url), { ...message, body: Buffer.from(this.#textOf(message.body), 'base64') }) }),
      },
    );
  }

  url(queue: string): string {
    return `https://sqs.eu-west-1.amazonaws.com/000000000000/${queue}.fifo`;
  }

  /** What was sent to other standard queues, in batches. */
  readonly sent: { readonly url: string; readonly text: string; readonly id: string | undefined }[] = [];
  readonly delayQueueUrl = 'https://sqs.eu-west-1.amazonaws.com/000000000000/delay';

  /** The event source of the standard queue. */
  consume(consumer: Consumer): void {
    this.#consumer = consumer;
  }

  /** As EventBridge Scheduler does. */
  sendStandard(text: string, delayMs = 0): void {
    const nowMs = this.#options.clock.now();
    const message = { id: `standard-${this.#options.random.hex(8)}`, text, sentAtMs: nowMs, visibleAtMs: nowMs + delayMs, receives: 0 };
    this.#standard.push(message);
    this.#wakeFor(message);
  }

  close(): void {
    this.#closed = true;
    this.#fifo.close();
  }

  async #answer({ operation, body }: FakeRequest): Promise<FakeAnswer> {
    const input: Json = JSON.parse(body.toString());
    switch (operation) {
      case 'SendMessage':
        return this.#sendMessage(input);
      case 'SendMessageBatch':
        return this.#sendBatch(input);
      case 'ReceiveMessage':
        return this.#receive(input);
      case 'DeleteMessageBatch':
        await this.#fifo.deleteBatch(input.QueueUrl, input.Entries.map((entry: Json) => entry.ReceiptHandle)); // prettier-ignore
        return allTaken(input);
      case 'ChangeMessageVisibilityBatch':
        for (const entry of input.Entries)
          await this.#changeVisibility(input.QueueUrl, entry.ReceiptHandle, entry.VisibilityTimeout * 1_000);
        return allTaken(input);
      case 'GetQueueAttributes': {
        // Somehow divided: whoever wants to know how many there are has to add.
        const depth = await this.#fifo.depth(input.QueueUrl);
        const notVisible = Math.min(1, depth);
        return json({
          Attributes: {
            ApproximateNumberOfMessages: String(depth - notVisible),
            ApproximateNumberOfMessagesNotVisible: String(notVisible),
          },
        });
      }
      default:
        return jsonError('UnsupportedOperation');
    }
  }

  #sendMessage({ QueueUrl: url, MessageBody: text, DelaySeconds: delaySeconds = 0 }: Json): FakeAnswer {
    if (url !== this.delayQueueUrl || delaySeconds > 900 || !Number.isInteger(delaySeconds)) return jsonError('InvalidParameterValue');
    this.sendStandard(text, delaySeconds * 1_000);
    return json({ MessageId: 'sent', MD5OfMessageBody: md5(text) });
  }

  async #sendBatch({ QueueUrl: url, Entries: entries }: Json): Promise<FakeAnswer> {
    if (entries.length === 0) return jsonError('EmptyBatchRequest');
    if (entries.length > 10) return jsonError('TooManyEntriesInBatchRequest');
    if (entries.reduce((sum: number, { MessageBody: text }: Json) => sum + Buffer.byteLength(text), 0) > textMax)
      return jsonError('BatchRequestTooLong');
    const refused = entries
      .filter(({ MessageBody: text }: Json) => refusedCharacters.test(text))
      .map(({ Id }: Json) => ({ Id, Code: 'InvalidMessageContents', SenderFault: true }));
    const sent = entries.filter(({ MessageBody: text }: Json) => !refusedCharacters.test(text));
    if (!url.endsWith('.fifo')) {
      for (const { MessageBody: text, MessageAttributes: attributes } of sent)
        this.sent.push({ url, text, id: attributes?.['sluice-id']?.StringValue });
      const successful = sent.map(({ Id, MessageBody: text }: Json) => ({ Id, MessageId: Id, MD5OfMessageBody: md5(text) }));
      return json({ Successful: successful, Failed: refused });
    }
    const messages = sent.map(({ MessageBody: text, MessageGroupId: group, MessageDeduplicationId: deduplicationId }: Json) => {
      const body = Buffer.from(String(this.#texts.push(text) - 1));
      return { group, deduplicationId, body };
    });
    const results = messages.length === 0 ? [] : await this.#fifo.sendBatch(url, messages);
    const taken = sent
      .filter((_: Json, index: number) => results[index])
      .map(({ Id, MessageBody: text }: Json) => ({ Id, MessageId: Id, MD5OfMessageBody: md5(text) }));
    const failed = sent
      .filter((_: Json, index: number) => !results[index])
      .map(({ Id }: Json) => ({ Id, Code: 'InternalError', SenderFault: false }));
    return json({ Successful: taken, Failed: [...refused, ...failed] });
  }

  async #receive(input: Json): Promise<FakeAnswer> {
    const messages = await this.#fifo.receive(input.QueueUrl, {
      messagesMax: input.MaxNumberOfMessages,
      waitMs: input.WaitTimeSeconds * 1_000,
      visibilityMs: input.VisibilityTimeout * 1_000,
    });
    return json({
      Messages: messages.map(({ receipt, group, body, receiveCount, sentAtMs }) => ({
        MessageId: String(body),
        ReceiptHandle: receipt,
        Body: this.#textOf(body),
        MD5OfBody: md5(this.#textOf(body)),
        Attributes: { MessageGroupId: group, ApproximateReceiveCount: String(receiveCount), SentTimestamp: String(sentAtMs) },
      })),
    });
  }

  async #changeVisibility(url: string, receipt: string, forMs: number): Promise<void> {
    if (url !== this.delayQueueUrl) return this.#fifo.changeVisibility(url, [receipt], forMs);
    const message = this.#standard.find(({ id, receives }) => receipt === `${id}.${receives}`);
    if (message === undefined) return;
    message.visibleAtMs = this.#options.clock.now() + forMs;
    this.#wakeFor(message);
  }

  #wakeFor(message: StandardMessage): void {
    const { clock, timers } = this.#options;
    timers.after(message.visibleAtMs - clock.now(), () => {
      // A timer may wake a millisecond early.
      if (!this.#closed && message.visibleAtMs > clock.now() && this.#standard.includes(message)) this.#wakeFor(message);
      else void this.#deliver();
    });
  }

  async #deliver(): Promise<void> {
    const nowMs = this.#options.clock.now();
    const batch = this.#standard.filter(({ visibleAtMs }) => visibleAtMs <= nowMs).slice(0, 10);
    if (batch.length === 0 || this.#consumer === undefined || this.#closed) return;
    const records = batch.map((message) => {
      message.receives += 1;
      message.visibleAtMs = nowMs + visibilityMs;
      this.#wakeFor(message);
      return standardRecord(message);
    });
    const { batchItemFailures } = await this.#consumer({ Records: records });
    const failed = new Set(batchItemFailures.map(({ itemIdentifier }) => itemIdentifier));
    for (const message of batch) if (!failed.has(message.id)) this.#standard.splice(this.#standard.indexOf(message), 1);
  }

  #textOf(body: Uint8Array): string {
    return this.#texts[Number(Buffer.from(body).toString())]!;
  }
}

function standardRecord({ id, text, sentAtMs, receives }: StandardMessage): SQSRecord {
  return sqsRecord({ messageId: id, receiptHandle: `${id}.${receives}`, body: text, receives, sentAtMs });
}

/** A record of Lambda's event. */
export function sqsRecord(facts: {
  readonly messageId: string;
  readonly body: string;
  readonly receiptHandle?: string;
  readonly group?: string;
  readonly receives?: number;
  readonly sentAtMs?: number;
}): SQSRecord {
  const { messageId, body, receiptHandle = `receipt-${messageId}`, group, receives = 1, sentAtMs = 0 } = facts;
  return {
    messageId,
    receiptHandle,
    body,
    attributes: {
      ApproximateReceiveCount: String(receives),
      SentTimestamp: String(sentAtMs),
      SenderId: 'sender',
      ApproximateFirstReceiveTimestamp: String(sentAtMs),
      ...(group === undefined ? {} : { MessageGroupId: group }),
    },
    messageAttributes: {},
    md5OfBody: md5(body),
    eventSource: 'aws:sqs',
    eventSourceARN: 'arn:aws:sqs:eu-west-1:000000000000:queue',
    awsRegion: 'eu-west-1',
  };
}

function allTaken({ Entries: entries }: Json): FakeAnswer {
  return json({ Successful: entries.map(({ Id }: Json) => ({ Id })), Failed: [] });
}

function nameOf(url: string): string {
  return url.split('/').at(-1)!.replace('.fifo', '');
}

function md5(text: string): string {
  return createHash('md5').update(text).digest('hex');
}
