/** Queues, objects, folders, delays and flows on a server that speaks AWS's protocols over HTTP: what the fakes in the process take for granted. */
import { CreateBucketCommand } from '@aws-sdk/client-s3';
import { CreateScheduleGroupCommand } from '@aws-sdk/client-scheduler';
import { CreateStateMachineCommand, StopExecutionCommand } from '@aws-sdk/client-sfn';
import { CreateQueueCommand } from '@aws-sdk/client-sqs';
import { beforeAll, describe, expect, test } from 'vitest';
import { createS3Client } from '../../lib/adapters/aws-sdk/s3-client.ts';
import { createSchedulerClient } from '../../lib/adapters/aws-sdk/scheduler-client.ts';
import { createSqsClient } from '../../lib/adapters/aws-sdk/sqs-client.ts';
import { createStepFunctionsClient } from '../../lib/adapters/aws-sdk/step-functions-client.ts';
import { createS3ObjectStore } from '../../lib/adapters/s3/object-store.ts';
import { createS3SavepointFolders } from '../../lib/adapters/s3/savepoint-folders.ts';
import { createSqsDelay } from '../../lib/adapters/sqs/delay.ts';
import { createSqsReceiver } from '../../lib/adapters/sqs/message-receiver.ts';
import { createSqsSender } from '../../lib/adapters/sqs/message-sender.ts';
import { relayDelayed } from '../../lib/adapters/sqs/relay.ts';
import { executionName } from '../../lib/adapters/step-functions/execution-name.ts';
import { createStepFunctionsFlowStarter } from '../../lib/adapters/step-functions/flow-starter.ts';
import { createStepFunctionsSignal } from '../../lib/adapters/step-functions/coordinator-signal.ts';
import { systemClock } from '../../lib/adapters/system/clock.ts';
import { systemRandom } from '../../lib/adapters/system/random.ts';
import { systemTimers } from '../../lib/adapters/system/timers.ts';
import type { OutgoingMessage, ReceivedMessage } from '../../lib/ports/message-queue.ts';
import { emulatorForContract } from './emulator.ts';
import { bytesOf, textOf } from './fixture.ts';

const emulator = await emulatorForContract();

