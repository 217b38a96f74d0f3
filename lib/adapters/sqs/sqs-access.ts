/** What the adapters of SQS are given. Ports name queues as queue-names.ts does; where they are is in a table of the deployment. */
import type { SQSClient } from '@aws-sdk/client-sqs';
import { SluiceError } from '../../base/errors.ts';

export interface SqsAccess {
  readonly client: SQSClient;
  /** Undefined where this deployment has no such queue. */
  readonly queueUrl: (queue: string) => string | undefined;
}

/** @throws SluiceError `SLUICE-QUEUE-CALL-INVALID` */
export function urlOf({ queueUrl }: SqsAccess, queue: string): string {
  const url = queueUrl(queue);
  if (url !== undefined) return url;
  throw new SluiceError('SLUICE-QUEUE-CALL-INVALID', `there is no queue ${queue} in this deployment`, {
    hint: 'Finish the deployment that brings it, or restore the job under the plan that is deployed.',
    facts: { queue },
  });
}

/** SQS counts in whole seconds: rather later than earlier. */
export function secondsOf(milliseconds: number, secondsMax: number): number {
  return Math.min(Math.max(0, Math.ceil(milliseconds / 1_000)), secondsMax);
}
