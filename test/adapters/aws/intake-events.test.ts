/** What Lambda hands to an intake, and the answers to it. */
import type { APIGatewayProxyEventV2, SQSEvent } from 'aws-lambda';
import { expect, test } from 'vitest';
import { answerQueue, requestOf, responseOf } from '../../../lib/adapters/lambda/intake-events.ts';
import { silentLogger } from '../../../lib/adapters/system/logger.ts';

function eventOf(records: readonly { readonly messageId: string; readonly body: string; readonly attributes?: object }[]): SQSEvent {
  return { Records: records.map(({ attributes = {}, ...record }) => ({ ...record, attributes })) } as unknown as SQSEvent;
}

const event = eventOf([
  { messageId: 'a', body: 'no base64, and no JSON' },
  { messageId: 'b', body: '', attributes: { MessageGroupId: 'g', SequenceNumber: '18849496460467696128' } },
  { messageId: 'c', body: '{}', attributes: { MessageGroupId: 'tenant of a fair queue' } },
]);

test('messages are handed on as they are; FIFO is what numbers them', async () => {
  let seen: unknown;
  const answer = await answerQueue(event, { logger: silentLogger, take: async (messages) => ((seen = messages), []) });
  expect(seen).toEqual([
    { messageId: 'a', text: 'no base64, and no JSON', fifo: null },
    { messageId: 'b', text: '', fifo: { group: 'g', sequence: '18849496460467696128' } },
    { messageId: 'c', text: '{}', fifo: null },
  ]);
  expect(answer).toEqual({ batchItemFailures: [] });
});

test('those that were not taken come again; where anything else goes wrong, all of them', async () => {
  const failing = (take: () => Promise<readonly string[]>) => answerQueue(event, { logger: silentLogger, take });
  expect(await failing(async () => ['c', 'a', 'x'])).toEqual({ batchItemFailures: [{ itemIdentifier: 'a' }, { itemIdentifier: 'c' }] });
  const all = { batchItemFailures: ['a', 'b', 'c'].map((itemIdentifier) => ({ itemIdentifier })) };
  expect(await failing(async () => Promise.reject(new Error('broken')))).toEqual(all);
});

test('a request is read whatever its encoding, and answered as JSON', () => {
  const request = (more: object) =>
    requestOf({
      headers: { 'content-type': 'application/json', 'idempotency-key': 'k' },
      isBase64Encoded: false,
      ...more,
    } as unknown as APIGatewayProxyEventV2);
  expect(request({ body: '"ä"' })).toEqual({ body: Buffer.from('"ä"'), contentType: 'application/json', idempotencyKey: 'k' });
  expect(request({ body: 'ImEi', isBase64Encoded: true }).body).toEqual(Buffer.from('"a"'));
  expect(request({ headers: {} })).toEqual({ body: Buffer.alloc(0), contentType: undefined, idempotencyKey: undefined });
  expect(responseOf({ status: 503, headers: { 'retry-after': '30' }, body: { code: 'X' } })).toEqual({
    statusCode: 503,
    headers: { 'retry-after': '30', 'content-type': 'application/json' },
    body: '{"code":"X"}',
  });
});
