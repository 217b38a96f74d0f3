/** The AWS adapters on the emulator: the suites that need no clock of their own, and what the meter counts against what the server saw. */
import { CreateBucketCommand } from '@aws-sdk/client-s3';
import { CreateStateMachineCommand } from '@aws-sdk/client-sfn';
import { CreateQueueCommand } from '@aws-sdk/client-sqs';
import { randomUUID } from 'node:crypto';
import { describe, expect, test, vi } from 'vitest';
import { createDynamoDbClient } from '../../lib/adapters/aws-sdk/dynamodb-client.ts';
import { Meter } from '../../lib/adapters/aws-sdk/meter.ts';
import { createS3Client } from '../../lib/adapters/aws-sdk/s3-client.ts';
import { createSqsClient } from '../../lib/adapters/aws-sdk/sqs-client.ts';
import { createStepFunctionsClient } from '../../lib/adapters/aws-sdk/step-functions-client.ts';
import { createDynamoDbStores } from '../../lib/adapters/dynamodb/dynamodb-stores.ts';
import { createMemoryStores } from '../../lib/adapters/memory/memory-stores.ts';
import { createS3ObjectStore } from '../../lib/adapters/s3/object-store.ts';
import { createSqsReceiver } from '../../lib/adapters/sqs/message-receiver.ts';
import { createSqsSender } from '../../lib/adapters/sqs/message-sender.ts';
import { createStepFunctionsSignal } from '../../lib/adapters/step-functions/coordinator-signal.ts';
import { createStepFunctionsFlowStarter } from '../../lib/adapters/step-functions/flow-starter.ts';
import { systemRandom } from '../../lib/adapters/system/random.ts';
import { systemTimers } from '../../lib/adapters/system/timers.ts';
import { requestCounts } from '../../localstack/observe.ts';
import { dynamodbServerStores, newTable } from './dynamodb-server.ts';
import { emulatorForContract, type ContractEmulator } from './emulator.ts';
import { bytesOf, textOf, type MakeStores } from './fixture.ts';
import { auditLogContract } from './audit-log.contract.ts';
import { jobHistoryContract } from './job-history.contract.ts';
import { keyedBaseContract, keyedBaseModelContract } from './keyed-base.contract.ts';
import { ManualTime } from './manual-time.ts';
import { objectsAndDelayContract } from './objects-and-delay.contract.ts';
import { recordsContract } from './records.contract.ts';
import { shardRecord } from './sample-records.ts';

vi.setConfig({ testTimeout: 60_000 });
const emulator = await emulatorForContract();
if (emulator !== undefined) onEmulator(emulator);

