/**
 * The HTTP API: Flink's paths and shapes over a JobControl, so that Flink's own tools can talk to it.
 *
 * Owns: which paths there are, both bare and below `/v1`, and what every error looks like.
 * Does not own: what a job is (job-control.ts), how it is shown (views/), on which host and port it is served (lib/local/local-server.ts).
 *
 * A1. An error is `{"errors": [...]}` and nothing else; every other answer is never an object whose only key is `errors`.
 * A2. Numbers and flags are always there and never null: Flink's Java client refuses null for a primitive.
 * A3. No answer leaves before everything that it shows is durable: what a client has seen is still there after a kill.
 * A4. Behind a gateway every request is looked at (access.ts) and every change is recorded (audit-trail.ts) before a route sees it.
 */
import { Hono, type Context } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { errorCode } from '../base/errors.ts';
import { limits } from '../base/limits.ts';
import type { Clock, Logger } from '../ports/system.ts';
import { accessMiddleware, callerIn, type Access } from './access.ts';
import { auditRoutes } from './audit-routes.ts';
import { auditMiddleware, type AuditOptions } from './audit-trail.ts';
import { checkpointRoutes } from './checkpoint-routes.ts';
import { clusterRoutes } from './cluster-routes.ts';
import { costRoutes } from './cost-routes.ts';
import { deadLetterRoutes } from './dead-letter-routes.ts';
import type { JobControl } from './job-control.ts';
import { jobRoutes } from './job-routes.ts';
import { operationRoutes } from './operation-routes.ts';
import { errorCodeHeader, problemOf, RequestProblem } from './request-problem.ts';
import { restoreRoutes } from './restore-routes.ts';
import { vertexRoutes } from './vertex-routes.ts';

export interface ApiOptions {
  readonly control: JobControl;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Resolves when everything done so far survives the end of the process. */
  readonly durable: () => Promise<void>;
  /** Of Sluice. */
  readonly version: string;
  /** Absent: whoever reaches the server may do everything (docs/adr/0016). */
  readonly access?: Access;
  /** Absent: changes leave no record, and there is no route to records. */
  readonly audit?: AuditOptions;
}

export function createApi(options: ApiOptions): Hono {
  const { access, audit } = options;
  const app = new Hono();
  if (access !== undefined) app.use(accessMiddleware(access));
  app.use(bodyLimit({ maxSize: limits.apiBodyBytesMax, onError: (context) => answerProblem(context, tooLarge()) }));
  app.use(async (_context, next) => {
    await next();
    await options.durable();
  });
  if (audit !== undefined) app.use(auditMiddleware({ ...options, ...audit, callerOf: (context) => callerIn(access, context) }));
  for (const prefix of ['/', '/v1']) {
    app.route(prefix, clusterRoutes(options));
    app.route(prefix, jobRoutes(options));
    app.route(prefix, vertexRoutes(options));
    app.route(prefix, checkpointRoutes(options));
    app.route(prefix, operationRoutes(options));
    app.route(prefix, restoreRoutes(options));
    app.route(prefix, deadLetterRoutes(options));
    app.route(prefix, costRoutes(options));
    if (audit !== undefined) app.route(prefix, auditRoutes(audit.log));
  }
  app.notFound((context) => answerProblem(context, unknownPath(context)));
  app.onError((error, context) => {
    const problem = problemOf(error);
    if (problem.status === 500 && !(error instanceof RequestProblem)) {
      options.logger.log('error', 'a request failed', { path: context.req.path, error: error.message, code: errorCode(error) });
    }
    return answerProblem(context, problem);
  });
  return app;
}

function answerProblem(context: Context, { status, errors, code }: RequestProblem): Response {
  return context.body(JSON.stringify({ errors }), status, { 'content-type': 'application/json; charset=UTF-8', [errorCodeHeader]: code });
}

function tooLarge(): RequestProblem {
  return new RequestProblem(413, 'SLUICE-API-BODY-TOO-LARGE', [
    `SLUICE-API-BODY-TOO-LARGE: the body of the request is larger than ${limits.apiBodyBytesMax} bytes.`,
  ]);
}

/** Flink takes an unknown GET for a file of its dashboard. */
function unknownPath({ req }: Context): RequestProblem {
  const isFile = req.method === 'GET' || req.method === 'HEAD';
  return new RequestProblem(404, 'SLUICE-API-PATH-UNKNOWN', [
    isFile ? `Unable to load requested file ${req.path}.` : `Not found: ${req.path}`,
  ]);
}
