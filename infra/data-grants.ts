/** What functions of a job may do with its user's data: exactly with what the plan names. What sinks deliver to: delivery-grants.ts. */
import { Stack } from 'aws-cdk-lib';
import { isSourceVertex, type ConnectorSpec, type JobPlan, type PlannedVertex } from '../lib/model/job-plan.ts';
import { isS3Uri, s3Place } from '../lib/model/s3-uri.ts';
import type { DeployedNames } from './deployed-names.ts';
import type { JobFunction } from './job-function.ts';
import { namesOf } from './named-policy.ts';

/** Of staged parts, and of those that are shown (lib/adapters/connectors/part-prefix.ts). */
const partActions = ['s3:GetObject', 's3:PutObject', 's3:DeleteObject'];

/** Sources and sinks of a vertex, by the URIs that the plan names: to read, and to stage. */
export function allowDataOf(to: JobFunction, plan: JobPlan, { uid, operators }: PlannedVertex, names: DeployedNames): void {
  for (const { connector } of operators) {
    const isRead = isSourceVertex(plan, uid) && operators[0]!.connector === connector;
    allowUri(to, { plan, names }, connector, isRead);
  }
}

/** What was staged is shown, or taken away, by the flows' steps: of all sinks. No coordinator looks at what a source reads. */
export function allowPublishing(to: JobFunction, plan: JobPlan, names: DeployedNames): void {
  for (const { uid, operators } of plan.vertices) {
    for (const [index, { connector }] of operators.entries()) {
      if (index > 0 || !isSourceVertex(plan, uid)) allowUri(to, { plan, names }, connector, false);
    }
  }
}

/** Read as the connectors read them, who count slashes that follow each other as one. */
function allowUri(
  to: JobFunction,
  { plan, names: { deployed } }: { readonly plan: JobPlan; readonly names: DeployedNames },
  connector: ConnectorSpec | undefined,
  isRead: boolean,
): void {
  const uri = connector?.options['uri'];
  if (typeof uri !== 'string' || !isS3Uri(uri)) return;
  const { bucket, key } = s3Place(uri);
  const { partition } = Stack.of(to);
  const arns = keysOf(key, isRead).map((pattern) => `arn:${partition}:s3:::${deployed(`${bucket}/${pattern}`)}`);
  to.allowNamed(namesOf(plan), isRead ? ['s3:GetObject'] : partActions, arns);
  to.allowNamed(namesOf(plan), ['s3:ListBucket'], [`arn:${partition}:s3:::${deployed(bucket)}`]);
}

/** A sink makes a folder of it; what a source names is an object, some of a folder (`in/*.parquet`), or a folder with or without its slash. */
function keysOf(key: string, isRead: boolean): readonly string[] {
  const folder = isRead ? key.replace(/(?<=^|\/)\*\.[a-z0-9.]+$/i, '') : key;
  if (folder === '' || folder.endsWith('/')) return [`${folder}*`];
  return isRead ? [folder, `${folder}/*`] : [`${folder}/*`];
}
