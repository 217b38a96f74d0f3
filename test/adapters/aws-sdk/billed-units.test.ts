import { describe, expect, test } from 'vitest';
import { billedUnits, type Answer, type Billed, type Service } from '../../../lib/adapters/aws-sdk/billed-units.ts';
import { itemBytes, type Item } from '../../../lib/adapters/aws-sdk/item-size.ts';

type Case = readonly [what: string, service: Service, operation: string, input: object, answer: Answer, billed: Billed];

/** `x` and its name: so many bytes with its key, which is pk and sk of a letter each. */
function item(bytes: number) {
  return { pk: { S: 'p' }, sk: { S: 's' }, x: { S: '-'.repeat(bytes - 7) } };
}

function refused(name: string, status: number, more: object = {}): Answer {
  return { error: Object.assign(new Error(name), { name, $metadata: { httpStatusCode: status }, ...more }) };
}

const none = { output: {} };
const lost = { error: Object.assign(new Error('socket hang up'), { $metadata: { attempts: 1 } }) };
const write = (units: number): Billed => ({ unit: 'write-unit', units });
const read = (units: number): Billed => ({ unit: 'read-unit', units });
const fifo = { QueueUrl: 'https://sqs.test/1/shards.fifo' };
const text = (kilobytes: number): string => '-'.repeat(kilobytes * 1_024);
const strong = (Keys: readonly object[]): object => ({ RequestItems: { table: { Keys, ConsistentRead: true } } });

const dynamodb: readonly Case[] = [
  [
    'what DynamoDB says counts',
    'dynamodb',
    'PutItem',
    { Item: item(100) },
    { output: { ConsumedCapacity: { CapacityUnits: 7 } } },
    write(7),
  ],
  [
    'a batch says it by table',
    'dynamodb',
    'BatchGetItem',
    strong([]),
    { output: { ConsumedCapacity: [{ CapacityUnits: 2 }, { CapacityUnits: 3 }] } },
    read(5),
  ],
  ['a write of 1 KB is a unit', 'dynamodb', 'PutItem', { Item: item(1_024) }, none, write(1)],
  ['a byte more is two', 'dynamodb', 'PutItem', { Item: item(1_025) }, none, write(2)],
  [
    'a failed condition costs what the write would',
    'dynamodb',
    'PutItem',
    { Item: item(3_000) },
    refused('ConditionalCheckFailedException', 400),
    write(3),
  ],
  [
    'or what is there, where that is larger',
    'dynamodb',
    'PutItem',
    { Item: item(100) },
    refused('ConditionalCheckFailedException', 400, { Item: item(5_000) }),
    write(5),
  ],
  ['a throttle costs nothing', 'dynamodb', 'PutItem', { Item: item(3_000) }, refused('ThrottlingException', 400), write(0)],
  ['a fault of the service costs nothing', 'dynamodb', 'GetItem', {}, refused('InternalServerError', 500), read(0)],
  ['a lost answer may have been the work', 'dynamodb', 'PutItem', { Item: item(3_000) }, lost, write(3)],
  ['a delete is a unit at least', 'dynamodb', 'DeleteItem', { Key: { pk: { S: 'a' }, sk: { S: 'b' } } }, none, write(1)],
  [
    'deletes of a batch are rounded one by one',
    'dynamodb',
    'BatchWriteItem',
    { RequestItems: { t: [{ DeleteRequest: {} }, { PutRequest: { Item: item(1_500) } }] } },
    none,
    write(3),
  ],
  ['a strong read of 4 KB is a unit', 'dynamodb', 'GetItem', { ConsistentRead: true }, { output: { Item: item(4_096) } }, read(1)],
  ['a byte more is two, half of it where it may be old', 'dynamodb', 'GetItem', {}, { output: { Item: item(4_097) } }, read(1)],
  ['what is not there is a unit', 'dynamodb', 'GetItem', { ConsistentRead: true }, none, read(1)],
  [
    'rows of a query are added up, then rounded',
    'dynamodb',
    'Query',
    { ConsistentRead: true },
    { output: { Items: [item(3_000), item(3_000)] } },
    read(2),
  ],
  [
    'rows of a batch are rounded one by one, and missing ones count',
    'dynamodb',
    'BatchGetItem',
    strong([{}, {}, {}]),
    { output: { Responses: { table: [item(100), item(5_000)] } } },
    read(4),
  ],
  [
    'unprocessed ones do not',
    'dynamodb',
    'BatchGetItem',
    strong([{}, {}, {}]),
    { output: { Responses: { table: [item(100)] }, UnprocessedKeys: { table: { Keys: [{}, {}] } } } },
    read(1),
  ],
  ['what describes is free', 'dynamodb', 'DescribeTable', {}, none, { unit: 'free', units: 0 }],
];

