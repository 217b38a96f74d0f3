import { SchedulerClient } from '@aws-sdk/client-scheduler';
import { SQSClient } from '@aws-sdk/client-sqs';
import { beforeEach, describe, expect, test } from 'vitest';
import { createSqsDelay } from '../../../lib/adapters/sqs/delay.ts';
import { decodeDelayed, encodeDelayed } from '../../../lib/adapters/sqs/delayed-message.ts';
import { relayDelayed } from '../../../lib/adapters/sqs/relay.ts';
import { systemRandom } from '../../../lib/adapters/system/random.ts';
import type { MessageSender, OutgoingMessage, ReceivedMessage } from '../../../lib/ports/message-queue.ts';
import type { Delay } from '../../../lib/ports/system.ts';
import { bytesOf } from '../../contract/fixture.ts';
import { ManualTime, settle } from '../../contract/manual-time.ts';
import { clientConfig, jsonError } from './fake-service.ts';
import { FakeScheduler } from './fake-scheduler.ts';
import { FakeSqs } from './fake-sqs.ts';

const day = 86_400_000;
let time: ManualTime;
let fake: FakeSqs;
let scheduler: FakeScheduler;
let delay: Delay;
let now: number;

const options = () => ({
  sqs: new SQSClient(clientConfig(fake.service)),
  delayQueueUrl: fake.delayQueueUrl,
  clock: time.clock,
  scheduler: async () => new SchedulerClient(clientConfig(scheduler.service)),
  delayQueueArn: 'arn:delay',
  schedulerRoleArn: 'arn:role',
  scheduleGroup: 'sluice-job',
});

beforeEach(() => {
  time = new ManualTime();
  fake = new FakeSqs({ ...time, random: systemRandom });
  scheduler = new FakeScheduler(time, (text) => fake.sendStandard(text));
  delay = createSqsDelay(options());
  now = time.clock.now();
});

function wakeUp(dueAtMs: number, changes: Partial<Parameters<Delay['schedule']>[0]> = {}) {
  return { queue: 'job/uid', group: '0.1', deduplicationId: 'self-wake-1', body: bytesOf('wake'), dueAtMs, ...changes };
}

function delaysAsked(): number[] {
  return fake.service.requests.map(({ body }) => JSON.parse(body.toString()).DelaySeconds);
}

describe('a wake-up on AWS', () => {
  test('of the next quarter of an hour is one message, delayed by whole seconds and never too short', async () => {
    for (const inMs of [-5_000, 0, 1, 1_000, 1_001, 900_000]) await delay.schedule(wakeUp(now + inMs));
    expect(delaysAsked()).toEqual([0, 0, 1, 1, 2, 900]);
    expect(scheduler.service.take()).toEqual([]);
  });

  test('of later is a schedule that deletes itself, a minute before its time and in the name of its id', async () => {
    const late = wakeUp(now + 900_001);
    await delay.schedule(late);
    expect([fake.service.take(), scheduler.service.take()]).toEqual([[], ['CreateSchedule']]);
    const [schedule] = [...scheduler.schedules.values()];
    expect(schedule).toMatchObject({ ActionAfterCompletion: 'DELETE', Target: { Arn: 'arn:delay', RoleArn: 'arn:role' } });
    expect(Date.parse(`${schedule!.at}Z`)).toBe(Math.floor((now + 840_001) / 1_000) * 1_000);
    expect(decodeDelayed(Buffer.from(schedule!.Target.Input, 'base64'))).toEqual({ ...late, body: Buffer.from(late.body) });
  });

  test('that is scheduled twice is scheduled once, and others are others', async () => {
    await delay.schedule(wakeUp(now + day));
    await delay.schedule(wakeUp(now + day));
    expect(scheduler.schedules.size).toBe(1);
    await delay.schedule(wakeUp(now + day, { deduplicationId: 'self-wake-2' }));
    await delay.schedule(wakeUp(now + day, { group: '1.1' }));
    await delay.schedule(wakeUp(now + day, { queue: 'job/other' }));
    expect(scheduler.schedules.size).toBe(4);
  });

  test('keeps its schedule when the answer was lost, and says what else goes wrong', async () => {
    scheduler.service.inject('CreateSchedule', 'lost-answer');
    await delay.schedule(wakeUp(now + day));
    expect(scheduler.schedules.size).toBe(1);
    scheduler.service.inject('CreateSchedule', ...[1, 2, 3].map(() => () => jsonError('ThrottlingException', 429)));
    await expect(delay.schedule(wakeUp(now + 2 * day, { group: '2.1' }))).rejects.toMatchObject({ code: 'SLUICE-AWS-THROTTLED' });
    scheduler.service.inject('CreateSchedule', () => jsonError('ResourceNotFoundException', 404));
    await expect(delay.schedule(wakeUp(now + 2 * day, { group: '2.1' }))).rejects.toMatchObject({ code: 'SLUICE-AWS-REFUSED' });
  });

  test('may be as far off as a number can say', async () => {
    await delay.schedule(wakeUp(Number.MAX_SAFE_INTEGER));
    const [schedule] = [...scheduler.schedules.values()];
    expect(Date.parse(`${schedule!.at}Z`) - now).toBeLessThanOrEqual(365 * day);
  });

  test('that is larger than messages to oneself are is refused', async () => {
    const refused = { code: 'SLUICE-QUEUE-CALL-INVALID' };
    await expect(delay.schedule(wakeUp(now, { body: new Uint8Array(40_000) }))).rejects.toMatchObject(refused);
    await expect(delay.schedule(wakeUp(now, { body: new Uint8Array(800_000) }))).rejects.toMatchObject(refused);
  });
});

