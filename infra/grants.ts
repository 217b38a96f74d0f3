/** What functions of a job may do, action by action; wildcards only below a prefix of the job's own. The user's data: data-grants.ts; the coordinator's work: coordination-grants.ts. */
import type { Bucket } from 'aws-cdk-lib/aws-s3';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import type { JobId } from '../lib/base/ids.ts';
import type { JobPlan } from '../lib/model/job-plan.ts';
import { jobPrefix } from '../lib/model/object-keys.ts';
import type { JobFunction } from './job-function.ts';
import { namesOf } from './named-policy.ts';

/** Making and reading the job's objects; only its coordinator removes some. */
export function allowObjects(to: JobFunction, bucket: Bucket, job: JobId): void {
  to.allow(['s3:GetObject', 's3:PutObject'], [bucket.arnForObjects(`${jobPrefix(job)}*`)]);
  // Without it a missing object looks like a forbidden one.
  to.allow(['s3:ListBucket'], [bucket.bucketArn]);
}

/** Giving up what was uploaded in parts: of those whose objects may be large. */
export function allowUploads(to: JobFunction, bucket: Bucket, job: JobId): void {
  to.allow(['s3:AbortMultipartUpload'], [bucket.arnForObjects(`${jobPrefix(job)}*`)]);
}

/** Putting aside what is no message of ours (functions/batch-work.ts). */
export function allowSettingAside(to: JobFunction, bucket: Bucket, job: JobId): void {
  to.allow(['s3:PutObject'], [bucket.arnForObjects(`${jobPrefix(job)}strange/*`)]);
}

/** To the shards and to the coordinator. */
export function allowSending(to: JobFunction, plan: JobPlan, queues: readonly Queue[]): void {
  to.allowNamed(namesOf(plan), ['sqs:SendMessage'], queues.map(({ queueArn }) => queueArn)); // prettier-ignore
}

/** Of a source, which rests while too much waits. */
export function allowDepths(to: JobFunction, plan: JobPlan, queues: readonly Queue[]): void {
  to.allowNamed(namesOf(plan), ['sqs:GetQueueAttributes'], queues.map(({ queueArn }) => queueArn)); // prettier-ignore
}
