/** What functions of a job may do, action by action; wildcards only below a prefix of the job's own, or of what its plan names. */
import { ArnFormat, Fn, Stack } from 'aws-cdk-lib';
import type { TableV2 } from 'aws-cdk-lib/aws-dynamodb';
import type { Bucket } from 'aws-cdk-lib/aws-s3';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import type { JobId } from '../lib/base/ids.ts';
import { flowDescriptions } from '../lib/coordinator/flow-descriptions.ts';
import { awsStateMachineName } from '../lib/model/aws-names.ts';
import { isSourceVertex, type JobPlan } from '../lib/model/job-plan.ts';
import { jobPrefix } from '../lib/model/object-keys.ts';
import type { JobFunction } from './job-function.ts';

export function allowTable(to: JobFunction, table: TableV2): void {
  const actions = ['GetItem', 'BatchGetItem', 'Query', 'PutItem', 'DeleteItem', 'BatchWriteItem'];
  to.allow(actions.map((action) => `dynamodb:${action}`), [table.tableArn]); // prettier-ignore
}

/** What an operator does with objects: it makes and reads them, and removes none. */
export function allowObjects(to: JobFunction, bucket: Bucket, job: JobId): void {
  to.allow(['s3:GetObject', 's3:PutObject', 's3:AbortMultipartUpload'], [bucket.arnForObjects(`${jobPrefix(job)}*`)]);
  // Without it a missing object looks like a forbidden one.
  to.allow(['s3:ListBucket'], [bucket.bucketArn]);
}

/** Sending, and looking how many wait. */
export function allowQueues(to: JobFunction, queues: readonly Queue[]): void {
  to.allow(['sqs:SendMessage', 'sqs:GetQueueAttributes'], queues.map(({ queueArn }) => queueArn)); // prettier-ignore
}

/** The coordinator's work: collecting objects, savepoints, and its flows. */
export function allowCoordination(to: JobFunction, bucket: Bucket, job: JobId): void {
  to.allow(
    ['s3:GetObject', 's3:PutObject', 's3:DeleteObject', 's3:AbortMultipartUpload'],
    [bucket.arnForObjects(`${jobPrefix(job)}*`), bucket.arnForObjects('savepoints/*')],
  );
  to.allow(['s3:ListBucket'], [bucket.bucketArn]);
  // By name: the machines name the function, which cannot name them.
  const arnsOf = (resource: string, ending = ''): string[] =>
    flowDescriptions.map(({ name }) => {
      const resourceName = `${awsStateMachineName(job, name)}${ending}`;
      return Stack.of(to).formatArn({ service: 'states', resource, arnFormat: ArnFormat.COLON_RESOURCE_NAME, resourceName });
    });
  to.allow(['states:StartExecution'], arnsOf('stateMachine'));
  to.allow(['states:DescribeExecution'], arnsOf('execution', ':*'));
  // A token belongs to no resource: AWS takes only `*` here.
  to.allow(['states:SendTaskSuccess', 'states:SendTaskFailure'], ['*']);
}

/** The user's data, by the URIs that the plan names. */
export function allowData(to: JobFunction, plan: JobPlan): void {
  const { partition } = Stack.of(to);
  for (const { uid, operators } of plan.vertices) {
    for (const { connector } of operators) {
      const uri = connector?.options['uri'];
      const [, bucket, prefix = ''] = (typeof uri === 'string' && /^s3:\/\/([^/]+)\/?(.*)$/.exec(uri)) || [];
      if (bucket === undefined) continue;
      const isRead = isSourceVertex(plan, uid) && operators[0]!.connector === connector;
      const actions = isRead ? ['s3:GetObject'] : ['s3:GetObject', 's3:PutObject', 's3:DeleteObject'];
      to.allow(actions, [`arn:${partition}:s3:::${bucket}/${prefix}*`]);
      to.allow(['s3:ListBucket'], [`arn:${partition}:s3:::${bucket}`]);
    }
  }
}

/** Event sources are turned off while the job has ended. */
export function allowTurning(to: JobFunction, functions: readonly JobFunction[]): void {
  const sources = functions.flatMap(({ source }) => (source === null ? [] : [source]));
  to.lambda.addEnvironment('SLUICE_MAPPINGS', Fn.join(' ', sources.map(({ eventSourceMappingId }) => eventSourceMappingId))); // prettier-ignore
  to.allow(['lambda:GetEventSourceMapping', 'lambda:UpdateEventSourceMapping'], sources.map(({ eventSourceMappingArn }) => eventSourceMappingArn)); // prettier-ignore
}
