/** The app behind a gateway: hono's own adapter for Lambda between them, as in functions/api.ts. */
import { handle } from 'hono/aws-lambda';
import { beforeEach, describe, expect, test } from 'vitest';
import { readAccess } from '../../functions/api-access.ts';
import { job } from '../checkpoint/fixture.ts';
import { startedWorld, type ApiWorld } from './api-world.ts';
import { byIam, byToken, gatewayEvent, type AskedOfGateway } from './gateway-event.ts';

let world: ApiWorld;

async function ask(request: AskedOfGateway) {
  const answer = (await handle(world.app)(gatewayEvent(request), {} as never)) as { statusCode: number; body: string };
  const { statusCode, body } = answer;
  const { headers } = answer as unknown as { headers: Record<string, string> };
  return { status: statusCode, code: headers['sluice-error-code'], body: JSON.parse(body) as unknown };
}

beforeEach(async () => {
  world = await startedWorld();
  world.access = readAccess({ SLUICE_API_AUTHORIZER: 'iam' });
});

const refused = { status: 401, code: 'SLUICE-API-UNAUTHENTICATED' };
const forbidden = { status: 403, code: 'SLUICE-API-FORBIDDEN' };

describe('an API behind a gateway', () => {
  test('answers whom the gateway has named', async () => {
    expect(await ask({ path: `/jobs/${job}`, authorizer: byIam })).toMatchObject({ status: 200, body: { jid: job } });
    expect(await ask({ path: '/v1/jobs/overview', authorizer: byIam })).toMatchObject({ status: 200, body: { jobs: [{ jid: job }] } });
  });

  test.each([
    ['nothing', undefined],
    ['an empty context', {}],
    ['an empty identity', { iam: { userArn: '' } }],
    ['no identity', { iam: null }],
    ['a token, where it asks for IAM', byToken('sluice/read sluice/operate')],
    ['the context of another authorizer', { lambda: { userArn: 'ada' } }],
  ])('answers nobody of whom the gateway says %s', async (_, authorizer) => {
    expect(await ask({ path: `/jobs/${job}`, ...(authorizer === undefined ? {} : { authorizer }) })).toMatchObject(refused);
    const stop = { method: 'PATCH', path: `/jobs/${job}`, query: 'mode=cancel', ...(authorizer === undefined ? {} : { authorizer }) };
    expect(await ask(stop)).toMatchObject(refused);
    expect(await world.record()).toMatchObject({ status: 'RUNNING' });
  });

  test('answers nobody who comes past the gateway', async () => {
    expect(await world.request(`/jobs/${job}`)).toMatchObject({ status: 401 });
  });

  test.each([
    `/jobs/${job}/restore?x=/stop`,
    `/jobs/${job}/restore#/stop`,
    `/jobs/${job}/x/../restore`,
    `/jobs/${job}/x/%2e%2e/restore`,
    `//jobs/${job}/restore`,
    `/jobs/${job}\\restore`,
    `/jobs/${job}/restore;/stop`,
    `/jobs/${job}/re%73tore`,
  ])('refuses a path that it would take for another than the gateway: %s', async (path) => {
    const { status } = await ask({ method: 'POST', path, authorizer: byIam, body: {} });
    expect([403, 404]).toContain(status);
    expect(await world.stores.operations.list(job)).toEqual([]);
  });

  test('says of a path that there is none', async () => {
    expect(await ask({ path: '/metrics', authorizer: byIam })).toMatchObject({ status: 404, code: 'SLUICE-API-PATH-UNKNOWN' });
  });
});

describe('with tokens', () => {
  beforeEach(() => {
    world.access = readAccess({ SLUICE_API_AUTHORIZER: 'jwt' });
  });
  const restore = { method: 'POST', path: `/jobs/${job}/restore`, body: { dryRun: true } };
  const cancel = { method: 'PATCH', path: `/jobs/${job}`, query: 'mode=cancel' };

  test.each([
    ['sluice/read', [200, 403, 403]],
    ['sluice/restore openid', [403, 200, 403]],
    ['openid profile', [403, 403, 403]],
    ['', [403, 403, 403]],
    ['read sluice/readers xsluice/read', [403, 403, 403]],
    ['sluice/operate sluice/read', [200, 403, 202]],
  ])('the scopes "%s" allow what they name, and nothing else', async (scope, [read, restored, canceled]) => {
    const authorizer = byToken(scope);
    expect((await ask({ path: `/jobs/${job}`, authorizer })).status).toBe(read);
    expect((await ask({ ...restore, authorizer })).status).toBe(restored);
    const { status, code } = await ask({ ...cancel, authorizer });
    expect(status).toBe(canceled);
    if (canceled === 403) expect(code).toBe(forbidden.code);
    expect(await world.record()).toMatchObject({ status: canceled === 202 ? 'CANCELLING' : 'RUNNING' });
  });

  test.each([
    ['as a list', { scope: '[sluice/read openid]' }],
    ['by another name', { scope: undefined, scp: 'sluice/read' }],
    ['of a machine', { sub: undefined, client_id: 'console' }],
  ])('come in other forms too: %s', async (_, claims) => {
    expect(await ask({ path: `/jobs/${job}`, authorizer: byToken('sluice/read', claims) })).toMatchObject({ status: 200 });
  });

  test('without a subject or an issuer, and IAM, are nobody', async () => {
    const path = `/jobs/${job}`;
    expect(await ask({ path, authorizer: byToken('sluice/read', { sub: undefined }) })).toMatchObject(refused);
    expect(await ask({ path, authorizer: byToken('sluice/read', { iss: '' }) })).toMatchObject(refused);
    expect(await ask({ path, authorizer: byIam })).toMatchObject(refused);
    expect(await ask({ path, authorizer: { jwt: { claims: null } } })).toMatchObject(refused);
  });
});
