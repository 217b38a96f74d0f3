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
  return {
    url: base,
    get: async <T>(path: string) => (await ask(base, path, authorise, { method: 'GET', body: null })) as T,
    send: async <T>(method: 'POST' | 'PATCH', path: string, body: unknown) =>
      (await ask(base, path, authorise, { method, body: JSON.stringify(body) })) as T,
  };
}

interface Wanted {
  readonly method: string;
  readonly body: string | null;
}

/** @throws SluiceError `SLUICE-SERVER-UNREACHABLE`, `SLUICE-SERVER-REFUSED`, the server's own code, or `SLUICE-SERVER-ANSWER` */
async function ask(base: string, path: string, authorise: Authorise, wanted: Wanted): Promise<unknown> {
  const { response, text } = await exchange(base, path, authorise, wanted);
  const body = parse(text);
  const errors = (body as { readonly errors?: unknown } | null | undefined)?.errors;
  if (response.ok && body !== undefined && errors === undefined) return body;
  const code = response.headers.get('sluice-error-code');
  if (code !== null && Array.isArray(errors)) throw serverError(code, errors.join('\n'), base, path);
  const facts = { url: `${base}${path}`, status: response.status, text: text.slice(0, 500) };
  if (response.status === 401 || response.status === 403) {
    throw new SluiceError('SLUICE-SERVER-REFUSED', `the gateway at ${base} refuses ${wanted.method} ${path} (${response.status})`, {
      hint: 'Use credentials of AWS that may (grantRead, grantOperate, grantRestore), or a token in SLUICE_API_TOKEN.',
      facts,
    });
  }
  throw new SluiceError('SLUICE-SERVER-ANSWER', `${base}${path} answered ${response.status} with something that is not Sluice's`, {
    hint: 'Check that the address is that of a running `sluice run`, or of a deployed API.',
    facts,
  });
}

async function exchange(
  base: string,
  path: string,
  authorise: Authorise,
  { method, body }: Wanted,
): Promise<{ readonly response: Response; readonly text: string }> {
  const url = `${base}/v1${path}`;
  const headers = { ...(body === null ? {} : json), ...(await authorise({ method, url, body: body ?? '' })) };
  try {
    const response = await fetch(url, { method, headers, body });
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

const json = { 'content-type': 'application/json; charset=UTF-8' };

const hints: Readonly<Record<string, string>> = {
  'SLUICE-JOB-UNKNOWN': 'List the jobs with `sluice list`, and check the id.',
  'SLUICE-JOB-ENDED': 'It has ended already: nothing is left to do.',
  'SLUICE-API-PATH-UNKNOWN': 'The server does not know this request. Use the same version of Sluice on both sides.',
};
