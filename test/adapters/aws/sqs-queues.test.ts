import { SQSClient } from '@aws-sdk/client-sqs';
import { beforeEach, describe, expect, test } from 'vitest';
import { createSqsReceiver } from '../../../lib/adapters/sqs/message-receiver.ts';
import { createSqsSender } from '../../../lib/adapters/sqs/message-sender.ts';
import { bodyOfText, textOfBody } from '../../../lib/adapters/sqs/body-text.ts';
import { systemRandom } from '../../../lib/adapters/system/random.ts';
import type { MessageReceiver, MessageSender, ReceivedMessage } from '../../../lib/ports/message-queue.ts';
import { bytesOf, textOf } from '../../contract/fixture.ts';
import { ManualTime } from '../../contract/manual-time.ts';
import { clientConfig, json, jsonError } from './fake-service.ts';
import { FakeSqs } from './fake-sqs.ts';

const all = { messagesMax: 10, waitMs: 0, visibilityMs: 30_000 };
let fake: FakeSqs;
let sender: MessageSender;
let receiver: MessageReceiver;

beforeEach(() => {
  fake = new FakeSqs({ ...new ManualTime(), random: systemRandom });
  const client = new SQSClient(clientConfig(fake.service));
  const access = { client, queueUrl: (queue: string) => (queue === 'q' ? fake.url('q') : undefined) };
  sender = createSqsSender(access);
  receiver = createSqsReceiver(access);
});

function message(id: string, body: Uint8Array = bytesOf(id)) {
  return { group: 'g', deduplicationId: id, body };
}

async function bodies(): Promise<(string | undefined)[]> {
  return (await receiver.receive('q', all)).map(({ body }) => textOf(body));
}

async function first(receiving: Promise<readonly ReceivedMessage[]>): Promise<ReceivedMessage> {
  const [message] = await receiving;
  return message!;
}

/** As the service answers a batch whose entries it refuses so. */
function refusing(entries: Readonly<Record<string, { readonly Code: string; readonly SenderFault: boolean }>>) {
  return ({ body }: { readonly body: Buffer }) => {
    const ids = (JSON.parse(body.toString()).Entries as { Id: string }[]).map(({ Id }) => Id);
    return json({ Successful: [], Failed: ids.filter((Id) => Id in entries).map((Id) => ({ Id, ...entries[Id] })) });
  };
}

describe('sending to SQS', () => {
  test('is one request for ten messages, and their bytes come as they were', async () => {
    const bytes = Uint8Array.from({ length: 1_000 }, (_, i) => i & 0xff);
    await sender.sendBatch('q', Array.from({ length: 10 }, (_, i) => message(`m${i}`, bytes.subarray(i)))); // prettier-ignore
    expect(fake.service.take()).toEqual(['SendMessageBatch']);
    const received = await receiver.receive('q', all);
    expect(received.map(({ body }) => Buffer.from(body).equals(bytes.subarray(1_000 - body.length)))).toEqual(new Array(10).fill(true));
  });

  test('a lost answer is asked for again, and nothing comes twice', async () => {
    fake.service.inject('SendMessageBatch', 'lost-answer', 'lost-request');
    expect(await sender.sendBatch('q', [message('a'), message('b')])).toEqual([true, true]);
    expect(fake.service.take().length).toBe(3);
    expect(await bodies()).toEqual(['a', 'b']);
  });

  test('a throttle and a fault of the service are tried again, and told as passing when they stay', async () => {
    fake.service.inject(
      'SendMessageBatch',
      () => jsonError('ThrottlingException'),
      () => jsonError('InternalError', 500),
    );
    expect(await sender.sendBatch('q', [message('a')])).toEqual([true]);
    fake.service.inject('SendMessageBatch', ...[1, 2, 3].map(() => () => jsonError('RequestThrottled', 403)));
    await expect(sender.sendBatch('q', [message('b')])).rejects.toMatchObject({ code: 'SLUICE-AWS-THROTTLED', retryable: true });
    fake.service.inject('SendMessageBatch', 'lost-request', 'lost-request', 'lost-request');
    await expect(sender.sendBatch('q', [message('b')])).rejects.toMatchObject({ code: 'SLUICE-AWS-UNREACHABLE', retryable: true });
  });

  test('entries that are neither taken nor refused, or refused for now, are not taken', async () => {
    fake.service.inject('SendMessageBatch', refusing({ 1: { Code: 'InternalError', SenderFault: false } }));
    expect(await sender.sendBatch('q', [message('a'), message('b')])).toEqual([false, false]);
    fake.service.inject('SendMessageBatch', refusing({ 0: { Code: 'AWS.SimpleQueueService.Throttled', SenderFault: true } }));
    expect(await sender.sendBatch('q', [message('a')])).toEqual([false]);
    expect(await bodies()).toEqual([]);
  });

  test('an entry that will never be taken is told, not sent for ever', async () => {
    fake.service.inject('SendMessageBatch', refusing({ 0: { Code: 'InvalidParameterValue', SenderFault: true } }));
    const refused = { code: 'SLUICE-QUEUE-CALL-INVALID', facts: { queue: 'q', code: 'InvalidParameterValue' } };
    await expect(sender.sendBatch('q', [message('a')])).rejects.toMatchObject(refused);
  });

  test('more than a mebibyte of text in one call is refused before it is sent, and one that is just within goes', async () => {
    const half = new Uint8Array(393_216);
    await expect(sender.sendBatch('q', [message('a', half), message('b', half), message('c', new Uint8Array(1))])).rejects.toMatchObject({
      code: 'SLUICE-QUEUE-CALL-INVALID',
    });
    expect(fake.service.take()).toEqual([]);
    expect(await sender.sendBatch('q', [message('a', half), message('b', half)])).toEqual([true, true]);
  });

  test('a queue that the deployment does not have is named', async () => {
    const refused = { code: 'SLUICE-QUEUE-CALL-INVALID', facts: { queue: 'gone' } };
    await expect(sender.sendBatch('gone', [message('a')])).rejects.toMatchObject(refused);
    await expect(sender.depth('gone')).rejects.toMatchObject(refused);
  });

  test('what waits and what is in flight is counted with one request', async () => {
    await sender.sendBatch('q', [message('a'), message('b')]);
    fake.service.take();
    expect(await sender.depth('q')).toBe(2);
    expect(fake.service.take()).toEqual(['GetQueueAttributes']);
  });
});

