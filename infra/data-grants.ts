/** What functions of a job may do with its user's data: exactly with what the plan names. What sinks deliver to: delivery-grants.ts. */
import { Stack } from 'aws-cdk-lib';
import { isSourceVertex, type JobPlan } from '../lib/model/job-plan.ts';
import type { JobFunction } from './job-function.ts';
import { namesOf } from './named-policy.ts';

/** The user's data, by the URIs that the plan names. */
export function allowData(to: JobFunction, plan: JobPlan): void {
  const { partition } = Stack.of(to);
  const names = namesOf(plan);
  for (const { uid, operators } of plan.vertices) {
    for (const { connector } of operators) {
      const uri = connector?.options['uri'];
      const [, bucket, prefix = ''] = (typeof uri === 'string' && /^s3:\/\/([^/]+)\/?(.*)$/.exec(uri)) || [];
      if (bucket === undefined) continue;
      const isRead = isSourceVertex(plan, uid) && operators[0]!.connector === connector;
      const actions = isRead ? ['s3:GetObject'] : ['s3:GetObject', 's3:PutObject', 's3:DeleteObject'];
      to.allowNamed(names, actions, [`arn:${partition}:s3:::${bucket}/${prefix}*`]);
      to.allowNamed(names, ['s3:ListBucket'], [`arn:${partition}:s3:::${bucket}`]);
    }
  }
}
