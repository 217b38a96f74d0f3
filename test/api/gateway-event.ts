/** What API Gateway gives to a function for a request (an HTTP API, payload 2.0), with what its authorizer has found out. */
import type { handle } from 'hono/aws-lambda';

type GatewayEvent = Extract<Parameters<ReturnType<typeof handle>>[0], { readonly routeKey: string }>;

export interface AskedOfGateway {
  readonly method?: string;
  readonly path: string;
  readonly query?: string;
  readonly body?: unknown;
  readonly authorizer?: object;
}

export const ada = 'arn:aws:sts::123456789012:assumed-role/operators/ada';
export const byIam = { iam: { accessKey: 'AKIA', accountId: '123456789012', callerId: 'AROA:ada', userArn: ada, userId: 'AROA:ada' } };

export function byToken(scope: string, more: object = {}): object {
  return { jwt: { claims: { iss: 'https://issuer.example', sub: 'ada', scope, ...more }, scopes: null } };
}

export function gatewayEvent({ method = 'GET', path, query = '', body, authorizer }: AskedOfGateway): GatewayEvent {
  const http = { method, path, protocol: 'HTTP/1.1', sourceIp: '192.0.2.1', userAgent: 'test' };
  const context = { http, domainName: 'api.example', requestId: 'request-1', ...(authorizer === undefined ? {} : { authorizer }) };
  return {
    version: '2.0',
    routeKey: '$default',
    rawPath: path,
    rawQueryString: query,
    headers: { 'content-type': 'application/json' },
    requestContext: context as never,
    body: body === undefined ? null : JSON.stringify(body),
    isBase64Encoded: false,
  };
}