describe('the relay', () => {
  let sent: { queue: string; messages: readonly OutgoingMessage[] }[];
  let answer: (queue: string, message: OutgoingMessage) => boolean;
  const sender: Pick<MessageSender, 'sendBatch'> = {
    sendBatch: async (queue, messages) => {
      sent.push({ queue, messages });
      return messages.map((message) => answer(queue, message));
    },
  };
  const told: string[] = [];
  const relay = (...messages: readonly Parameters<Delay['schedule']>[0][]) =>
    relayDelayed({ ...options(), sender, logger: { log: (_, message) => void told.push(message) } }, messages.map(received));

  beforeEach(() => {
    sent = [];
    answer = () => true;
    told.length = 0;
  });

  test('hands on what is due, with one call for each queue', async () => {
    const due = Array.from({ length: 10 }, (_, i) =>
      wakeUp(now - i, { queue: i < 7 ? 'a' : 'b', deduplicationId: `d${i}`, group: `g${i}` }),
    );
    expect(await relay(...due)).toEqual([]);
    expect(sent.map(({ queue, messages }) => [queue, messages.length])).toEqual([['a', 7], ['b', 3]]); // prettier-ignore
    expect(sent[1]!.messages[2]).toEqual({ group: 'g9', deduplicationId: 'd9', body: Buffer.from('wake') });
    expect(fake.service.take()).toEqual([]);
  });

  test('sends round once more what is not due yet, with the rest of the time', async () => {
    expect(await relay(wakeUp(now + 10_001), wakeUp(now + 5 * day), wakeUp(now))).toEqual([]);
    expect(delaysAsked()).toEqual([11, 900]);
    expect(sent.length).toBe(1);
  });

  test('keeps only what was not taken: a message refused, a queue in trouble, a delay queue in trouble', async () => {
    answer = (queue, { group }) => {
      if (queue === 'broken') throw new Error('no');
      return group !== 'refused';
    };
    fake.service.inject('SendMessage', () => jsonError('AccessDenied', 403));
    const failed = await relay(
      wakeUp(now, { queue: 'a', group: 'taken', deduplicationId: '1' }),
      wakeUp(now, { queue: 'a', group: 'refused', deduplicationId: '2' }),
      wakeUp(now, { queue: 'broken', deduplicationId: '3' }),
      wakeUp(now + 9_000, { deduplicationId: '4' }),
      wakeUp(now + 9_000, { deduplicationId: '5' }),
    );
    expect([...failed].sort()).toEqual(['2', '3', '4']);
    expect(told.length).toBe(2);
  });

  test('takes what a schedule has sent a minute early at its time', async () => {
    await delay.schedule(wakeUp(now + day + 123));
    const seen: number[] = [];
    fake.consume(async ({ Records: records }) => {
      const messages = records.map(({ messageId, body }) => received(decodeDelayed(Buffer.from(body, 'base64')), messageId));
      const failed = await relayDelayed({ ...options(), sender, logger: { log: () => undefined } }, messages);
      if (sent.length > 0) seen.push(time.clock.now());
      return { batchItemFailures: failed.map((itemIdentifier) => ({ itemIdentifier })) };
    });
    await time.advance(day + 2_000);
    await settle();
    expect(sent.length).toBe(1);
    expect(seen[0]! - now - day).toBeGreaterThanOrEqual(123);
    expect(seen[0]! - now - day).toBeLessThan(1_123);
  });
});

function received(delayed: Parameters<Delay['schedule']>[0], messageId: unknown = delayed.deduplicationId): ReceivedMessage {
  const id = typeof messageId === 'string' ? messageId : delayed.deduplicationId;
  return { messageId: id, receipt: id, group: '', body: encodeDelayed(delayed), receiveCount: 1, sentAtMs: 0 };
}

describe('a delayed message', () => {
  test('is told from everything else', () => {
    const one = JSON.parse(Buffer.from(encodeDelayed(wakeUp(1))).toString());
    const damaged = [
      '',
      'x',
      '[]',
      'null',
      ...[{ version: 2 }, { queue: 1 }, { body: '?' }, { body: 7 }, { dueAtMs: '1' }, { group: undefined }].map((change) =>
        JSON.stringify({ ...one, ...change }),
      ),
    ];
    for (const text of damaged)
      expect(() => decodeDelayed(bytesOf(text)), text).toThrowError(expect.objectContaining({ code: 'SLUICE-DATA-CORRUPT' }) as Error);
    expect(decodeDelayed(bytesOf(JSON.stringify({ ...one, added: 'later' })))).toMatchObject({ queue: 'job/uid', dueAtMs: 1 });
  });
});
