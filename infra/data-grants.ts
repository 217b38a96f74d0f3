/** What functions of a job may do with its user's data: exactly with what the plan names. What sinks deliver to: delivery-grants.ts. */
import { Stack } from 'aws-cdk-lib';
import { isSourceVertex, type ConnectorSpec, type JobPlan, type PlannedVertex } from '../lib/model/job-plan.ts';
import type { JobFunction } from './job-function.ts';
import { namesOf } from './named-policy.ts';

/** Of staged parts, and of those that are shown (lib/adapters/connectors/part-prefix.ts). */
const partActions = ['s3:GetObject', 's3:PutObject', 's3:DeleteObject'];

/** Sources and sinks of a vertex, by the URIs that the plan names: to read, and to stage. */
export function allowDataOf(to: JobFunction, plan: JobPlan, { uid, operators }: PlannedVertex): void {
  for (const { connector } of operators) {
    const isRead = isSourceVertex(plan, uid) && operators[0]!.connector === connector;
    allowUri(to, plan, connector, isRead ? ['s3:GetObject'] : partActions);
  }
}

/** What was staged is shown, or taken away, by the flows' steps: of all sinks. No coordinator looks at what a source reads. */
export function allowPublishing(to: JobFunction, plan: JobPlan): void {
  for (const { uid, operators } of plan.vertices) {
    for (const [index, { connector }] of operators.entries()) {
      if (index > 0 || !isSourceVertex(plan, uid)) allowUri(to, plan, connector, partActions);
    }
  }
}

function allowUri(to: JobFunction, plan: JobPlan, connector: ConnectorSpec | undefined, actions: readonly string[]): void {
  const uri = connector?.options['uri'];
  const [, bucket, prefix = ''] = (typeof uri === 'string' && /^s3:\/\/([^/]+)\/?(.*)$/.exec(uri)) || [];
  if (bucket === undefined) return;
  const { partition } = Stack.of(to);
  to.allowNamed(namesOf(plan), actions, [`arn:${partition}:s3:::${bucket}/${prefix}*`]);
  to.allowNamed(namesOf(plan), ['s3:ListBucket'], [`arn:${partition}:s3:::${bucket}`]);
}
