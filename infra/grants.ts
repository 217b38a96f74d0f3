/** What functions of a job may do, action by action; wildcards only below a prefix of the job's own. The user's data: data-grants.ts. */
import { ArnFormat, Fn, Stack } from 'aws-cdk-lib';
import type { Bucket } from 'aws-cdk-lib/aws-s3';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import type { JobId } from '../lib/base/ids.ts';
import { flowDescriptions } from '../lib/coordinator/flow-descriptions.ts';
import { awsPrefix, awsStateMachineName } from '../lib/model/aws-names.ts';
import type { JobPlan } from '../lib/model/job-plan.ts';
import { jobPrefix } from '../lib/model/object-keys.ts';
import type { JobFunction } from './job-function.ts';
import { namesOf } from './named-policy.ts';

/** What an operator does with objects: it makes and reads them, and removes none. */
export function allowObjects(to: JobFunction, bucket: Bucket, job: JobId): void {
  to.allow(['s3:GetObject', 's3:PutObject', 's3:AbortMultipartUpload'], [bucket.arnForObjects(`${jobPrefix(job)}*`)]);
  // Without it a missing object looks like a forbidden one.
  to.allow(['s3:ListBucket'], [bucket.bucketArn]);
}

/** Sending, and looking how many wait. */
export function allowQueues(to: JobFunction, plan: JobPlan, queues: readonly Queue[]): void {
  to.allowNamed(namesOf(plan), ['sqs:SendMessage', 'sqs:GetQueueAttributes'], queues.map(({ queueArn }) => queueArn)); // prettier-ignore
}

/** The coordinator's work: collecting objects, savepoints, and its flows. */
export function allowCoordination(to: JobFunction, bucket: Bucket, job: JobId): void {
  to.allow(
    ['s3:GetObject', 's3:PutObject', 's3:DeleteObject', 's3:AbortMultipartUpload'],
    [bucket.arnForObjects(`${jobPrefix(job)}*`), bucket.arnForObjects('savepoints/*')],
  );
  to.allow(['s3:ListBucket'], [bucket.bucketArn]);
  // By name: the machines name the function, which cannot name them.
  const arnOf = (resource: string, resourceName: string): string =>
    Stack.of(to).formatArn({ service: 'states', resource, arnFormat: ArnFormat.COLON_RESOURCE_NAME, resourceName });
  to.allow(
    ['states:StartExecution'],
    flowDescriptions.map(({ name }) => arnOf('stateMachine', awsStateMachineName(job, name))),
  );
  to.allow(['states:DescribeExecution'], [arnOf('execution', `${awsPrefix(job)}-*`)]);
  // A token belongs to no resource: AWS takes only `*` here.
  to.allow(['states:SendTaskSuccess', 'states:SendTaskFailure'], ['*']);
}

/** Event sources are turned off while the job has ended. */
export function allowTurning(to: JobFunction, functions: readonly JobFunction[]): void {
  const sources = functions.flatMap(({ source }) => (source === null ? [] : [source]));
  to.lambda.addEnvironment('SLUICE_MAPPINGS', Fn.join(' ', sources.map(({ eventSourceMappingId }) => eventSourceMappingId))); // prettier-ignore
  to.allow(['lambda:GetEventSourceMapping', 'lambda:UpdateEventSourceMapping'], sources.map(({ eventSourceMappingArn }) => eventSourceMappingArn)); // prettier-ignore
}
