/**
 * A server that answers like AWS, as tests and scripts see it: our own (server.ts), or the one that AWS_ENDPOINT_URL names.
 *
 * EM1. Never AWS itself: credentials of whoever runs this reach no server (every environment made here names its own), and a host of AWS is refused.
 */
import { SluiceError } from '../lib/base/errors.ts';

export interface RequestCount {
  /** The name of a function, or an access key. */
  readonly caller: string;
  readonly service: string;
  /** As in the SDK: `GetItem`, `SendMessageBatch`, `PutObject`. */
  readonly operation: string;
  readonly status: number;
  readonly count: number;
  readonly sentBytes: number;
  readonly receivedBytes: number;
}

export interface InvocationCount {
  readonly function: string;
  readonly outcome: 'ok' | 'failed';
  readonly count: number;
}

export interface ServerCounts {
  readonly requests: readonly RequestCount[];
  readonly invocations: readonly InvocationCount[];
}

export interface FunctionProcess {
  readonly function: string;
  readonly pid: number;
  readonly busy: boolean;
}

export interface Emulator {
  readonly endpoint: string;
  /** Whether every call needs its permission. */
  readonly auth: boolean;
  /** What a process needs to use this server and nothing else. */
  readonly environment: Readonly<Record<string, string>>;
  /** Only our own server counts and names its processes. */
  readonly isOurs: boolean;
}

export const region = 'us-east-1';
export const account = '000000000000';

export function emulatorAt(endpoint: string, { auth = false, isOurs = false } = {}): Emulator {
  const { hostname, protocol } = parsedEndpoint(endpoint);
  if (/(?:^|\.)(?:amazonaws\.com|amazonaws\.com\.cn|aws)$/i.test(hostname) || !/^https?:$/.test(protocol)) {
    throw new SluiceError('SLUICE-LOCALSTACK-ENDPOINT', `AWS_ENDPOINT_URL is ${endpoint}, which is no emulator`, {
      hint: 'Name the address of an emulator, such as http://127.0.0.1:4566; on AWS deploy by `npx cdk deploy`.',
    });
  }
  return { endpoint: endpoint.replace(/\/+$/, ''), auth, isOurs, environment: environmentFor(endpoint.replace(/\/+$/, '')) };
}

function parsedEndpoint(endpoint: string): { readonly hostname: string; readonly protocol: string } {
  try {
    return new URL(endpoint);
  } catch {
    return { hostname: '', protocol: '' };
  }
}

function environmentFor(endpoint: string): Readonly<Record<string, string>> {
  return {
    AWS_ENDPOINT_URL: endpoint,
    AWS_ENDPOINT_URL_S3: endpoint,
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    AWS_REGION: region,
    AWS_DEFAULT_REGION: region,
  };
}

/** The environment of this process without what could name an account, a proxy to it or a test run: functions inherit it. */
export function plainEnvironment(): Readonly<Record<string, string>> {
  const kept = Object.entries(process.env).filter(
    ([name, value]) => value !== undefined && !/^(?:AWS_|CDK_|SLUICE_|VITEST|NODE_|npm_|TEST$|CI$|AUTH$|PROD$|DEV$|MODE$)/.test(name),
  );
  return Object.fromEntries(kept) as Readonly<Record<string, string>>;
}
