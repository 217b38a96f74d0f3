/** What has to do with the log of a push source may do this with it, and no more. */
import type { TableV2 } from 'aws-cdk-lib/aws-dynamodb';
import type { Bucket } from 'aws-cdk-lib/aws-s3';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import type { JobId } from '../lib/base/ids.ts';
import { intakePrefix } from '../lib/model/intake-names.ts';
import { jobPrefix } from '../lib/model/object-keys.ts';
import type { JobFunction } from './job-function.ts';
import { onlyKeys } from './table-grants.ts';
import { intakeKeysOfJob, recordKeysOfJob } from './table-keys.ts';

/** An intake writes to its log, knows the job's record and its plan, and wakes its source. */
export function allowIntake(
  to: JobFunction,
  {
    table,
    log,
    bucket,
    source,
    job,
    intake,
  }: {
    readonly table: TableV2;
    readonly log: TableV2;
    readonly bucket: Bucket;
    readonly source: Queue;
    readonly job: JobId;
    readonly intake: string;
  },
): void {
  to.allow(['dynamodb:GetItem'], [table.tableArn], onlyKeys(recordKeysOfJob(job)));
  to.allow(['dynamodb:PutItem', 'dynamodb:Query'], [log.tableArn], onlyKeys(intakeKeysOfJob(job, intake)));
  to.allow(['s3:PutObject'], [bucket.arnForObjects(`${intakePrefix(job)}*`)]);
  to.allow(['s3:GetObject'], [bucket.arnForObjects(`${jobPrefix(job)}*`)]);
  to.allow(['sqs:SendMessage'], [source.queueArn]);
}

/** A push source reads its log; without its name all of the job's. */
export function allowReadingIntake(to: JobFunction, log: TableV2, bucket: Bucket, job: JobId, intake?: string): void {
  to.allow(['dynamodb:Query'], [log.tableArn], onlyKeys(intakeKeysOfJob(job, intake)));
  to.allow(['s3:GetObject'], [bucket.arnForObjects(`${intakePrefix(job)}*`)]);
}

/** What lies below the oldest checkpoint goes. */
export function allowTrimmingIntake(to: JobFunction, log: TableV2, bucket: Bucket, job: JobId): void {
  to.allow(['dynamodb:Query', 'dynamodb:BatchWriteItem'], [log.tableArn], onlyKeys(intakeKeysOfJob(job)));
  to.allow(['s3:DeleteObject'], [bucket.arnForObjects(`${intakePrefix(job)}*`)]);
}
