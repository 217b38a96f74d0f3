/** The sink `sqs`: the contract of two-phase sinks, its requests, and what goes wrong with them. */
import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import type { QueueMessage } from '../../../lib/model/delivered-records.ts';
import type { ConnectorSpec } from '../../../lib/model/job-plan.ts';
import type { SinkPart } from '../../../lib/model/shard-record.ts';
import type { PartName } from '../../../lib/ports/connectors.ts';
import type { ObjectStore } from '../../../lib/ports/object-store.ts';
import { json, jsonError, type FakeRequest } from '../aws/fake-service.ts';
import { partName, publisher, sinkCommitterContract } from './sink-committer.contract.ts';
import { consumer, newObjects, sinkWorld, stagedIn, type SinkWorldOptions } from './sink-world.ts';

const queueAt = (queue: string): ConnectorSpec => ({ connector: 'sqs', options: { queue }, guarantee: 'at-least-once' });
const standard = queueAt('https://sqs.eu-west-1.amazonaws.com/000000000000/orders');
let objects: ObjectStore;
let world: ReturnType<typeof sinkWorld>;
let fifo: ConnectorSpec;

beforeEach(() => begin());

function begin(options: SinkWorldOptions = {}): void {
  objects = newObjects();
  world = sinkWorld(options);
  fifo = queueAt(world.sqs.url('orders'));
}

const stage = (sink: ConnectorSpec, messages: readonly QueueMessage[], name: Partial<PartName> = {}): Promise<SinkPart> =>
  world.sinksOn(objects).sqs.stage(sink, partName(name), messages);
const publish = (sink: ConnectorSpec, part: SinkPart): Promise<'published' | 'already'> =>
  world.sinksOn(objects).sqs.publish(sink, part, publisher);
const sendAll = async (sink: ConnectorSpec, messages: readonly QueueMessage[]): Promise<'published' | 'already'> =>
  publish(sink, await stage(sink, messages));
const numbered = (count: number, group?: string): QueueMessage[] =>
  Array.from({ length: count }, (_, n) => ({ body: `${n}`, ...(group === undefined ? {} : { group }) }));

/** The service's answer to a batch: entries that `refuse` names are not taken. */
function refusing(refuse: (index: number) => boolean, failed: object = { Code: 'InternalError', SenderFault: false }) {
  return ({ body }: FakeRequest) => {
    const entries = (JSON.parse(body.toString()) as { Entries: { Id: string }[] }).Entries;
    return json({ Successful: [], Failed: entries.filter((_, i) => refuse(i)).map(({ Id }) => ({ Id, ...failed })) });
  };
}

describe('the sink of messages', () => {
  sinkCommitterContract(async () => {
    const own = newObjects();
    const of = sinkWorld();
    const { sqs } = of.sinksOn(own);
    const url = of.sqs.url('own');
    const received = consumer(of, url);
    return {
      committer: {
        ...sqs,
        stage: (spec, name, records) => sqs.stage(spec, name, records.map((record) => ({ body: JSON.stringify(record), group: 'all' }))), // prettier-ignore
      },
      sink: queueAt(url),
      // It shows messages, not names; the contract publishes one part at most.
      published: async () => {
        const messages = (await received()).map(({ body }) => JSON.parse(body) as unknown);
        return messages.length === 0 ? {} : { [sqs.locate(queueAt(url), partName()).target]: messages };
      },
      staged: () => stagedIn(own),
    };
  });

  test('sends ten messages to a call, each with an id that says where in the stream it stands', async () => {
    await sendAll(standard, numbered(25));
    expect(world.sqs.service.take()).toEqual(['SendMessageBatch', 'SendMessageBatch', 'SendMessageBatch']);
    expect(new Set(world.sqs.sent.map(({ id }) => id)).size).toBe(25);
    const before = [...world.sqs.sent].sort((a, b) => Number(a.text) - Number(b.text));
    begin();
    await publish(standard, await stage(standard, numbered(25), { attempt: 7 }));
    expect(
      [...world.sqs.sent].sort((a, b) => Number(a.text) - Number(b.text)),
      'whoever sends them',
    ).toEqual(before);
    await publish(standard, await stage(standard, numbered(25), { checkpoint: 2 }));
    expect(new Set(world.sqs.sent.map(({ id }) => id)).size).toBe(50);
  });

  test('sends a MiB in all with a call, ids included', async () => {
    await sendAll(standard, [600_000, 400_000, 48_400, 10].map((size) => ({ body: 'x'.repeat(size) }))); // prettier-ignore
    const sizes = world.sqs.service.requests.map(({ body }) =>
      (JSON.parse(body.toString()) as { Entries: { MessageBody: string }[] }).Entries.map(({ MessageBody }) => MessageBody.length),
    );
    expect(sizes.map((call) => call.length)).toEqual([2, 2]);
    begin();
    await sendAll(standard, [{ body: 'x'.repeat(1_048_576 - 79) }, { body: 'y' }]);
    expect(world.sqs.sent).toHaveLength(2);
  });

  test('keeps the order of each group, and has one message of a group under way', async () => {
    const groups = ['a', 'b', 'c'];
    const messages = numbered(12).map(({ body }, n) => ({ body, group: groups[n % 3]! }));
    await sendAll(fifo, messages);
    for (const { body } of world.sqs.service.requests) {
      const entries = (JSON.parse(body.toString()) as { Entries: { MessageGroupId: string }[] }).Entries;
      expect(new Set(entries.map(({ MessageGroupId }) => MessageGroupId)).size).toBe(entries.length);
    }
    const received = await consumer(world, world.sqs.url('orders'))();
    for (const group of groups)
      expect(received.filter((message) => message.group === group)).toEqual(messages.filter((message) => message.group === group));
  });

  test('names the queue of another region by its ARN', async () => {
    await sendAll(queueAt('arn:aws:sqs:us-east-1:111122223333:far'), numbered(1));
    expect(world.sqs.sent).toMatchObject([{ url: 'https://sqs.us-east-1.amazonaws.com/111122223333/far' }]);
  });
});

