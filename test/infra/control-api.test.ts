/** The HTTP API as it is deployed: every route, who may call it, from where, and how fast. */
import { HttpMethod } from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Template } from 'aws-cdk-lib/assertions';
import { describe, expect, test } from 'vitest';
import type { SluiceControlPlaneProps } from '../../infra/sluice-control-plane.ts';
import { routeScopes } from '../../lib/api/route-scopes.ts';
import { appOf, resourcesOf, templateOf, type Resource } from './templates.ts';

const jobId = '0123456789abcdef0123456789abcdef';
const jwt = { issuer: 'https://issuer.example', audience: ['sluice'] };
const ofType = (template: Template, type: string): readonly Resource[] =>
  Object.values(resourcesOf(template)).filter(({ Type }) => Type === type);
const routes = (plane: SluiceControlPlaneProps) =>
  ofType(templateOf({ jobId }, plane), 'AWS::ApiGatewayV2::Route').map(({ Properties }) => Properties as Record<string, unknown>);

describe('the routes', () => {
  test('are one for all questions, and one for each change of each job', () => {
    const changes = routeScopes.filter(({ scope }) => scope !== 'read');
    const wanted = changes.flatMap(({ method, path }) =>
      ['', '/v1'].map((prefix) => `${method} ${prefix}${path.replace(':jobid', jobId)}`),
    );
    expect(routes({}).map(({ RouteKey }) => RouteKey)).toEqual(['GET /{proxy+}', ...wanted]);
  });

  test('are all authorised: by IAM where nothing else is said', () => {
    for (const route of routes({})) {
      expect(route).toMatchObject({ AuthorizationType: 'AWS_IAM' });
      expect(route).not.toHaveProperty('AuthorizationScopes');
    }
  });

  test('are all authorised by tokens of the issuer where one is named, each with its scope', () => {
    const template = templateOf({ jobId }, { jwt });
    expect(ofType(template, 'AWS::ApiGatewayV2::Authorizer')).toMatchObject([
      { Properties: { AuthorizerType: 'JWT', JwtConfiguration: { Audience: jwt.audience, Issuer: jwt.issuer } } },
    ]);
    for (const { RouteKey, AuthorizationType, AuthorizerId, AuthorizationScopes } of routes({ jwt })) {
      expect([AuthorizationType, AuthorizerId]).toEqual(['JWT', { Ref: expect.any(String) }]);
      const scope = String(RouteKey).startsWith('GET') ? 'read' : String(RouteKey).endsWith('/restore') ? 'restore' : 'operate';
      expect(AuthorizationScopes, String(RouteKey)).toEqual([`sluice/${scope}`]);
    }
  });

  test.each([
    ['http://issuer.example', ['sluice'], 'no issuer'],
    ['https://issuer.example', [], 'An audience is wanted'],
    ['https://issuer.example', [''], 'An audience is wanted'],
  ])('are not made for tokens of %s for %j', (issuer, audience, why) => {
    expect(() => appOf({}, { jwt: { issuer, audience } })).toThrow(why);
  });

  test.each([
    ['iam', {}],
    ['jwt', { jwt }],
  ])('lead to functions that are told to believe %s', (authorizer, plane) => {
    const told = ofType(templateOf({ jobId }, plane), 'AWS::Lambda::Function').filter(({ Properties }) =>
      ['api.handler', 'overview.handler'].includes(String(Properties['Handler'])),
    );
    expect(told).toHaveLength(2);
    for (const { Properties } of told)
      expect(Properties['Environment']).toMatchObject({ Variables: { SLUICE_API_AUTHORIZER: authorizer } });
  });

  test('to what takes in records want a scope of their own', () => {
    const { stack, controlPlane } = appOf({ jobId }, { jwt });
    const path = `/jobs/${jobId}/intake/orders`;
    controlPlane.control.addRoute('POST', path, 'send', controlPlane.overview.function);
    const [own] = ofType(Template.fromStack(stack), 'AWS::ApiGatewayV2::Route').filter(
      ({ Properties }) => Properties['RouteKey'] === `POST ${path}`,
    );
    expect(own?.Properties).toMatchObject({ AuthorizationType: 'JWT', AuthorizationScopes: ['sluice/send'] });
  });

  test('that somebody adds without a word about who may call them are authorised too, by the strictest scope', () => {
    for (const [plane, wanted] of [
      [{}, { AuthorizationType: 'AWS_IAM' }],
      [{ jwt }, { AuthorizationType: 'JWT', AuthorizationScopes: ['sluice/restore'] }],
    ] as const) {
      const { stack, controlPlane } = appOf({ jobId }, plane);
      const integration = new HttpLambdaIntegration('Own', controlPlane.overview.function.lambda);
      controlPlane.api.addRoutes({ path: '/own', methods: [HttpMethod.POST], integration });
      const own = ofType(Template.fromStack(stack), 'AWS::ApiGatewayV2::Route').find(({ Properties }) =>
        String(Properties['RouteKey']).endsWith(' /own'),
      );
      expect(own?.Properties).toMatchObject(wanted);
    }
  });
});

