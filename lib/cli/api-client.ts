/** Asks a running Sluice over HTTP, as any other client of its API does. */
import { errorMessage, SluiceError } from '../base/errors.ts';
import type { JobStatus } from '../model/job-record.ts';
import type { Authorise } from './authorise.ts';

export interface ListedJob {
  readonly jid: string;
  readonly name: string;
  readonly state: JobStatus;
  readonly 'start-time': number;
  readonly 'end-time': number;
  readonly duration: number;
  readonly tasks: Readonly<Record<string, number>>;
  /** Only where something of the job cannot be read: its tasks are then unknown. */
  readonly unreadable?: { readonly code: string; readonly message: string };
}

export interface OperationAnswer {
  readonly status: { readonly id: 'IN_PROGRESS' | 'COMPLETED' };
  readonly operation: {
    readonly location?: string;
    readonly 'failure-cause'?: {
      readonly code?: string;
      readonly message?: string;
      readonly hint?: string;
      readonly 'stack-trace': string;
    };
  } | null;
}

export interface ApiClient {
  readonly url: string;
  get<T>(path: string): Promise<T>;
  send<T>(method: 'POST' | 'PATCH', path: string, body: unknown): Promise<T>;
}

/** `url` may have a path, as behind a gateway. */
export function createApiClient(url: string, authorise: Authorise): ApiClient {
  const base = url.replace(/\/+$/, '');
  const json = { 'content-type': 'application/json; charset=UTF-8' };
  return {
    url: base,
    get: async <T>(path: string) => (await ask({ base, authorise }, path, { method: 'GET', headers: {} })) as T,
    send: async <T>(method: 'POST' | 'PATCH', path: string, body: unknown) =>
      (await ask({ base, authorise }, path, { method, body: JSON.stringify(body), headers: json })) as T,
  };
}

interface Server {
  readonly base: string;
  readonly authorise: Authorise;
}

interface Asked {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** @throws SluiceError `SLUICE-SERVER-UNREACHABLE`, `SLUICE-SERVER-FORBIDS`, the server's own code, or `SLUICE-SERVER-ANSWER` */
async function ask(server: Server, path: string, asked: Asked): Promise<unknown> {
  const { base } = server;
  const { response, text } = await exchange(server, path, asked);
  const body = parse(text);
  const errors = (body as { readonly errors?: unknown } | null | undefined)?.errors;
  if (response.ok && body !== undefined && errors === undefined) return body;
  const code = response.headers.get('sluice-error-code');
  if (code !== null && Array.isArray(errors)) throw serverError(code, errors.join('\n'), base, path);
  const facts = { url: `${base}${path}`, status: response.status, text: text.slice(0, 500) };
  if (response.status === 401 || response.status === 403) {
    throw new SluiceError(
      'SLUICE-SERVER-FORBIDS',
      `${base} does not let you ${asked.method === 'GET' ? 'read this' : 'do this'} (${response.status})`,
      {
        hint: 'Log in as somebody who may (docs/security.md): credentials of AWS, or SLUICE_TOKEN where the API wants a token.',
        facts,
      },
    );
  }
  throw new SluiceError('SLUICE-SERVER-ANSWER', `${base}${path} answered ${response.status} with something that is not Sluice's`, {
    hint: 'Check that the address is that of a running `sluice run`, or of a deployed API.',
    facts,
  });
}

async function exchange(
  { base, authorise }: Server,
  path: string,
  asked: Asked,
): Promise<{ readonly response: Response; readonly text: string }> {
  const url = new URL(`${base}/v1${path}`);
  const headers = await authorise({ ...asked, url });
  try {
    const response = await fetch(url, { ...asked, headers, redirect: 'manual' });
    return { response, text: await response.text() };
  } catch (error) {
    const cause = (error as { readonly cause?: unknown }).cause ?? error;
    throw new SluiceError('SLUICE-SERVER-UNREACHABLE', `nothing answers at ${base}: ${errorMessage(cause)}`, {
      hint: 'Start the job with `sluice run`, or name its server with --server URL or --data-dir D.',
      facts: { url: base },
      cause,
      retryable: true,
    });
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** The Java class names are there for Flink's clients, not for people. */
function serverError(code: string, text: string, base: string, path: string): SluiceError {
  const message = text
    .split('\n')
    .map((line) => line.replace(/^(?:Caused by: )?(?:[a-z0-9]+\.)+[A-Za-z$]+: /, '').trim())
    .filter(
      (line) => line !== '' && !line.startsWith('Internal server error') && !/^<?(?:Exception|End of exception) on server side/.test(line),
    )
    .join('; ');
  return new SluiceError(code, message, {
    hint: hints[code] ?? 'docs/errors.md says what the code means.',
    facts: { url: `${base}${path}` },
  });
}

const hints: Readonly<Record<string, string>> = {
  'SLUICE-JOB-UNKNOWN': 'List the jobs with `sluice list`, and check the id.',
  'SLUICE-JOB-ENDED': 'It has ended already: nothing is left to do.',
  'SLUICE-API-PATH-UNKNOWN': 'The server does not know this request. Use the same version of Sluice on both sides.',
};
