/**
 * The one HTTP API of all jobs: who may call what, how fast, from which page, and what is written down about it.
 *
 * CA1. Every route is authorised: by IAM, or by tokens of one issuer. Who adds a route and says nothing gets that too, and with tokens the strictest scope.
 * CA2. Questions are GET and changes are not, and a restore has a path of its own: a policy by method and path can tell the scopes apart.
 * CA3. A page of another site than the console's gets no answer that its browser would let it read.
 */
import { Duration, RemovalPolicy, Token } from 'aws-cdk-lib';
import { AccessLogFormat } from 'aws-cdk-lib/aws-apigateway';
import {
  CorsHttpMethod,
  type CfnStage,
  HttpApi,
  HttpMethod,
  HttpRoute,
  HttpRouteKey,
  HttpStage,
  LogGroupLogDestination,
  type CorsPreflightOptions,
  type IHttpRouteAuthorizer,
} from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpIamAuthorizer, HttpJwtAuthorizer } from 'aws-cdk-lib/aws-apigatewayv2-authorizers';
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import { Grant, type IGrantable } from 'aws-cdk-lib/aws-iam';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { pathPrefixes, routeScopes, scopePrefix, type Scope } from '../lib/api/route-scopes.ts';
import type { JobFunction } from './job-function.ts';

export interface TokenIssuer {
  /** As in the token's `iss`; its keys are read below `/.well-known/`. */
  readonly issuer: string;
  readonly audience: readonly string[];
}

export interface ControlApiProps {
  /** Tokens instead of IAM. */
  readonly jwt?: TokenIssuer;
  /** Of the console's page, such as `https://console.example.com`; absent = pages of no other site. */
  readonly consoleOrigin?: string;
  /** Of all callers together; what comes faster is answered 429. Default: 50 and bursts of 100, or 1,000 and 2,000 where a job takes records in by HTTP. */
  readonly throttle?: RequestRate;
}

export interface RequestRate {
  readonly requestsPerSecond: number;
  readonly burst: number;
}

type GatewayScope = Scope | 'send';

const stageName = '$default';
/** Pages that poll, and people. What comes faster is a mistake, and would be paid for. */
const rateOfPeople: RequestRate = { requestsPerSecond: 50, burst: 100 };
/** Programs that send: they may not shut people out either. */
const rateOfSenders: RequestRate = { requestsPerSecond: 1_000, burst: 2_000 };

/** Who, what, and how it went; bodies and headers are not in it. */
const accessLogFormat = JSON.stringify({
  requestId: '$context.requestId',
  time: '$context.requestTime',
  address: '$context.identity.sourceIp',
  identity: '$context.identity.userArn',
  subject: '$context.authorizer.claims.sub',
  method: '$context.httpMethod',
  path: '$context.path',
  route: '$context.routeKey',
  status: '$context.status',
  refused: '$context.authorizer.error',
  bytes: '$context.responseLength',
  milliseconds: '$context.responseLatency',
});

export class ControlApi extends Construct {
  readonly http: HttpApi;
  /** What its functions are told: whom to believe. */
  readonly environment: Readonly<Record<string, string>>;
  readonly #takesTokens: boolean;
  readonly #stage: CfnStage;
  readonly #throttle: RequestRate | undefined;
  readonly #integrations = new Map<JobFunction, HttpLambdaIntegration>();

