import { describe, expect, test } from 'vitest';
import { MemoryAuditLog } from '../contract/memory-audit-log.ts';
import { pathPrefixes, routeScopes, scopeOf } from '../../lib/api/route-scopes.ts';
import { ApiWorld } from './api-world.ts';

/** Every route of the app; what is for all paths is no route. */
function routesOf(world: ApiWorld): readonly string[] {
  return world.app.routes.filter(({ method }) => method !== 'ALL').map(({ method, path }) => `${method} ${path}`);
}

const listed = routeScopes.flatMap(({ method, path }) => pathPrefixes.map((prefix) => `${method} ${prefix}${path}`));
const id = '0'.repeat(32);

describe('the table of scopes', () => {
  test('has exactly the routes of the app, each once', () => {
    const world = new ApiWorld();
    world.auditLog = new MemoryAuditLog();
    expect([...routesOf(world)].sort()).toEqual([...listed].sort());
    expect(new Set(listed).size).toBe(listed.length);
  });

  test('has questions as GET for `read`, and whatever changes something as another method for another scope', () => {
    for (const { method, scope } of routeScopes) expect(method === 'GET').toBe(scope === 'read');
  });

  test('gives every real path the scope of its route', () => {
    for (const { method, path, scope } of routeScopes) {
      for (const prefix of pathPrefixes) expect(scopeOf(method, prefix + path.replaceAll(/:\w+/g, id)), path).toBe(scope);
    }
    expect(scopeOf('HEAD', `/jobs/${id}`)).toBe('read');
  });

  test.each([
    ['GET', '/'],
    ['DELETE', `/jobs/${id}`],
    ['POST', `/jobs/${id}`],
    ['POST', `/jobs/${id}/restore/`],
    ['POST', '/jobs//restore'],
    ['GET', `/jobs/${id}/unknown`],
    ['GET', `/v1/v1/jobs/${id}`],
    ['GET', '/v1jobs'],
  ])('knows no %s %s', (method, path) => {
    expect(scopeOf(method, path)).toBeUndefined();
  });

  test('leaves the local server as it was: no route to an audit that it does not have', async () => {
    const world = new ApiWorld();
    expect(routesOf(world).filter((route) => route.endsWith('/audit'))).toEqual([]);
    expect(await world.request(`/jobs/${id}/audit`)).toMatchObject({ status: 404 });
  });
});