const queues: readonly Case[] = [
  ['a small message is a request', 'sqs', 'SendMessage', { ...fifo, MessageBody: text(1) }, none, { unit: 'fifo-64kb', units: 1 }],
  ['each 64 KB is one', 'sqs', 'SendMessage', { ...fifo, MessageBody: text(65) }, none, { unit: 'fifo-64kb', units: 2 }],
  [
    'a batch is one payload',
    'sqs',
    'SendMessageBatch',
    { ...fifo, Entries: [{ MessageBody: text(60) }, { MessageBody: text(60) }] },
    none,
    { unit: 'fifo-64kb', units: 2 },
  ],
  [
    'so is what is received',
    'sqs',
    'ReceiveMessage',
    fifo,
    { output: { Messages: [{ Body: text(64) }, { Body: text(65) }] } },
    { unit: 'fifo-64kb', units: 3 },
  ],
  ['an empty receive is one', 'sqs', 'ReceiveMessage', { QueueUrl: 'https://sqs.test/1/delay' }, none, { unit: 'standard-64kb', units: 1 }],
  ['a delete of ten is one', 'sqs', 'DeleteMessageBatch', fifo, none, { unit: 'fifo-64kb', units: 1 }],
  ['a throttle is none', 'sqs', 'SendMessage', fifo, refused('RequestThrottled', 400), { unit: 'fifo-64kb', units: 0 }],
];

const others: readonly Case[] = [
  ['a put is of class 1', 's3', 'PutObject', {}, none, { unit: 'class-1', units: 1 }],
  ['so is a list', 's3', 'ListObjectsV2', {}, none, { unit: 'class-1', units: 1 }],
  ['and every part', 's3', 'UploadPart', {}, none, { unit: 'class-1', units: 1 }],
  ['a delete of many is a POST', 's3', 'DeleteObjects', {}, none, { unit: 'class-1', units: 1 }],
  ['a get is of class 2', 's3', 'GetObject', {}, none, { unit: 'class-2', units: 1 }],
  ['also of what is not there', 's3', 'GetObject', {}, refused('NoSuchKey', 404), { unit: 'class-2', units: 1 }],
  ['a put that lost the race is billed', 's3', 'PutObject', {}, refused('PreconditionFailed', 412), { unit: 'class-1', units: 1 }],
  ['one that is told to slow down is not', 's3', 'PutObject', {}, refused('SlowDown', 503), { unit: 'class-1', units: 0 }],
  ['a delete is free', 's3', 'DeleteObject', {}, none, { unit: 'free', units: 1 }],
  ['flows are billed by transition', 'step-functions', 'StartExecution', {}, none, { unit: 'call', units: 1 }],
  ['schedules by invocation', 'scheduler', 'CreateSchedule', {}, none, { unit: 'call', units: 1 }],
];

describe('what AWS bills', () => {
  test.each([...dynamodb, ...queues, ...others])('%s (%s %s)', (_what, service, operation, input, answer, billed) => {
    expect(billedUnits(service, operation, input, answer)).toEqual(billed);
  });

  test('is by the size of names and values of every type', () => {
    const cases: readonly (readonly [Item, number])[] = [
      [{ ab: { S: 'äb' } }, 2 + 3],
      [{ n: { N: '0' } }, 1 + 1],
      [{ n: { N: '12345' } }, 1 + 4],
      [{ n: { N: '-1.50' } }, 1 + 3],
      [{ b: { B: new Uint8Array(9) } }, 1 + 9],
      [{ t: { BOOL: true }, u: { NULL: true } }, 2 + 2],
      [{ l: { L: [{ S: 'a' }, { S: 'b' }] } }, 1 + 3 + 2 * 2],
      [{ m: { M: { k: { S: 'v' } } } }, 1 + 3 + 2 + 1],
      [{ s: { SS: ['a', 'bc'] } }, 1 + 3],
    ];
    for (const [given, bytes] of cases) expect(itemBytes(given), JSON.stringify(given)).toBe(bytes);
  });
});
