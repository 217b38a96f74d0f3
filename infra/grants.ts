/** What functions of a job may do, action by action; wildcards only below a prefix of the job's own. */
import type { TableV2 } from 'aws-cdk-lib/aws-dynamodb';
import type { Bucket } from 'aws-cdk-lib/aws-s3';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import type { JobId } from '../lib/base/ids.ts';
import { jobPrefix } from '../lib/model/object-keys.ts';
import type { JobFunction } from './job-function.ts';

export function allowTable(to: JobFunction, table: TableV2): void {
  to.allow(
    ['dynamodb:GetItem', 'dynamodb:BatchGetItem', 'dynamodb:Query', 'dynamodb:PutItem', 'dynamodb:DeleteItem', 'dynamodb:BatchWriteItem'],
    [table.tableArn],
  );
}

export function allowObjects(to: JobFunction, bucket: Bucket, job: JobId): void {
  to.allow(['s3:GetObject', 's3:PutObject'], [bucket.arnForObjects(`${jobPrefix(job)}*`)]);
}

/** Sending, and looking how many wait. */
export function allowQueues(to: JobFunction, queues: readonly Queue[]): void {
  to.allow(['sqs:SendMessage', 'sqs:GetQueueAttributes'], queues.map(({ queueArn }) => queueArn)); // prettier-ignore
}
