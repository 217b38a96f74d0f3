/**
 * How every client of an AWS service is set up. Region, credentials and AWS_ENDPOINT_URL come from the environment.
 *
 * CS1. No call hangs: without timeouts a lost packet eats the function's time, and then the visibility timeout of its messages.
 * CS2. Every attempt is metered, also those of retries.
 */
import type { Meter } from './meter.ts';

export interface AwsClientOptions {
  readonly meter?: Meter;
  /** Instead of HTTP: tests answer in the process. */
  readonly requestHandler?: object;
  readonly region?: string;
  readonly endpoint?: string;
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string };
  readonly connectionTimeoutMs?: number;
  /** A long poll needs more than it waits. */
  readonly requestTimeoutMs?: number;
  readonly attemptsMax?: number;
  readonly socketsMax?: number;
}

const defaults = { connectionTimeoutMs: 1_000, requestTimeoutMs: 4_000, attemptsMax: 4, socketsMax: 64 } as const;

export function clientSettings(options: AwsClientOptions) {
  const { region, endpoint, credentials } = options;
  return {
    ...(region === undefined ? {} : { region }),
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(credentials === undefined ? {} : { credentials }),
    // Its pauses have jitter.
    retryMode: 'standard',
    maxAttempts: options.attemptsMax ?? defaults.attemptsMax,
    requestHandler: (options.requestHandler ?? httpSettings(options)) as Record<string, unknown>,
  };
}

function httpSettings(options: AwsClientOptions): object {
  const agent = { keepAlive: true, maxSockets: options.socketsMax ?? defaults.socketsMax };
  const requestTimeout = options.requestTimeoutMs ?? defaults.requestTimeoutMs;
  return {
    connectionTimeout: options.connectionTimeoutMs ?? defaults.connectionTimeoutMs,
    requestTimeout,
    // That one ends where an answer begins; this one counts from byte to byte of its body.
    socketTimeout: requestTimeout,
    // Without it the SDK only logs a warning, and goes on waiting.
    throwOnRequestTimeout: true,
    httpAgent: agent,
    httpsAgent: agent,
  };
}
