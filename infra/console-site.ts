/**
 * The console's page: a private bucket behind CloudFront, and a function that fills it when it is deployed.
 *
 * CN1. The bucket answers nobody but the distribution, and the page may load nothing but what came with it, and talk to nothing but APIs of its region.
 * CN2. The page is public, as pages are; what it shows comes of the API, which lets in whoever may (control-api.ts).
 */
import { Annotations, Aws, CustomResource, Duration, Fn, RemovalPolicy, Stack } from 'aws-cdk-lib';
import type { ICertificate } from 'aws-cdk-lib/aws-certificatemanager';
import {
  AccessLevel,
  AllowedMethods,
  Distribution,
  GeoRestriction,
  HeadersFrameOption,
  HeadersReferrerPolicy,
  type IOrigin,
  ResponseHeadersPolicy,
  S3OriginAccessControl,
  SecurityPolicyProtocol,
  ViewerProtocolPolicy,
} from 'aws-cdk-lib/aws-cloudfront';
import { S3BucketOrigin } from 'aws-cdk-lib/aws-cloudfront-origins';
import { Code } from 'aws-cdk-lib/aws-lambda';
import { BlockPublicAccess, Bucket, BucketEncryption, type BucketProps, type IBucket, ObjectOwnership } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { bundleConsole } from './bundle-job.ts';
import { JobFunction } from './job-function.ts';

export interface ConsoleSiteProps {
  /** The built page: a folder with `index.html` and everything that it loads. */
  readonly folder: string;
  /** An address of your own, with its certificate (of us-east-1), to be pointed at the distribution. Default: the one that CloudFront gives. */
  readonly domain?: { readonly name: string; readonly certificate: ICertificate };
  /** A web ACL of AWS WAF (scope CLOUDFRONT) in front of it. */
  readonly webAclArn?: string;
  /** Countries that it is shown in, as ISO 3166-1 alpha-2. Default: all. */
  readonly countries?: readonly string[];
  /** Beside the API, where the page may send requests: what signs people in, `https://login.example.com`. */
  readonly connectTo?: readonly string[];
  /**
   * Who has loaded it is written there; a bucket of a region that is on by default, with access control lists, because CloudFront writes its logs so.
   * Default: one is made.
   */
  readonly logBucket?: IBucket | 'none';
}

interface Surroundings {
  readonly enforceSSL: boolean;
  /** What becomes of the log of who has looked at it. */
  readonly logsRemoval: Pick<BucketProps, 'removalPolicy' | 'autoDeleteObjects'>;
}

const prefix = 'console/';
const logsKept = Duration.days(90);
const safe = { encryption: BucketEncryption.S3_MANAGED, blockPublicAccess: BlockPublicAccess.BLOCK_ALL };
const whyListed = 'With the path of the origin every request names an object, also that for the root: nobody gets a list.';
const aYear = Duration.days(365);
/** CloudFront does not write its standard logs to buckets of regions that an account has to turn on: the distribution could not be made. */
const withoutLogs: ReadonlySet<string> = new Set([
  'af-south-1',
  'ap-east-1',
  'ap-east-2',
  'ap-south-2',
  'ap-southeast-3',
  'ap-southeast-4',
  'ap-southeast-5',
  'ap-southeast-6',
  'ap-southeast-7',
  'ca-west-1',
  'eu-central-2',
  'eu-south-1',
  'eu-south-2',
  'il-central-1',
  'me-central-1',
  'me-south-1',
  'mx-central-1',
]);

export class ConsoleSite extends Construct {
  readonly distribution: Distribution;
  readonly bucket: Bucket;
  /** As browsers say it. */
  readonly origin: string;
  readonly #folder: string;
  /** Where it is made here. */
  readonly #logBucket: Bucket | undefined;

