/**
 * What all jobs of a deployment share: the table with records and keyed state, the bucket with objects and savepoints, and the HTTP API.
 *
 * CP1. No lifecycle rule expires a current object: what a record names is removed by the collector alone, and savepoints by people.
 * CP2. Savepoints, and the logs of push sources, outlive the stack unless somebody says otherwise.
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
  readonly #removalPolicy: RemovalPolicy;
  #intakeTable: TableV2 | undefined;

  constructor(scope: Construct, id: string, { removal = 'keep-savepoints', enforceSSL = true }: SluiceControlPlaneProps = {}) {
    super(scope, id);
    this.enforceSSL = enforceSSL;
    this.#removalPolicy = removal === 'keep-savepoints' ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY;
    this.api = new HttpApi(this, 'Api', { description: 'Sluice: jobs, checkpoints, savepoints, restores' });
    this.table = this.#makeTable('Table', RemovalPolicy.DESTROY);
    this.bucket = new Bucket(this, 'Bucket', {
      versioned: true,
      enforceSSL,
      encryption: BucketEncryption.S3_MANAGED,
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      removalPolicy: this.#removalPolicy,
      lifecycleRules: [
        // What the collector has removed: a week in which a mistake can be undone.
        { prefix: 'jobs/', noncurrentVersionExpiration: Duration.days(7), expiredObjectDeleteMarker: true },
        { abortIncompleteMultipartUploadAfter: Duration.days(1) },
      ],
    });
  }

  /** With the logs of push sources; made for the first job that has one. It is another table because it lives longer, and because intakes may not touch state. */
  get intakeTable(): TableV2 {
    return (this.#intakeTable ??= this.#makeTable('IntakeTable', this.#removalPolicy));
  }

  #makeTable(id: string, removalPolicy: RemovalPolicy): TableV2 {
    return new TableV2(this, id, {
      partitionKey: { name: 'pk', type: AttributeType.STRING },
      sortKey: { name: 'sk', type: AttributeType.STRING },
      billing: Billing.onDemand(),
      timeToLiveAttribute: 'expiresAt',
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      removalPolicy,
    });
  }
}
