/**
 * Serves an app on the loopback interface, and on no other: there is no authentication, so whoever reaches the port may stop the job.
 *
 * LS1. A request whose Host is not loopback is refused: a page of another site could otherwise reach us under its own name (DNS rebinding).
 * LS2. A request that changes something and comes from a page of another site is refused: browsers name that in Origin.
 */
import type { AddressInfo } from 'node:net';
import { createAdaptorServer } from '@hono/node-server';
import { SluiceError } from '../base/errors.ts';

export interface LocalServer {
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  readonly port: number;
  /** Ends open connections too: there may be pollers. */
  close(): Promise<void>;
}

export interface LocalServerOptions {
  readonly fetch: (request: Request) => Response | Promise<Response>;
  /** The next free one is taken where it is not free; 0 = any. */
  readonly port: number;
}

type Server = ReturnType<typeof createAdaptorServer>;

const host = '127.0.0.1';
const loopbackNames: ReadonlySet<string> = new Set(['127.0.0.1', 'localhost', '[::1]']);
/** How many ports are tried, from the wanted one on. */
const portsTried = 100;

/** @throws SluiceError `SLUICE-PORT` where none of the ports can be had */
export async function startLocalServer({ fetch, port }: LocalServerOptions): Promise<LocalServer> {
  const server = createAdaptorServer({ fetch: (request) => refusal(request) ?? fetch(request), hostname: host });
  const last = port === 0 ? 0 : Math.min(port + portsTried - 1, 65_535);
  for (let candidate = port; candidate <= last; candidate++) {
    const failure = await listen(server, candidate);
    if (failure === null) return served(server);
    if (failure.code !== 'EADDRINUSE') throw portError(port, last, failure);
  }
  throw portError(port, last, null);
}

function served(server: Server): LocalServer {
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://${host}:${port}`,
    port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        if ('closeAllConnections' in server) server.closeAllConnections();
      }),
  };
}

function listen(server: Server, port: number): Promise<NodeJS.ErrnoException | null> {
  return new Promise((resolve) => {
    const onError = (error: NodeJS.ErrnoException): void => resolve(error);
    server.once('error', onError);
    server.listen(port, host, () => {
      server.off('error', onError);
      resolve(null);
    });
  });
}

function refusal(request: Request): Response | null {
  const { hostname } = new URL(request.url);
  if (!loopbackNames.has(hostname)) return forbidden(`the API is for this machine only, and ${hostname} is not its name`);
  const origin = request.headers.get('origin');
  if (origin === null || request.method === 'GET' || request.method === 'HEAD') return null;
  return isLoopback(origin) ? null : forbidden(`a page of ${origin} may not change anything here`);
}

function isLoopback(origin: string): boolean {
  return URL.canParse(origin) && loopbackNames.has(new URL(origin).hostname);
}

function forbidden(message: string): Response {
  const body = JSON.stringify({ errors: [`SLUICE-API-FORBIDDEN: ${message}.`] });
  return new Response(body, {
    status: 403,
    headers: { 'content-type': 'application/json; charset=UTF-8', 'sluice-error-code': 'SLUICE-API-FORBIDDEN' },
  });
}

function portError(first: number, last: number, cause: NodeJS.ErrnoException | null): SluiceError {
  const ports = first === last ? `port ${first}` : `ports ${first} to ${last}`;
  const why = cause === null ? 'all are taken' : cause.message;
  return new SluiceError('SLUICE-PORT', `the HTTP API cannot be served on ${ports}: ${why}`, {
    hint: 'Name another port with --port, or 0 for any that is free.',
    facts: { first, last },
    cause,
  });
}