  constructor(scope: Construct, id: string, { jwt, consoleOrigin, throttle }: ControlApiProps) {
    super(scope, id);
    this.#takesTokens = jwt !== undefined;
    this.environment = { SLUICE_API_AUTHORIZER: this.#takesTokens ? 'jwt' : 'iam' };
    this.http = new HttpApi(this, 'Http', {
      description: 'Sluice: jobs, checkpoints, savepoints, restores',
      createDefaultStage: false,
      defaultAuthorizer: authorizerOf(jwt),
      ...(this.#takesTokens ? { defaultAuthorizationScopes: [`${scopePrefix}restore`] } : {}),
      ...(consoleOrigin === undefined ? {} : { corsPreflight: onlyFrom(consoleOrigin) }),
    });
    const logs = new LogGroup(this, 'AccessLog', { retention: RetentionDays.THREE_MONTHS, removalPolicy: RemovalPolicy.DESTROY });
    const stage = new HttpStage(this, 'Stage', {
      httpApi: this.http,
      stageName,
      autoDeploy: true,
      accessLogSettings: { destination: new LogGroupLogDestination(logs), format: AccessLogFormat.custom(accessLogFormat) },
    });
    this.#stage = stage.node.defaultChild as CfnStage;
    this.#throttle = throttle;
    this.#bound(rateOfPeople);
  }

  /** Every question, of all jobs. */
  addQuestions(to: JobFunction): void {
    this.addRoute('GET', '/{proxy+}', 'read', to);
  }

  /** Every change of one job. */
  addChanges(to: JobFunction, jobId: string): void {
    for (const { method, path, scope } of routeScopes.filter((route) => route.scope !== 'read')) {
      for (const prefix of pathPrefixes) this.addRoute(method, prefix + path.replace(':jobid', jobId), scope, to);
    }
  }

  /** `send`: to a job, below `/jobs/ID/intake/`; none of the app's routes. */
  addRoute(method: 'GET' | 'POST' | 'PATCH', path: string, scope: GatewayScope, to: JobFunction): void {
    // One permission for all routes of the API: Lambda's policies have little room.
    const integration =
      this.#integrations.get(to) ?? new HttpLambdaIntegration('Integration', to.lambda, { scopePermissionToRoute: false });
    this.#integrations.set(to, integration);
    const authorizationScopes = this.#takesTokens ? { authorizationScopes: [`${scopePrefix}${scope}`] } : {};
    const routeKey = HttpRouteKey.with(path, HttpMethod[method]);
    // Where its function is: the stack of a job may know this one, not the other way round.
    new HttpRoute(to, `${method}${path}`, { httpApi: this.http, routeKey, integration, ...authorizationScopes });
    if (scope === 'send') this.#bound(rateOfSenders);
  }

  #bound(byDefault: RequestRate): void {
    const { requestsPerSecond, burst } = this.#throttle ?? byDefault;
    this.#stage.defaultRouteSettings = { throttlingRateLimit: requestsPerSecond, throttlingBurstLimit: burst };
  }

  /** IAM only: a token brings its scopes with it. `jobId`: of one job, instead of all. */
  grant(scope: GatewayScope, grantee: IGrantable, jobId?: string): Grant {
    if (this.#takesTokens) throw new Error(`this API takes tokens: who may ${scope} is said by the scope ${scopePrefix}${scope} in them`);
    const resourceArns = invocations(scope, jobId).map(([method, path]) => this.http.arnForExecuteApi(method, path, stageName));
    return Grant.addToPrincipal({ grantee, actions: ['execute-api:Invoke'], resourceArns });
  }
}

function authorizerOf(jwt: TokenIssuer | undefined): IHttpRouteAuthorizer {
  if (jwt === undefined) return new HttpIamAuthorizer();
  const { issuer, audience } = jwt;
  if (!issuer.startsWith('https://'))
    throw new Error(`${JSON.stringify(issuer)} is no issuer of tokens: https://HOST… is wanted, as in their \`iss\``);
  // Without one every token of the issuer would do, whomever it was made for.
  if (audience.length === 0 || audience.includes('')) throw new Error(`tokens of ${issuer} are for whom? An audience is wanted`);
  return new HttpJwtAuthorizer('Tokens', issuer, { jwtAudience: [...audience] });
}

/** Methods and paths as IAM has them, where `*` is any text. */
function invocations(scope: GatewayScope, jobId: string | undefined): readonly (readonly [string, string])[] {
  if (scope === 'send') return pathPrefixes.map((prefix) => ['POST', `${prefix}/jobs/${jobId ?? '*'}/intake/*`] as const);
  if (scope !== 'read') {
    return routeScopes
      .filter((route) => route.scope === scope)
      .flatMap(({ method, path }) => pathPrefixes.map((prefix) => [method, prefix + path.replace(':jobid', jobId ?? '*')] as const));
  }
  if (jobId === undefined) return [['GET', '/*']];
  return pathPrefixes.flatMap((prefix) => ['', '/*'].map((rest) => ['GET', `${prefix}/jobs/${jobId}${rest}`] as const));
}

function onlyFrom(origin: string): CorsPreflightOptions {
  const isOrigin =
    /^(?:https:\/\/[^*]+|http:\/\/localhost(?::\d+)?)$/.test(origin) && URL.canParse(origin) && new URL(origin).origin === origin;
  // Of a distribution that is still to be made.
  if (!isOrigin && !Token.isUnresolved(origin))
    throw new Error(`${JSON.stringify(origin)} is not the origin of one page: https://HOST is wanted`);
  return {
    allowOrigins: [origin],
    allowMethods: [CorsHttpMethod.GET, CorsHttpMethod.POST, CorsHttpMethod.PATCH],
    allowHeaders: ['authorization', 'content-type', 'x-amz-content-sha256', 'x-amz-date', 'x-amz-security-token'],
    exposeHeaders: ['sluice-error-code'],
    maxAge: Duration.hours(1),
  };
}
