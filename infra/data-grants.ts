/** What functions of a job may do with its user's data: exactly with what the plan names. */
import { Stack } from 'aws-cdk-lib';
import { awsQueue, awsTable } from '../lib/model/aws-resources.ts';
import { isSourceVertex, type JobPlan } from '../lib/model/job-plan.ts';
import type { JobFunction } from './job-function.ts';

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

/** What sinks deliver to, by the tables and queues that the plan names: of whoever publishes completed checkpoints. */
export function allowDeliveries(to: JobFunction, plan: JobPlan): void {
  const stack = Stack.of(to);
  for (const { connector } of plan.vertices.flatMap(({ operators }) => operators)) {
    const { table, queue } = connector?.options ?? {};
    const toTable = connector?.connector === 'dynamodb' && typeof table === 'string' ? awsTable(table) : undefined;
    const toQueue = connector?.connector === 'sqs' && typeof queue === 'string' ? awsQueue(queue) : undefined;
    if (toTable !== undefined) {
      const { name, ...where } = toTable;
      to.allow(['dynamodb:PutItem'], [arnOf(stack, where, { service: 'dynamodb', resource: 'table', resourceName: name })]);
    }
    if (toQueue !== undefined) to.allow(['sqs:SendMessage'], [arnOf(stack, toQueue, { service: 'sqs', resource: toQueue.name })]);
  }
}

/** Where nothing is said the stack's own region and account are meant. */
function arnOf(
  stack: Stack,
  { region, account }: { readonly region?: string; readonly account?: string },
  parts: { readonly service: string; readonly resource: string; readonly resourceName?: string },
): string {
  return stack.formatArn({ ...parts, ...(region === undefined ? {} : { region }), ...(account === undefined ? {} : { account }) });
}
