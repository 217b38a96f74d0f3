/**
 * What a caller must be allowed to do for each route of the API. The gateway's routes and policies are made of this table too (infra/control-api.ts).
 *
 * RS1. Every route that the app has is here once (test/api/route-scopes.test.ts); behind a gateway what is not here is refused.
 * RS2. Whatever changes something is no GET, and is not for `read`.
 */

export type Scope = 'read' | 'operate' | 'restore';

/** Of scopes in tokens: `sluice/read`. */
export const scopePrefix = 'sluice/';

/** Every path is there bare and below `/v1`. */
export const pathPrefixes = ['', '/v1'] as const;

export interface RouteScope {
  readonly method: 'GET' | 'POST' | 'PATCH';
  /** Without its prefix. */
  readonly path: string;
  readonly scope: Scope;
}

const reads = [
  '/config',
  '/overview',
  '/jobs',
  '/jobs/overview',
  '/jobs/:jobid',
  '/jobs/:jobid/status',
  '/jobs/:jobid/config',
  '/jobs/:jobid/plan',
  '/jobs/:jobid/exceptions',
  '/jobs/:jobid/dead-letters',
  '/jobs/:jobid/vertices/:vertexid',
  '/jobs/:jobid/vertices/:vertexid/watermarks',
  '/jobs/:jobid/checkpoints',
  '/jobs/:jobid/checkpoints/config',
  '/jobs/:jobid/checkpoints/details/:checkpointid',
  '/jobs/:jobid/checkpoints/:triggerid',
  '/jobs/:jobid/savepoints/:triggerid',
  '/jobs/:jobid/restore/:triggerid',
  '/jobs/:jobid/audit',
  '/jobs/:jobid/cost',
];

export const routeScopes: readonly RouteScope[] = [
  ...reads.map((path) => ({ method: 'GET', path, scope: 'read' }) as const),
  { method: 'PATCH', path: '/jobs/:jobid', scope: 'operate' },
  { method: 'PATCH', path: '/jobs/:jobid/checkpoints/config', scope: 'operate' },
  { method: 'POST', path: '/jobs/:jobid/checkpoints', scope: 'operate' },
  { method: 'POST', path: '/jobs/:jobid/savepoints', scope: 'operate' },
  { method: 'POST', path: '/jobs/:jobid/stop', scope: 'operate' },
  { method: 'POST', path: '/jobs/:jobid/restore', scope: 'restore' },
];

/** undefined: there is no such route. */
export function scopeOf(method: string, path: string): Scope | undefined {
  const wanted = method === 'HEAD' ? 'GET' : method;
  const bare = path.replace(/^\/v1(?=\/)/, '').split('/');
  return routeScopes.find((route) => route.method === wanted && matches(route.path.split('/'), bare))?.scope;
}

function matches(pattern: readonly string[], segments: readonly string[]): boolean {
  return (
    pattern.length === segments.length && pattern.every((part, i) => (part.startsWith(':') ? segments[i] !== '' : part === segments[i]))
  );
}
