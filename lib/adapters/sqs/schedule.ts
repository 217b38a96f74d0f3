/** One-time schedules of EventBridge Scheduler, which send to the delay queue. Loaded only for what is further off than SQS can delay (delay.ts). */
import { createHash } from 'node:crypto';
import { CreateScheduleCommand, type SchedulerClient } from '@aws-sdk/client-scheduler';
import { errorName } from '../../base/error-name.ts';
import { textOfBody } from './body-text.ts';
import { encodeDelayed, type DelayedMessage } from './delayed-message.ts';

export interface ScheduleOptions {
  readonly delayQueueArn: string;
  /** Lets EventBridge Scheduler send to the delay queue. */
  readonly schedulerRoleArn: string;
  readonly scheduleGroup: string;
}

const nameDigits = 48;

export async function createSchedule(
  scheduler: SchedulerClient,
  options: ScheduleOptions,
  message: DelayedMessage,
  atMs: number,
): Promise<void> {
  try {
    await scheduler.send(
      new CreateScheduleCommand({
        Name: scheduleName(message),
        GroupName: options.scheduleGroup,
        ScheduleExpression: `at(${new Date(atMs).toISOString().slice(0, 'YYYY-MM-DDTHH:MM:SS'.length)})`,
        FlexibleTimeWindow: { Mode: 'OFF' },
        ActionAfterCompletion: 'DELETE',
        Target: { Arn: options.delayQueueArn, RoleArn: options.schedulerRoleArn, Input: textOfBody(encodeDelayed(message)) },
      }),
    );
  } catch (error) {
    // DL1: there already.
    if (errorName(error) !== 'ConflictException') throw error;
  }
}

/** Schedules have names of 64 characters; ids are remembered per queue and group. */
function scheduleName({ queue, group, deduplicationId }: DelayedMessage): string {
  return createHash('sha256')
    .update(JSON.stringify([queue, group, deduplicationId]))
    .digest('hex')
    .slice(0, nameDigits);
}
