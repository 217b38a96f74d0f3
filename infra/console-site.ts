/**
 * The console's page: a private bucket behind CloudFront, and a function that fills it when it is deployed.
 *
 * CN1. The bucket answers nobody but the distribution, and the page may load nothing but what came with it, and talk to nothing but APIs of its region.
 * CN2. The page is public, as pages are; what it shows comes of the API, which lets in whoever may (control-api.ts).
 */
import { Aws, CustomResource, Duration, Fn, RemovalPolicy } from 'aws-cdk-lib';
import type { ICertificate } from 'aws-cdk-lib/aws-certificatemanager';
import {
  AllowedMethods,
  Distribution,
  GeoRestriction,
  HeadersFrameOption,
  HeadersReferrerPolicy,
  ResponseHeadersPolicy,
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
}

interface Surroundings {
  readonly enforceSSL: boolean;
  /** What becomes of the log of who has looked at it. */
  readonly logsRemoval: Pick<BucketProps, 'removalPolicy' | 'autoDeleteObjects'>;
}

const prefix = 'console/';
const logsKept = Duration.days(90);
const aYear = Duration.days(365);

export class ConsoleSite extends Construct {
  readonly distribution: Distribution;
  readonly bucket: Bucket;
  /** As browsers say it. */
  readonly origin: string;
  readonly #folder: string;
  readonly #logBucket: Bucket;

  constructor(scope: Construct, id: string, props: ConsoleSiteProps & Surroundings) {
    super(scope, id);
    const { folder, domain, webAclArn, countries, enforceSSL, logsRemoval } = props;
    this.#folder = folder;
    const safe = {
      enforceSSL,
      encryption: BucketEncryption.S3_MANAGED,
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
    };
    // What is in it comes with each deployment, and goes with the last.
    this.bucket = new Bucket(this, 'SiteBucket', { ...safe, removalPolicy: RemovalPolicy.DESTROY });
    // CloudFront writes its logs by access control lists.
    const logging = { objectOwnership: ObjectOwnership.OBJECT_WRITER, lifecycleRules: [{ expiration: logsKept }] };
    this.#logBucket = new Bucket(this, 'LogBucket', { ...safe, ...logging, ...logsRemoval });
    this.distribution = new Distribution(this, 'Distribution', {
      comment: 'Sluice: the console',
      defaultRootObject: 'index.html',
      defaultBehavior: {
        origin: S3BucketOrigin.withOriginAccessControl(this.bucket as IBucket, { originPath: `/${prefix.slice(0, -1)}` }),
        allowedMethods: AllowedMethods.ALLOW_GET_HEAD,
        viewerProtocolPolicy: ViewerProtocolPolicy.REDIRECT_TO_HTTPS,
        responseHeadersPolicy: this.#headers(props),
      },
      // A place within the page; S3 says 403 of what is not there to whoever may not list.
      errorResponses: [{ httpStatus: 403, responseHttpStatus: 200, responsePagePath: '/index.html', ttl: Duration.seconds(0) }],
      logBucket: this.#logBucket as IBucket,
      minimumProtocolVersion: SecurityPolicyProtocol.TLS_V1_2_2021,
      ...(domain === undefined ? {} : { domainNames: [domain.name], certificate: domain.certificate }),
      ...(webAclArn === undefined ? {} : { webAclId: webAclArn }),
      ...(countries === undefined ? {} : { geoRestriction: GeoRestriction.allowlist(...countries) }),
    });
    this.origin = `https://${domain?.name ?? this.distribution.distributionDomainName}`;
  }

  /** Both have their own accesses logged by whoever knows where. */
  get buckets(): readonly Bucket[] {
    return [this.bucket, this.#logBucket];
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
    }).node.addDependency(fill.role);
  }

  #headers({ connectTo = [] }: ConsoleSiteProps): ResponseHeadersPolicy {
    const apis = `https://*.execute-api.${Aws.REGION}.${Aws.URL_SUFFIX}`;
    const contentSecurityPolicy = [
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; manifest-src 'self'",
      `connect-src ${["'self'", apis, ...connectTo].join(' ')}`,
      "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ].join('; ');
    return new ResponseHeadersPolicy(this, 'Headers', {
      responseHeadersPolicyName: Fn.join('-', ['sluice-console', Aws.REGION, Fn.select(2, Fn.split('/', Aws.STACK_ID))]),
      securityHeadersBehavior: {
        contentSecurityPolicy: { contentSecurityPolicy, override: true },
        contentTypeOptions: { override: true },
        frameOptions: { frameOption: HeadersFrameOption.DENY, override: true },
        referrerPolicy: { referrerPolicy: HeadersReferrerPolicy.NO_REFERRER, override: true },
        strictTransportSecurity: { accessControlMaxAge: aYear, includeSubdomains: true, override: true },
      },
    });
  }
}
