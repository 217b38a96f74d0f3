/**
 * The function of the control plane that answers questions about all jobs.
 *
 * OV1. It may read the records and the jobs' objects, and write nothing: neither savepoints nor the users' data are within its reach.
 */
import { Aws, Duration } from 'aws-cdk-lib';
import type { TableV2 } from 'aws-cdk-lib/aws-dynamodb';
import { Code } from 'aws-cdk-lib/aws-lambda';
import type { Bucket } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { bundleControlPlane } from './bundle-job.ts';
import type { ControlApi } from './control-api.ts';
import { JobFunction } from './job-function.ts';
import { allowQuestions } from './table-grants.ts';

export interface OverviewProps {
  readonly api: ControlApi;
  readonly table: TableV2;
  readonly bucket: Bucket;
}

export class Overview extends Construct {
  readonly function: JobFunction;

  constructor(scope: Construct, id: string, { api, table, bucket }: OverviewProps) {
    super(scope, id);
    const { directory, digest } = bundleControlPlane();
    this.function = new JobFunction(this, 'Overview', {
      code: Code.fromAsset(directory),
      handler: 'overview.handler',
      timeout: Duration.seconds(29),
      memorySize: 512,
      description: 'Sluice: answers questions about all jobs',
      environment: {
        ...api.environment,
        SLUICE_TABLE: table.tableName,
        SLUICE_BUCKET: bucket.bucketName,
        SLUICE_ACCOUNT: Aws.ACCOUNT_ID,
        SLUICE_CODE: digest,
      },
    });
    allowQuestions(this.function, table, bucket);
    api.addQuestions(this.function);
  }
}