describe('the stage', () => {
  const template = templateOf({ jobId });

  test('is bounded in calls a second', () => {
    expect(ofType(template, 'AWS::ApiGatewayV2::Stage')).toMatchObject([
      { Properties: { StageName: '$default', DefaultRouteSettings: { ThrottlingRateLimit: 50, ThrottlingBurstLimit: 100 } } },
    ]);
  });

  test('lets more in where jobs take records in by it, so that who sends does not shut people out, or as many as somebody says', () => {
    const rateOf = (plane: SluiceControlPlaneProps) => {
      const { stack, controlPlane } = appOf({ jobId }, plane);
      controlPlane.control.addRoute('POST', `/jobs/${jobId}/intake/orders`, 'send', controlPlane.overview.function);
      return ofType(Template.fromStack(stack), 'AWS::ApiGatewayV2::Stage')[0]!.Properties['DefaultRouteSettings'];
    };
    expect(rateOf({})).toEqual({ ThrottlingRateLimit: 1_000, ThrottlingBurstLimit: 2_000 });
    expect(rateOf({ throttle: { requestsPerSecond: 7, burst: 9 } })).toEqual({ ThrottlingRateLimit: 7, ThrottlingBurstLimit: 9 });
  });

  test('writes down who called what, and neither headers nor bodies', () => {
    const [stage] = ofType(template, 'AWS::ApiGatewayV2::Stage');
    const { Format, DestinationArn } = stage!.Properties['AccessLogSettings'] as {
      readonly Format: string;
      readonly DestinationArn: unknown;
    };
    expect(JSON.parse(Format)).toMatchObject({ requestId: '$context.requestId', identity: '$context.identity.userArn' });
    expect(Format).not.toMatch(/body|header/i);
    expect(DestinationArn).toBeDefined();
  });

  test('lets pages of no site in, or those of the console alone', () => {
    const [api] = ofType(template, 'AWS::ApiGatewayV2::Api');
    expect(api!.Properties).not.toHaveProperty('CorsConfiguration');
    const consoleOrigin = 'https://console.example.com';
    const [open] = ofType(templateOf({ jobId }, { consoleOrigin }), 'AWS::ApiGatewayV2::Api');
    expect(open!.Properties['CorsConfiguration']).toMatchObject({ AllowOrigins: [consoleOrigin], AllowMethods: ['GET', 'POST', 'PATCH'] });
    expect(open!.Properties['CorsConfiguration']).not.toHaveProperty('AllowCredentials');
  });

  test.each(['*', 'https://*.example.com', 'http://console.example.com', 'https://console.example.com/', 'console.example.com', 'null'])(
    'takes %s for no origin of a console',
    (consoleOrigin) => {
      expect(() => appOf({}, { consoleOrigin })).toThrow('is not the origin of one page');
    },
  );
});

describe('what is granted', () => {
  const granted = (grant: 'grantRead' | 'grantOperate' | 'grantRestore' | 'grantSend', of?: string): readonly string[] => {
    const { stack, controlPlane } = appOf({ jobId });
    controlPlane[grant](new Role(stack, 'Person', { assumedBy: new ServicePrincipal('ec2.amazonaws.com') }), of);
    const [policy] = Object.entries(resourcesOf(Template.fromStack(stack))).filter(([name]) => name.startsWith('PersonDefaultPolicy'));
    const [statement] = (policy![1].Properties['PolicyDocument'] as { readonly Statement: readonly Record<string, unknown>[] }).Statement;
    expect(statement!['Action']).toBe('execute-api:Invoke');
    // ARNs end with stage, method and path.
    return [statement!['Resource']].flat().map((arn) => (arn as { 'Fn::Join': [string, unknown[]] })['Fn::Join'][1].at(-1) as string);
  };
  /** IAM: `*` is any text, slashes too. */
  const allows = (patterns: readonly string[], call: string): boolean =>
    patterns.some((pattern) =>
      new RegExp(
        `^${pattern
          .split('*')
          .map((part) => part.replace(/[$/.]/g, '\\$&'))
          .join('.*')}$`,
      ).test(call),
    );
  const calls = routeScopes.flatMap(({ method, path, scope }) =>
    ['', '/v1'].map((prefix) => ({
      call: `/$default/${method}${prefix}${path.replace(/:jobid/, jobId).replace(/:\w+/, 'f'.repeat(32))}`,
      scope,
    })),
  );

  test.each([
    ['grantRead', 'read'],
    ['grantOperate', 'operate'],
    ['grantRestore', 'restore'],
  ] as const)('by %s is every route of the scope, and no other', (grant, wanted) => {
    const patterns = granted(grant);
    for (const { call, scope } of calls) expect(allows(patterns, call), call).toBe(scope === wanted);
  });

  test.each(['grantRead', 'grantOperate', 'grantRestore'] as const)('by %s can be for one job', (grant) => {
    const patterns = granted(grant, jobId);
    const other = (call: string): string => call.replace(jobId, 'f'.repeat(32));
    for (const { call } of calls) expect(allows(patterns, other(call)), call).toBe(false);
    expect(calls.some(({ call }) => allows(patterns, call))).toBe(true);
  });

  test('by grantSend is what takes in records, and nothing of the app', () => {
    for (const of of [undefined, jobId]) {
      const patterns = granted('grantSend', of);
      expect(allows(patterns, `/$default/POST/v1/jobs/${jobId}/intake/orders`)).toBe(true);
      for (const { call } of calls) expect(allows(patterns, call), call).toBe(false);
    }
  });

  test('is nothing where tokens bring their scopes', () => {
    const { stack, controlPlane } = appOf({ jobId }, { jwt });
    const person = new Role(stack, 'Person', { assumedBy: new ServicePrincipal('ec2.amazonaws.com') });
    expect(() => controlPlane.grantRead(person)).toThrow('sluice/read');
  });
});