function onEmulator({ client, emulator: server }: ContractEmulator): void {
  // A busy machine answers late.
  const settings = { ...client, requestTimeoutMs: 20_000 };
  const connect = () => createDynamoDbClient(settings);
  const make = dynamodbServerStores(connect);
  recordsContract('dynamodb on the emulator', make);
  jobHistoryContract('dynamodb on the emulator', make);
  auditLogContract('dynamodb on the emulator', make);
  keyedBaseContract('dynamodb on the emulator', make, 'expire');
  keyedBaseModelContract('dynamodb on the emulator', make, 10);
  objectsAndDelayContract('s3 on the emulator', objectStores(settings));

  describe('queues on the emulator', () => {
    const fifo = { FifoQueue: 'true', DeduplicationScope: 'messageGroup', FifoThroughputLimit: 'perMessageGroupId' };
    const open = async () => {
      const sqs = createSqsClient(settings);
      const { QueueUrl: url } = await sqs.send(new CreateQueueCommand({ QueueName: `${randomUUID()}.fifo`, Attributes: fifo }));
      const access = { client: sqs, queueUrl: () => url };
      return { sender: createSqsSender(access), receiver: createSqsReceiver(access) };
    };
    const all = { messagesMax: 10, waitMs: 0, visibilityMs: 30_000 };
    const message = (group: string, id: string) => ({ group, deduplicationId: id, body: bytesOf(id) });

    test('keep the order of a group, its lock, and its deduplication ids', async () => {
      const { sender, receiver } = await open();
      expect(await sender.sendBatch('q', [message('a', '1'), message('a', '2'), message('b', '1'), message('a', '1')])).toHaveLength(4);
      const received = await receiver.receive('q', { ...all, messagesMax: 1 });
      expect(received.map(({ group, body, receiveCount }) => [group, textOf(body), receiveCount])).toEqual([['a', '1', 1]]);
      expect((await receiver.receive('q', all)).map(({ group }) => group)).toEqual(['b']);
      await receiver.deleteBatch('q', [received[0]!.receipt]);
      const next = await receiver.receive('q', all);
      expect(next.map(({ body }) => textOf(body))).toEqual(['2']);
      await receiver.changeVisibility('q', [next[0]!.receipt], 0);
      expect((await receiver.receive('q', all)).map(({ receiveCount }) => receiveCount)).toEqual([2]);
      expect(await sender.depth('q')).toBe(2);
    });

    test('take a message of almost a mebibyte, byte by byte', async () => {
      const { sender, receiver } = await open();
      const body = Uint8Array.from({ length: 780_000 }, (_, i) => (i * 31) & 0xff);
      expect(await sender.sendBatch('q', [{ group: 'a', deduplicationId: '1', body }])).toEqual([true]);
      const [received] = await receiver.receive('q', all);
      expect(Buffer.from(received!.body).equals(body)).toBe(true);
    });
  });

  test('a flow is started once by its name, and an unknown token is gone', async () => {
    const sfn = createStepFunctionsClient(settings);
    const definition = JSON.stringify({ StartAt: 'W', States: { W: { Type: 'Wait', Seconds: 1, End: true } } });
    const roleArn = 'arn:aws:iam::000000000000:role/flows';
    const { stateMachineArn } = await sfn.send(new CreateStateMachineCommand({ name: randomUUID(), definition, roleArn }));
    const flows = createStepFunctionsFlowStarter({ client: sfn, stateMachineArn: () => stateMachineArn, flowsOf: () => ['checkpoint'] });
    expect(await flows.start('checkpoint', 'checkpoint-1', { n: 1 })).toBe('started');
    expect(await flows.isRunning('checkpoint-1')).toBe(true);
    await expect.poll(() => flows.isRunning('checkpoint-1'), { timeout: 10_000 }).toBe(false);
    expect(await flows.start('checkpoint', 'checkpoint-1', { n: 1 })).toBe('exists');
    expect(await flows.isRunning('never-started')).toBe(false);
    expect(await createStepFunctionsSignal(sfn).succeed('no-such-token', {})).toBe('gone');
  });

  test.runIf(server.isOurs)('the meter counts what the server saw', async () => {
    const meter = new Meter();
    const metered = { ...settings, meter };
    const dynamodb = createDynamoDbClient(metered);
    const s3 = createS3Client(metered);
    const table = await newTable(dynamodb);
    await s3.send(new CreateBucketCommand({ Bucket: 'metered' }));
    meter.take();
    await requestCounts(server, { restart: true });

    const { clock } = new ManualTime();
    const stores = createDynamoDbStores({
      client: dynamodb,
      table,
      clock,
      timers: systemTimers,
      random: systemRandom,
      tombstonesKeptMs: 1_000,
    });
    for (let version = 0; version < 3; version += 1) {
      await stores.shards.commit(shardRecord({ version: version + 1 }), { version, attempt: 1 });
    }
    await stores.jobs.list();
    const objects = createS3ObjectStore({ client: s3, bucket: 'metered', timers: systemTimers, random: systemRandom });
    await objects.createIfAbsent('one', bytesOf('1'));
    await objects.createIfAbsent('one', bytesOf('1'));
    await objects.read('one');
    await objects.read('none');
    await objects.list('');
    await objects.remove(['one']);
    const signal = createStepFunctionsSignal(createStepFunctionsClient(metered));
    await signal.fail('no-such-token', { code: 'SLUICE-TEST', cause: 'none' });

    const { requests } = await requestCounts(server);
    const seen = new Map<string, number>();
    for (const { service, operation, count } of requests)
      seen.set(`${service} ${operation}`, (seen.get(`${service} ${operation}`) ?? 0) + count);
    const counted = new Map<string, number>();
    for (const { service, operation, requests: count } of meter.take()) {
      counted.set(`${service} ${operation}`, (counted.get(`${service} ${operation}`) ?? 0) + count);
    }
    expect(Object.fromEntries(counted)).toEqual(Object.fromEntries(seen));
    expect(counted.get('s3 PutObject')).toBe(2);
  });
}

function objectStores(settings: ContractEmulator['client']): MakeStores {
  return async (options) => {
    const memory = createMemoryStores(options);
    const client = createS3Client(settings);
    const bucket = `sluice-${randomUUID()}`;
    await client.send(new CreateBucketCommand({ Bucket: bucket }));
    const objects = createS3ObjectStore({ client, bucket, timers: systemTimers, random: systemRandom });
    // The server has the time of day, the suite a clock of its own.
    const list = async (prefix: string) => (await objects.list(prefix)).map((object) => ({ ...object, createdAtMs: options.clock.now() }));
    return {
      stores: { ...memory, objects: { ...objects, list } },
      dispose: async () => {
        client.destroy();
        await memory.close();
      },
    };
  };
}