describe('receiving from SQS', () => {
  test('receipts that are stale are nobody’s error, faults of the service are', async () => {
    await sender.sendBatch('q', [message('a')]);
    const { receipt } = await first(receiver.receive('q', all));
    fake.service.inject('DeleteMessageBatch', refusing({ 0: { Code: 'ReceiptHandleIsInvalid', SenderFault: true } }));
    await receiver.deleteBatch('q', [receipt]);
    fake.service.inject('DeleteMessageBatch', refusing({ 0: { Code: 'InternalError', SenderFault: false } }));
    await expect(receiver.deleteBatch('q', [receipt])).rejects.toThrow(/1 messages of q were not deleted/);
    fake.service.inject('ChangeMessageVisibilityBatch', refusing({ 0: { Code: 'MessageNotInflight', SenderFault: true } }));
    await receiver.changeVisibility('q', [receipt], 5);
    fake.service.inject('ChangeMessageVisibilityBatch', refusing({ 0: { Code: 'InternalError', SenderFault: false } }));
    await expect(receiver.changeVisibility('q', [receipt], 5)).rejects.toThrow(/were not put off/);
  });

  test('times are whole seconds, rather later than earlier, and within what SQS takes', async () => {
    await sender.sendBatch('q', [message('a')]);
    const { receipt } = await first(receiver.receive('q', { ...all, visibilityMs: 30_001 }));
    await receiver.changeVisibility('q', [receipt], 1);
    await receiver.changeVisibility('q', [receipt], 1e9);
    const sent = fake.service.requests.map(({ body }) => JSON.parse(body.toString()));
    expect([sent[1].VisibilityTimeout, sent[2].Entries[0].VisibilityTimeout]).toEqual([31, 1]);
    expect(sent[3].Entries[0].VisibilityTimeout).toBeLessThan(43_200);
  });

  test('a text that is not ours comes as text, for whoever refuses it', async () => {
    fake.service.inject('ReceiveMessage', () => json({ Messages: [{ MessageId: 'm', ReceiptHandle: 'r', Body: 'hello!', MD5OfBody: '5a8dd3ad0756a93ded72b823b19dd877' }] })); // prettier-ignore
    const { body, group, receiveCount } = await first(receiver.receive('q', all));
    expect([textOf(body), group, receiveCount]).toEqual(['hello!', '', 1]);
  });
});

describe('bodies as text', () => {
  test('come back byte by byte, whatever their length and wherever they lie in a buffer', () => {
    const buffer = Uint8Array.from({ length: 300 }, (_, i) => (i * 7) & 0xff);
    for (let length = 0; length < 100; length++) {
      const body = buffer.subarray(11, 11 + length);
      expect(Buffer.from(bodyOfText(textOfBody(body))!).equals(body)).toBe(true);
    }
  });

  test('are nothing where the text is no base64', () => {
    for (const text of ['{"a":1}', 'abc', 'abc ', 'ab=c', 'ab\u00e4d', '====', 'hello wo']) expect(bodyOfText(text), text).toBeUndefined();
  });
});
