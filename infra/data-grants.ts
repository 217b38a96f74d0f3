/** What functions of a job may do with its user's data: exactly with what the plan names. What sinks deliver to: delivery-grants.ts. */
import { Stack } from 'aws-cdk-lib';
import { isSourceVertex, type JobPlan } from '../lib/model/job-plan.ts';
import { isS3Uri, s3Place } from '../lib/model/s3-uri.ts';
import type { DeployedNames } from './deployed-names.ts';
import type { JobFunction } from './job-function.ts';
import { namesOf } from './named-policy.ts';

/** The user's data, by the URIs that the plan names: read as the connectors read them, who count slashes that follow each other as one. */
export function allowData(to: JobFunction, plan: JobPlan, { deployed }: DeployedNames): void {
  const { partition } = Stack.of(to);
  const names = namesOf(plan);
  for (const { uid, operators } of plan.vertices) {
    for (const { connector } of operators) {
      const uri = connector?.options['uri'];
      if (typeof uri !== 'string' || !isS3Uri(uri)) continue;
      const { bucket, key } = s3Place(uri);
      const isRead = isSourceVertex(plan, uid) && operators[0]!.connector === connector;
      const actions = isRead ? ['s3:GetObject'] : ['s3:GetObject', 's3:PutObject', 's3:DeleteObject'];
      to.allowNamed(names, actions, keysOf(key, isRead).map((pattern) => `arn:${partition}:s3:::${deployed(`${bucket}/${pattern}`)}`)); // prettier-ignore
      to.allowNamed(names, ['s3:ListBucket'], [`arn:${partition}:s3:::${deployed(bucket)}`]);
    }
  }
}

/** A sink makes a folder of it; what a source names is an object, some of a folder (`in/*.parquet`), or a folder with or without its slash. */
function keysOf(key: string, isRead: boolean): readonly string[] {
  const folder = isRead ? key.replace(/(?<=^|\/)\*\.[a-z0-9.]+$/i, '') : key;
  if (folder === '' || folder.endsWith('/')) return [`${folder}*`];
  return isRead ? [folder, `${folder}/*`] : [`${folder}/*`];
}
