/**
 * Who may do what, behind a gateway. The local server has none of this: it is for its own machine (docs/adr/0016).
 *
 * AC1. Nothing is answered to whom the gateway has not named: a request that comes past it is refused here.
 * AC2. The gateway has decided on a path; what the app would take for another one (escapes, dots, doubled slashes) is refused, because the decision was
 *      not on it.
 * AC3. With tokens the scope is looked at a second time, by the app's own table.
 */
import type { Context, MiddlewareHandler } from 'hono';
import type { Caller } from '../ports/caller.ts';
import { RequestProblem } from './request-problem.ts';
import { scopeOf, scopePrefix } from './route-scopes.ts';

export interface Access {
  /** undefined: nobody that the gateway knows. `environment` is what the runtime gave with the request. */
  readonly callerOf: (environment: unknown) => Caller | undefined;
}

/** Ids, names of routes and nothing else: what no part between the gateway and us reads in two ways. */
const plainPath = /^(?:\/[A-Za-z0-9_-]+)+$/;

export function accessMiddleware({ callerOf }: Access): MiddlewareHandler {
  return async (context, next) => {
    const caller = callerOf(context.env);
    if (caller === undefined) throw refusal(401, 'SLUICE-API-UNAUTHENTICATED', 'the gateway has not said who calls');
    const { method, path } = context.req;
    if (caller.path !== path || !plainPath.test(path))
      throw refusal(403, 'SLUICE-API-FORBIDDEN', `the path ${path} is not the one that the gateway has decided on`);
    const scope = scopeOf(method, path);
    if (scope === undefined) return context.notFound();
    if (caller.scopes !== null && !caller.scopes.includes(`${scopePrefix}${scope}`))
      throw refusal(403, 'SLUICE-API-FORBIDDEN', `the token has no scope ${scopePrefix}${scope}, which ${method} ${path} needs`);
    return next();
  };
}

/** Undefined on a server that knows no callers. */
export function callerIn(access: Access | undefined, context: Context): Caller | undefined {
  return access?.callerOf(context.env);
}

function refusal(status: 401 | 403, code: string, why: string): RequestProblem {
  return new RequestProblem(status, code, [`${code}: ${why}.`]);
}