describe.runIf(emulator !== undefined)('on the emulator of AWS', () => {
  const options = { ...emulator?.client, requestTimeoutMs: 25_000 };
  const sqs = createSqsClient(options);
  const s3 = createS3Client(options);
  const sfn = createStepFunctionsClient(options);
  const urls = new Map<string, string>();
  const access = { client: sqs, queueUrl: (queue: string) => urls.get(queue) };
  const sender = createSqsSender(access);
  const receiver = createSqsReceiver(access);
  const s3Access = { client: s3, timers: systemTimers, random: systemRandom, multipartAboveBytes: 11_000_000, partBytes: 5_242_880 };
  const objects = createS3ObjectStore({ ...s3Access, bucket: 'objects' });
  const machines = new Map<string, string>();
  let nextId = 0;

  beforeAll(async () => {
    const fifo = {
      FifoQueue: 'true',
      DeduplicationScope: 'messageGroup',
      FifoThroughputLimit: 'perMessageGroupId',
      MaximumMessageSize: '1048576',
    };
    for (const name of ['q.fifo', 'large.fifo', 'woken.fifo', 'delay']) {
      const made = await sqs.send(new CreateQueueCommand({ QueueName: name, Attributes: name === 'delay' ? {} : fifo }));
      urls.set(name.replace('.fifo', ''), made.QueueUrl!);
    }
    await s3.send(new CreateBucketCommand({ Bucket: 'objects' }));
    await createSchedulerClient(options).send(new CreateScheduleGroupCommand({ Name: 'sluice' }));
    const definition = JSON.stringify({ StartAt: 'W', States: { W: { Type: 'Wait', Seconds: 300, End: true } } });
    const machine = { name: 'job-checkpoint', definition, roleArn: `arn:aws:iam::${emulator!.account}:role/flows` };
    machines.set('checkpoint', (await sfn.send(new CreateStateMachineCommand(machine))).stateMachineArn!);
  });

  function message(group: string, body: string, deduplicationId = `id-${nextId++}`): OutgoingMessage {
    return { group, deduplicationId, body: bytesOf(body) };
  }
  const bodies = (messages: readonly ReceivedMessage[]) => messages.map(({ body }) => textOf(body));
  const receive = (queue: string, waitMs = 0) => receiver.receive(queue, { messagesMax: 10, waitMs, visibilityMs: 30_000 });

  test('a group is delivered in order, once, and nothing more of it while it is in flight', async () => {
    expect(await sender.sendBatch('q', [message('a', '1'), message('b', 'x', 'same'), message('a', '2')])).toEqual([true, true, true]);
    expect(await sender.sendBatch('q', [message('b', 'again', 'same')])).toEqual([true]);
    const held = await receive('q', 1_000);
    expect(bodies(held.filter(({ group }) => group === 'a'))).toEqual(['1', '2']);
    expect(bodies(held.filter(({ group }) => group === 'b'))).toEqual(['x']);
    await sender.sendBatch('q', [message('a', '3')]);
    expect(await receive('q')).toEqual([]);
    expect(await sender.depth('q')).toBe(4);
    await receiver.changeVisibility('q', held.map(({ receipt }) => receipt), 0); // prettier-ignore
    const again = await receive('q', 1_000);
    expect(again.map(({ receiveCount, group }) => [group, receiveCount])).toContainEqual(['b', 2]);
    expect(bodies(again.filter(({ group }) => group === 'a'))).toEqual(['1', '2', '3']);
    await receiver.deleteBatch('q', again.map(({ receipt }) => receipt)); // prettier-ignore
    // What has been deleted is nobody's error.
    await receiver.deleteBatch('q', held.map(({ receipt }) => receipt)); // prettier-ignore
    await receiver.changeVisibility('q', held.map(({ receipt }) => receipt), 0); // prettier-ignore
    expect(await sender.depth('q')).toBe(0);
  });

  test('a message of a mebibyte of text comes as it was', async () => {
    const body = Uint8Array.from({ length: 786_432 }, (_, i) => (i * 31) & 0xff);
    expect(await sender.sendBatch('large', [{ ...message('a', ''), body }])).toEqual([true]);
    const [received] = await receive('large', 1_000);
    expect(Buffer.from(received!.body).equals(body)).toBe(true);
  });

  test('an object is created once, read whole, listed, and gone when it is removed', async () => {
    const keys = ['jobs/1/segments/a.b_c-1/0/1-2-x', 'jobs/1/ä \u{1f600}+&=?#', 'jobs/1/.x/..', 'jobs/1/\u0001'];
    for (const key of keys) expect(await objects.createIfAbsent(key, bytesOf(key)), key).toBe('created');
    expect(await objects.createIfAbsent(keys[0]!, bytesOf('other'))).toBe('exists');
    for (const key of keys) expect(textOf(await objects.read(key))).toBe(key);
    expect(await objects.read('jobs/1/none')).toBeUndefined();
    const listed = await objects.list('jobs/1/');
    expect(listed.map(({ key }) => key)).toEqual([...keys].sort());
    expect(Math.abs(listed[0]!.createdAtMs - Date.now())).toBeLessThan(60_000);
    await objects.remove([...keys, 'jobs/1/none']);
    expect(await objects.list('jobs/')).toEqual([]);
  });

  test('of many creations of one object one wins, whether it is small, empty or goes up in parts', async () => {
    for (const [key, size] of [['empty', 0], ['small', 100], ['parts', 12_000_000]] as const) {
      const tries = Array.from({ length: 4 }, (_, i) => objects.createIfAbsent(key, new Uint8Array(size).fill(i + 1)));
      const outcomes = await Promise.all(tries);
      expect(outcomes.filter((outcome) => outcome === 'created'), key).toHaveLength(1);
      const bytes = (await objects.read(key))!;
      expect([bytes.length, bytes[0]]).toEqual([size, size === 0 ? undefined : outcomes.indexOf('created') + 1]);
    }
  }); // prettier-ignore

  test('a savepoint folder is prepared, filled, read and emptied; one in nobody’s bucket is refused', async () => {
    const folders = createS3SavepointFolders(s3Access);
    const folder = folders.inside('s3://objects/savepoints', 'one');
    await folder.prepare();
    expect(await folder.list()).toEqual([]);
    expect(await folder.createIfAbsent('a/b', bytesOf('1'))).toBe('created');
    expect(await folder.list()).toEqual([{ path: 'a/b', bytes: 1 }]);
    await folder.remove(['a/b']);
    expect(await objects.list('savepoints/')).toEqual([]);
    const nobodys = folders.at('s3://nobodys-bucket/x');
    await expect(nobodys.prepare()).rejects.toMatchObject({ code: 'SLUICE-FOLDER-UNUSABLE' });
    expect([await nobodys.read('x'), await nobodys.list()]).toEqual([undefined, []]);
  });

  test('a wake-up goes through the delay queue and its relay; one that is far off is scheduled once', async () => {
    const queueArn = `arn:aws:sqs:${emulator!.client.region}:${emulator!.account}:delay`;
    const role = { schedulerRoleArn: `arn:aws:iam::${emulator!.account}:role/scheduler`, scheduleGroup: 'sluice' };
    const delayQueue = { sqs, delayQueueUrl: urls.get('delay')!, clock: systemClock };
    const delay = createSqsDelay({
      ...delayQueue,
      ...role,
      scheduler: async () => createSchedulerClient(options),
      delayQueueArn: queueArn,
    });
    const wakeUp = { queue: 'woken', group: '0.1', deduplicationId: 'wake-1', body: bytesOf('wake') };
    const dueAtMs = Date.now() + 1_500;
    await delay.schedule({ ...wakeUp, dueAtMs });
    await delay.schedule({ ...wakeUp, dueAtMs: dueAtMs + 86_400_000 });
    await delay.schedule({ ...wakeUp, dueAtMs: dueAtMs + 86_400_000 });
    const delayed = await receive('delay', 5_000);
    expect(Date.now()).toBeGreaterThanOrEqual(dueAtMs);
    expect(await relayDelayed({ ...delayQueue, sender, logger: { log: () => undefined } }, delayed)).toEqual([]);
    expect(bodies(await receive('woken', 1_000))).toEqual(['wake']);
  });

  test('a flow is started once under its name, and runs until it has ended; nobody waits for a token that is unknown', async () => {
    const flowsOf = (name: string) => (name.startsWith('chk-') ? ['checkpoint'] : []);
    const starter = createStepFunctionsFlowStarter({ client: sfn, stateMachineArn: (flow) => machines.get(flow), flowsOf });
    const name = `chk-${'a'.repeat(100)}`;
    expect(await starter.start('checkpoint', name, { job: 'ä' })).toBe('started');
    expect(await starter.start('checkpoint', name, { job: 'other' })).toBe('exists');
    expect([await starter.isRunning(name), await starter.isRunning('chk-none')]).toEqual([true, false]);
    const executionArn = `${machines.get('checkpoint')!.replace(':stateMachine:', ':execution:')}:${executionName(name)}`;
    await sfn.send(new StopExecutionCommand({ executionArn }));
    expect(await starter.isRunning(name)).toBe(false);
    expect(await starter.start('checkpoint', name, { job: 'ä' })).toBe('exists');
    const signal = createStepFunctionsSignal(sfn);
    expect([await signal.succeed('unknown', {}), await signal.fail('unknown', { code: 'X', cause: 'y' })]).toEqual(['gone', 'gone']);
  });
});
