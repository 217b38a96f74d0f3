/**
 * What all jobs of a deployment share: the table with records and keyed state, the bucket with objects and savepoints, and the HTTP API.
 *
 * CP1. No lifecycle rule expires a current object: what a record names is removed by the collector alone, and savepoints by people.
 * CP2. Savepoints, and the logs of push sources, outlive the stack unless somebody says otherwise.
 */
import { Aws, Duration, RemovalPolicy } from 'aws-cdk-lib';
import { AttributeType, Billing, TableV2 } from 'aws-cdk-lib/aws-dynamodb';
import type { HttpApi } from 'aws-cdk-lib/aws-apigatewayv2';
import { type Grant, type IGrantable, PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { BlockPublicAccess, Bucket, BucketEncryption, type CfnBucket, type IBucket } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import type { JobId } from '../lib/base/ids.ts';
import { awsPrefix } from '../lib/model/aws-names.ts';
import { ConsoleSite, type ConsoleSiteProps } from './console-site.ts';
import { ControlApi, type ControlApiProps } from './control-api.ts';
import { Overview } from './overview.ts';

export interface SluiceControlPlaneProps extends ControlApiProps {
  /** What `cdk destroy` leaves. To destroy everything the buckets are emptied first, by a function of the CDK. */
  readonly removal?: 'keep-savepoints' | 'destroy-everything';
  /** Other buckets whose savepoints (below `savepoints/`) jobs may be restored from: what an earlier deployment has left, or another one has. They are read only. */
  readonly savepointsIn?: readonly IBucket[];
  /** The console's page, shown by CloudFront; it is the origin that the API's CORS lets in. Instead of `consoleOrigin`, where the page is shown by somebody else. */
  readonly console?: ConsoleSiteProps;
  /** Off for an emulator that is reached by plain HTTP. */
  readonly enforceSSL?: boolean;
}

const removedForGood = { noncurrentVersionExpiration: Duration.days(7), expiredObjectDeleteMarker: true } as const;
/** Who has read or removed which object: long enough to find out after the fact. */
const accessLogsKept = Duration.days(90);

export class SluiceControlPlane extends Construct {
  readonly table: TableV2;
  readonly bucket: Bucket;
  readonly control: ControlApi;
  readonly api: HttpApi;
  readonly overview: Overview;
  readonly console: ConsoleSite | undefined;
  readonly enforceSSL: boolean;
  readonly savepointsIn: readonly IBucket[];
  readonly #removalPolicy: RemovalPolicy;
  /** Paths of jobs, by what their names on AWS begin with. */
  readonly #jobs = new Map<string, string>();
  #intakeTable: TableV2 | undefined;

  constructor(scope: Construct, id: string, props: SluiceControlPlaneProps = {}) {
    super(scope, id);
    const { removal = 'keep-savepoints', enforceSSL = true, savepointsIn = [], console, ...access } = props;
    if (console !== undefined && access.consoleOrigin !== undefined)
      throw new Error('the console is shown by us (console) or by somebody else (consoleOrigin), not by both');
    this.enforceSSL = enforceSSL;
    this.savepointsIn = savepointsIn;
    this.#removalPolicy = removal === 'keep-savepoints' ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY;
    this.table = this.#makeTable('Table', RemovalPolicy.DESTROY);
    const logsRemoval = { removalPolicy: this.#removalPolicy, autoDeleteObjects: removal === 'destroy-everything' };
    const safe = {
      enforceSSL,
      encryption: BucketEncryption.S3_MANAGED,
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      ...logsRemoval,
    };
    this.bucket = new Bucket(this, 'Bucket', {
      ...safe,
      versioned: true,
      lifecycleRules: [
        // What the collector has removed: a week in which a mistake can be undone.
        ...['jobs/', 'intake/'].map((prefix) => ({ prefix, ...removedForGood })),
        { abortIncompleteMultipartUploadAfter: Duration.days(1) },
      ],
    });
    const accessLogs = new Bucket(this, 'AccessLogs', { ...safe, lifecycleRules: [{ expiration: accessLogsKept }] });
    logAccess(this.bucket, accessLogs, 'objects/');
    this.console = console === undefined ? undefined : new ConsoleSite(this, 'Console', { ...console, enforceSSL, logsRemoval });
    const origin = this.console?.origin ?? access.consoleOrigin;
    this.control = new ControlApi(this, 'Api', { ...access, ...(origin === undefined ? {} : { consoleOrigin: origin }) });
    this.api = this.control.http;
    for (const bucket of this.console?.buckets ?? []) logAccess(bucket, accessLogs, `${bucket.node.id}/`);
    this.console?.publish({ api: this.api.apiEndpoint, region: Aws.REGION, authorizer: access.jwt === undefined ? 'iam' : 'jwt' });
    this.overview = new Overview(this, 'Overview', { api: this.control, table: this.table, bucket: this.bucket });
  }

  /** Of two jobs whose names on AWS are the same, one would take the other's queues. */
  admit(jobId: JobId, path: string): void {
    const known = this.#jobs.get(awsPrefix(jobId));
    if (known !== undefined)
      throw new Error(`the jobs ${known} and ${path} have ids that begin alike (${jobId.slice(0, 16)}): give each a jobId of its own`);
    this.#jobs.set(awsPrefix(jobId), path);
  }

  /** Asking, and looking. Without `jobId` of all jobs. */
  grantRead(grantee: IGrantable, jobId?: string): Grant {
    return this.control.grant('read', grantee, jobId);
  }

  /** Checkpoints, savepoints, stopping, canceling, settings; asking is granted by itself. */
  grantOperate(grantee: IGrantable, jobId?: string): Grant {
    return this.control.grant('operate', grantee, jobId);
  }

  /** Records, to sources that take them by HTTP. */
  grantSend(grantee: IGrantable, jobId?: string): Grant {
    return this.control.grant('send', grantee, jobId);
  }

  /** Taking a job back to a checkpoint or a savepoint. */
  grantRestore(grantee: IGrantable, jobId?: string): Grant {
    return this.control.grant('restore', grantee, jobId);
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

/** By a policy, said here: the property of the construct takes access control lists, unless the app has a feature flag. */
function logAccess(bucket: Bucket, to: Bucket, prefix: string): void {
  (bucket.node.defaultChild as CfnBucket).loggingConfiguration = { destinationBucketName: to.bucketName, logFilePrefix: prefix };
  to.addToResourcePolicy(
    new PolicyStatement({
      principals: [new ServicePrincipal('logging.s3.amazonaws.com')],
      actions: ['s3:PutObject'],
      resources: [to.arnForObjects(`${prefix}*`)],
      conditions: { ArnLike: { 'aws:SourceArn': bucket.bucketArn }, StringEquals: { 'aws:SourceAccount': Aws.ACCOUNT_ID } },
    }),
  );
}
