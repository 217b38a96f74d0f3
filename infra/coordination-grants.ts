/** What only those may do who coordinate: each what it does, and no more (test/deployed/granted). */
import { ArnFormat, Fn, Stack } from 'aws-cdk-lib';
import type { Bucket, IBucket } from 'aws-cdk-lib/aws-s3';
import type { JobId } from '../lib/base/ids.ts';
import { flowDescriptions } from '../lib/coordinator/flow-descriptions.ts';
import { awsPrefix, awsStateMachineName } from '../lib/model/aws-names.ts';
import { jobPrefix } from '../lib/model/object-keys.ts';
import type { JobFunction } from './job-function.ts';

/** What the steps of flows do with objects: collecting them, exports and imports of savepoints. */
export function allowCollecting(to: JobFunction, bucket: Bucket, job: JobId): void {
  to.allow(
    ['s3:GetObject', 's3:PutObject', 's3:DeleteObject', 's3:AbortMultipartUpload'],
    [bucket.arnForObjects(`${jobPrefix(job)}*`), bucket.arnForObjects('savepoints/*')],
  );
  to.allow(['s3:ListBucket'], [bucket.bucketArn]);
}

/** Previews and catalogues; and savepoints of other deployments. */
export function allowReadingSavepoints(to: JobFunction, buckets: readonly (Bucket | IBucket)[]): void {
  for (const bucket of buckets) {
    to.allow(['s3:GetObject'], [bucket.arnForObjects('savepoints/*')]);
    to.allow(['s3:ListBucket'], [bucket.bucketArn]);
  }
}

/** Telling a flow that waits: that its checkpoint is there, or (of who only meets an overdue one) that it is over. A token belongs to no resource: AWS takes only `*` here. */
export function allowSignals(to: JobFunction, which: 'all' | 'failures'): void {
  to.allow([...(which === 'all' ? ['states:SendTaskSuccess'] : []), 'states:SendTaskFailure'], ['*']);
}

/** By name: the machines name the function, which cannot name them. */
export function allowFlows(to: JobFunction, job: JobId): void {
  const arnOf = (resource: string, resourceName: string): string =>
    Stack.of(to).formatArn({ service: 'states', resource, arnFormat: ArnFormat.COLON_RESOURCE_NAME, resourceName });
  to.allow(
    ['states:StartExecution'],
    flowDescriptions.map(({ name }) => arnOf('stateMachine', awsStateMachineName(job, name))),
  );
  to.allow(['states:DescribeExecution'], [arnOf('execution', `${awsPrefix(job)}-*`)]);
}

/** Event sources are turned off while the job has ended. */
export function allowTurning(to: JobFunction, functions: readonly JobFunction[]): void {
  const sources = functions.flatMap(({ source }) => (source === null ? [] : [source]));
  to.lambda.addEnvironment('SLUICE_MAPPINGS', Fn.join(' ', sources.map(({ eventSourceMappingId }) => eventSourceMappingId))); // prettier-ignore
  to.allow(['lambda:GetEventSourceMapping', 'lambda:UpdateEventSourceMapping'], sources.map(({ eventSourceMappingArn }) => eventSourceMappingArn)); // prettier-ignore
}