  constructor(scope: Construct, id: string, props: ConsoleSiteProps & Surroundings) {
    super(scope, id);
    const { folder, domain, webAclArn, countries, enforceSSL, logBucket } = props;
    this.#folder = folder;
    // What is in it comes with each deployment, and goes with the last.
    this.bucket = new Bucket(this, 'SiteBucket', { ...safe, enforceSSL, removalPolicy: RemovalPolicy.DESTROY });
    this.#logBucket = logBucket === undefined ? this.#makeLogBucket(props) : undefined;
    const logs = this.#logBucket ?? logBucket;
    this.distribution = new Distribution(this, 'Distribution', {
      comment: 'Sluice: the console',
      defaultRootObject: 'index.html',
      defaultBehavior: {
        origin: this.#origin(),
        allowedMethods: AllowedMethods.ALLOW_GET_HEAD,
        viewerProtocolPolicy: ViewerProtocolPolicy.REDIRECT_TO_HTTPS,
        responseHeadersPolicy: this.#headers(props),
      },
      // A place within the page. Not for 403: so a web ACL and `countries` answer those whom they keep out.
      errorResponses: [{ httpStatus: 404, responseHttpStatus: 200, responsePagePath: '/index.html', ttl: Duration.seconds(0) }],
      minimumProtocolVersion: SecurityPolicyProtocol.TLS_V1_2_2021,
      ...(logs === undefined || logs === 'none' ? {} : { logBucket: logs as IBucket }),
      ...(domain === undefined ? {} : { domainNames: [domain.name], certificate: domain.certificate }),
      ...(webAclArn === undefined ? {} : { webAclId: webAclArn }),
      ...(countries === undefined ? {} : { geoRestriction: GeoRestriction.allowlist(...countries) }),
    });
    Annotations.of(this.distribution).acknowledgeWarning('@aws-cdk/aws-cloudfront-origins:listBucketSecurityRisk', whyListed);
    // On deletion it must not be emptied before its writer is gone.
    if (this.#logBucket !== undefined) this.distribution.node.addDependency(this.#logBucket);
    this.origin = `https://${domain?.name ?? this.distribution.distributionDomainName}`;
  }

  /** Those made here; they have their own accesses logged by whoever knows where. */
  get buckets(): readonly Bucket[] {
    return this.#logBucket === undefined ? [this.bucket] : [this.bucket, this.#logBucket];
  }

  /** Last of all: the page is told where the API is, and the API's CORS who the page is. */
  publish(config: Readonly<Record<string, string>>): void {
    const { directory, digest } = bundleConsole(this.#folder);
    const fill = new JobFunction(this, 'Fill', {
      code: Code.fromAsset(directory),
      handler: 'console-site.handler',
      timeout: Duration.minutes(5),
      memorySize: 512,
      description: 'Sluice: puts the console’s page where it is shown',
      environment: { SLUICE_BUCKET: this.bucket.bucketName, SLUICE_ACCOUNT: Aws.ACCOUNT_ID, SLUICE_PREFIX: prefix },
    });
    fill.allow(['s3:PutObject', 's3:DeleteObject'], [this.bucket.arnForObjects(`${prefix}*`)]);
    fill.allow(['s3:ListBucket'], [this.bucket.bucketArn], { StringLike: { 's3:prefix': [`${prefix}*`] } });
    new CustomResource(this, 'Page', {
      serviceToken: fill.lambda.functionArn,
      resourceType: 'Custom::SluiceConsolePage',
      properties: { digest, config },
      // A function that is ended answers nobody, and CloudFormation would wait an hour. Three tries of five minutes, and the pauses between them.
      serviceTimeout: Duration.minutes(20),
    }).node.addDependency(fill.role);
  }

  #makeLogBucket({ enforceSSL, logsRemoval }: Surroundings): Bucket {
    const { region } = Stack.of(this);
    if (withoutLogs.has(region))
      throw new Error(
        `CloudFront cannot write its logs to a bucket in ${region}, which is not on by default: give the console a logBucket of another region, or 'none'`,
      );
    // CloudFront writes its logs by access control lists.
    const logging = { objectOwnership: ObjectOwnership.OBJECT_WRITER, lifecycleRules: [{ expiration: logsKept }] };
    return new Bucket(this, 'LogBucket', { ...safe, enforceSSL, ...logging, ...logsRemoval });
  }

  #origin(): IOrigin {
    return S3BucketOrigin.withOriginAccessControl(this.bucket as IBucket, {
      originPath: `/${prefix.slice(0, -1)}`,
      originAccessControl: new S3OriginAccessControl(this, 'OriginAccess', { originAccessControlName: this.#uniqueName() }),
      // S3 says 404 of what is not there to those who may list, and 403 to all others.
      originAccessLevels: [AccessLevel.READ, AccessLevel.LIST],
    });
  }

  /** What belongs to CloudFront is of no region, and has one name in all the account. At most 64 characters. */
  #uniqueName(): string {
    const stack = Fn.select(0, Fn.split('-', Fn.select(2, Fn.split('/', Aws.STACK_ID))));
    return Fn.join('-', ['sluice-console', Aws.REGION, stack, this.node.addr.slice(0, 8)]);
  }

  #headers({ connectTo = [] }: ConsoleSiteProps): ResponseHeadersPolicy {
    const apis = `https://*.execute-api.${Aws.REGION}.${Aws.URL_SUFFIX}`;
    const contentSecurityPolicy = [
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; manifest-src 'self'",
      `connect-src ${["'self'", apis, ...connectTo].join(' ')}`,
      "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ].join('; ');
    return new ResponseHeadersPolicy(this, 'Headers', {
      responseHeadersPolicyName: this.#uniqueName(),
      securityHeadersBehavior: {
        contentSecurityPolicy: { contentSecurityPolicy, override: true },
        contentTypeOptions: { override: true },
        frameOptions: { frameOption: HeadersFrameOption.DENY, override: true },
        referrerPolicy: { referrerPolicy: HeadersReferrerPolicy.NO_REFERRER, override: true },
        strictTransportSecurity: { accessControlMaxAge: aYear, includeSubdomains: false, override: true },
      },
    });
  }
}
