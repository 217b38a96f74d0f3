/**
 * Wakes later: through one standard queue with delays, because FIFO queues have none per message, and its relay (relay.ts).
 *
 * DL1. What is further off than SQS can delay waits as a one-time schedule, which sends it to the same queue a minute early: a schedule is exact to a
 *      minute, and the relay waits for the rest. It is named after what it sends, so that a second one is the first.
 * DL2. Nothing lies further off than a year: whoever asks for more is woken by the relay every quarter of an hour after it.
 */
import type { SchedulerClient } from '@aws-sdk/client-scheduler';
import { SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import type { Clock, Delay } from '../../ports/system.ts';
import { telling } from '../aws-sdk/telling.ts';
import { checkBatch } from '../memory/queue-limits.ts';
import { textOfBody } from './body-text.ts';
import { encodeDelayed, type DelayedMessage } from './delayed-message.ts';
import type { ScheduleOptions } from './schedule.ts';
import { secondsOf } from './sqs-access.ts';

export interface DelayQueue {
  readonly sqs: SQSClient;
  readonly delayQueueUrl: string;
  readonly clock: Clock;
}

export interface SqsDelayOptions extends DelayQueue, ScheduleOptions {
  /** Called when it is needed, which in most jobs it never is. */
  readonly scheduler: () => Promise<SchedulerClient>;
}

/** SQS: the longest delay of a message. */
const delaySecondsMax = 900;
const scheduleLeadMs = 60_000;
const scheduleAheadMsMax = 365 * 86_400_000;

export function createSqsDelay(options: SqsDelayOptions): Delay {
  return telling<Delay>('SQS or EventBridge Scheduler', {
    schedule: async (message) => {
      // What a queue can never take is refused here: later, nobody could be told.
      checkBatch(message.queue, [message]);
      if (message.dueAtMs - options.clock.now() <= delaySecondsMax * 1_000) await sendDelayed(options, message);
      else await scheduleDelayed(options, message);
    },
  });
}

/** As late as SQS can: what is further off comes to the relay before its time. */
export async function sendDelayed({ sqs, delayQueueUrl, clock }: DelayQueue, message: DelayedMessage): Promise<void> {
  const delaySeconds = secondsOf(message.dueAtMs - clock.now(), delaySecondsMax);
  const text = textOfBody(encodeDelayed(message));
  await sqs.send(new SendMessageCommand({ QueueUrl: delayQueueUrl, MessageBody: text, DelaySeconds: delaySeconds }));
}

async function scheduleDelayed(options: SqsDelayOptions, message: DelayedMessage): Promise<void> {
  const [{ createSchedule }, scheduler] = await Promise.all([import('./schedule.ts'), options.scheduler()]);
  await createSchedule(scheduler, options, message, Math.min(message.dueAtMs - scheduleLeadMs, options.clock.now() + scheduleAheadMsMax));
}
