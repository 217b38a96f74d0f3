/** What only those may do who coordinate: each what it does, and no more (test/deployed/granted). */
import type { Bucket } from 'aws-cdk-lib/aws-s3';
import type { JobId } from '../lib/base/ids.ts';
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

/** Previews and catalogues. */
export function allowReadingSavepoints(to: JobFunction, bucket: Bucket): void {
  to.allow(['s3:GetObject'], [bucket.arnForObjects('savepoints/*')]);
}

/** Telling a flow that waits. A token belongs to no resource: AWS takes only `*` here. */
export function allowSignals(to: JobFunction): void {
  to.allow(['states:SendTaskSuccess', 'states:SendTaskFailure'], ['*']);
}

/** Telling a flow that its checkpoint is over. */
export function allowFailureSignals(to: JobFunction): void {
  to.allow(['states:SendTaskFailure'], ['*']);
}