describe('what goes wrong with a message', () => {
  test.each([['lost-answer'], ['lost-request'], ['lost-answer', 'lost-answer']] as const)(
    'is sent again, and is there once in a FIFO queue: %s',
    async (...faults) => {
      begin({ attemptsMax: 4 });
      world.sqs.service.inject('SendMessageBatch', ...faults);
      expect(await sendAll(fifo, numbered(3, 'g'))).toBe('published');
      expect((await consumer(world, world.sqs.url('orders'))()).map(({ body }) => body)).toEqual(['0', '1', '2']);
    },
  );

  test('is sent again with its id to a standard queue, by which its consumer knows it', async () => {
    begin({ attemptsMax: 4 });
    world.sqs.service.inject('SendMessageBatch', 'lost-answer');
    await sendAll(standard, numbered(3));
    expect(world.sqs.sent).toHaveLength(6);
    expect(new Set(world.sqs.sent.map(({ id }) => id)).size).toBe(3);
  });

  test('is refused alone: the others of its call are not sent again, and its group keeps its order', async () => {
    // One that is refused six times in a row is given up for now (below).
    const refusalsMax = 5;
    const turns = fc
      .array(fc.boolean(), { maxLength: 40 })
      .map((refusals) => refusals.map((isRefused, at) => isRefused && refusals.slice(0, at).filter(Boolean).length < refusalsMax));
    const groups = fc.array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 25 });
    await fc.assert(
      fc.asyncProperty(turns, groups, async (refusals, of) => {
        const left = [...refusals];
        let refused = 0;
        begin({ queue: { refuse: () => left.shift() === true && (refused += 1) > 0 } });
        const messages = of.map((group, n) => ({ body: `${n}`, group }));
        expect(await sendAll(fifo, messages)).toBe('published');
        const entries = world.sqs.service.requests.flatMap(({ body }) => (JSON.parse(body.toString()) as { Entries: unknown[] }).Entries);
        expect(entries).toHaveLength(messages.length + refused);
        const received = await consumer(world, world.sqs.url('orders'))();
        for (const group of ['a', 'b', 'c'])
          expect(received.filter((message) => message.group === group)).toEqual(messages.filter((message) => message.group === group));
      }),
      { numRuns: 60 },
    );
  });

  test('waits out a throttle, of the call or of an entry, and is told as what may pass where it lasts', async () => {
    const throttle = (): ReturnType<typeof jsonError> => jsonError('ThrottlingException');
    world.sqs.service.inject(
      'SendMessageBatch',
      throttle,
      refusing(() => true, { Code: 'RequestThrottled', SenderFault: true }),
      throttle,
    );
    expect(await sendAll(standard, numbered(3))).toBe('published');
    const part = await stage(standard, numbered(3), { checkpoint: 2 });
    world.sqs.service.inject('SendMessageBatch', ...Array.from({ length: 6 }, () => throttle));
    await expect(publish(standard, part)).rejects.toMatchObject({ code: 'SLUICE-OUTPUT-FAILED', retryable: true });
    expect(await publish(standard, part)).toBe('published');
    expect(world.sqs.sent).toHaveLength(6);
  });

  test('stops the job where the queue will never take it, and is sent when it takes it', async () => {
    const part = await stage(standard, numbered(2));
    world.sqs.service.inject('SendMessageBatch', refusing((i) => i === 1, { Code: 'InvalidParameterValue', SenderFault: true }), () => jsonError('AccessDenied', 403)); // prettier-ignore
    await expect(publish(standard, part)).rejects.toMatchObject({ code: 'SLUICE-OUTPUT-FAILED', retryable: false });
    const denied = { code: 'SLUICE-OUTPUT-FAILED', retryable: false, hint: expect.stringContaining('sqs:SendMessage') as string };
    await expect(publish(standard, part)).rejects.toMatchObject(denied);
    expect(await publish(standard, part)).toBe('published');
  });

  test('does not begin a part again from its start', async () => {
    begin({ sliceRecords: 10 });
    const part = await stage(standard, numbered(35));
    world.sqs.service.inject('SendMessageBatch', undefined, undefined, () => jsonError('AccessDenied', 403));
    await expect(publish(standard, part)).rejects.toThrow();
    expect(await publish(standard, part)).toBe('published');
    expect(world.sqs.sent.map(({ text }) => text)).toEqual(numbered(35).map(({ body }) => body));
    expect(await publish(standard, part)).toBe('already');
    expect(world.sqs.sent).toHaveLength(35);
  });
});
