/**
 * What all jobs of a deployment share: the table with records and keyed state, the bucket with objects and savepoints, and the HTTP API.
 *
 * CP1. No lifecycle rule expires a current object: what a record names is removed by the collector alone, and savepoints by people.
 * CP2. Savepoints outlive the stack unless somebody says otherwise.
 */
import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import { AttributeType, Billing, TableV2 } from 'aws-cdk-lib/aws-dynamodb';
import { HttpApi } from 'aws-cdk-lib/aws-apigatewayv2';
import { BlockPublicAccess, Bucket, BucketEncryption } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';

export interface SluiceControlPlaneProps {
  /** What `cdk destroy` leaves. */
  readonly removal?: 'keep-savepoints' | 'destroy-everything';
  /** Off for an emulator that is reached by plain HTTP. */
  readonly enforceSSL?: boolean;
}

export class SluiceControlPlane extends Construct {
  readonly table: TableV2;
  readonly bucket: Bucket;
  readonly api: HttpApi;
  readonly enforceSSL: boolean;

  constructor(scope: Construct, id: string, { removal = 'keep-savepoints', enforceSSL = true }: SluiceControlPlaneProps = {}) {
    super(scope, id);
    this.enforceSSL = enforceSSL;
    this.api = new HttpApi(this, 'Api', { description: 'Sluice: jobs, checkpoints, savepoints, restores' });
    this.table = new TableV2(this, 'Table', {
      partitionKey: { name: 'pk', type: AttributeType.STRING },
      sortKey: { name: 'sk', type: AttributeType.STRING },
      billing: Billing.onDemand(),
      timeToLiveAttribute: 'expiresAt',
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      removalPolicy: RemovalPolicy.DESTROY,
    });
    this.bucket = new Bucket(this, 'Bucket', {
      versioned: true,
      enforceSSL,
      encryption: BucketEncryption.S3_MANAGED,
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      removalPolicy: removal === 'keep-savepoints' ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
      lifecycleRules: [
        // What the collector has removed: a week in which a mistake can be undone.
        { prefix: 'jobs/', noncurrentVersionExpiration: Duration.days(7), expiredObjectDeleteMarker: true },
        { abortIncompleteMultipartUploadAfter: Duration.days(1) },
      ],
    });
  }
}
