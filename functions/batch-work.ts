/** What every function that works for a queue does alike: failed messages soon come again, what is no message of ours is kept. */
import { answerBatch, type BatchFunction, type StrangeMessage } from '../lib/adapters/lambda/answer-batch.ts';
import type { JobId } from '../lib/base/ids.ts';
import { jobPrefix } from '../lib/model/object-keys.ts';
import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import type { AwsStores } from './aws-stores.ts';

type Work = Pick<BatchFunction, 'handle' | 'recognise'> & { readonly job: JobId; readonly queue: string };

export function workOnBatch({ objects, receiver, metrics, logger, invocations }: AwsStores, { job, queue, ...work }: Work) {
  const setAside = async (message: StrangeMessage): Promise<void> => {
    const key = `${jobPrefix(job)}strange/${queue.split('/').at(-1)!.replace('#', '')}-${message.messageId}`;
    await objects.createIfAbsent(key, Buffer.from(JSON.stringify(message), 'utf8'));
  };
  const changeVisibility = (receipts: readonly string[], visibilityMs: number) => receiver.changeVisibility(queue, receipts, visibilityMs);
  return (event: SQSEvent): Promise<SQSBatchResponse> =>
    invocations.around(event, () => answerBatch(event, { ...work, setAside, changeVisibility, logger })).finally(() => metrics.flush());
}
