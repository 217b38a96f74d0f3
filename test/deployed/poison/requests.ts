/** Rows of reliability.md §4 that come as requests to the HTTP API: what each is answered. */
export interface BadRequest {
  readonly row: number;
  readonly what: string;
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly body?: object;
  readonly status: number;
  /** In the header `sluice-error-code`. */
  readonly code: string;
}

const text = (content: string): Uint8Array => Buffer.from(content);
const nobody = 'f'.repeat(32);
const restoreOf = (savepoint: unknown): object => ({ savepoint, dryRun: true });

export const badRequests: readonly BadRequest[] = [
  [26, 'a savepoint by another scheme', 'POST', '/jobs/:job/restore', restoreOf('file:///etc/passwd'), 400, 'SLUICE-FOLDER-UNUSABLE'],
  [26, 'a savepoint whose path leads out', 'POST', '/jobs/:job/restore', restoreOf('s3://bucket/a/../../b'), 400, 'SLUICE-FOLDER-UNUSABLE'],
  [26, 'a savepoint that is no text', 'POST', '/jobs/:job/restore', restoreOf(['s3://a/b']), 400, 'SLUICE-RESTORE-INPUT'],
  [31, 'a body of 11 MB', 'POST', '/jobs/:job/savepoints', text(`{"x":"${'x'.repeat(11_000_000)}"}`), 413, 'SLUICE-API-BODY-TOO-LARGE'],
  [31, 'a body of many keys', 'POST', '/jobs/:job/savepoints', text(`{${Array.from({ length: 200_000 }, (_, i) => `"${i}":0`).join()}}`), 413, 'SLUICE-API-BODY-TOO-LARGE'],
  [31, 'no JSON', 'POST', '/jobs/:job/savepoints', text('{"cancel-job":'), 400, 'SLUICE-API-REQUEST'],
  [31, 'an array', 'POST', '/jobs/:job/stop', [], 400, 'SLUICE-API-REQUEST'],
  [31, 'nesting without end', 'POST', '/jobs/:job/savepoints', text('['.repeat(100_000)), 400, 'SLUICE-API-REQUEST'],
  [31, 'a number that is none', 'POST', '/jobs/:job/restore', text('{"parallelism":"NaN"}'), 400, 'SLUICE-RESTORE-INPUT'],
  [31, 'a field of another type', 'POST', '/jobs/:job/stop', { drain: { yes: true } }, 400, 'SLUICE-API-REQUEST'],
  [31, 'a field that nobody knows, of a restore', 'POST', '/jobs/:job/restore', { isAdmin: true }, 400, 'SLUICE-RESTORE-INPUT'],
  [31, 'a count that is none', 'GET', '/jobs/:job/dead-letters?max=many', undefined, 400, 'SLUICE-API-REQUEST'],
  [32, 'a job that never was', 'GET', `/jobs/${nobody}`, undefined, 404, 'SLUICE-JOB-UNKNOWN'],
  [32, 'what a job that never was has set aside', 'GET', `/jobs/${nobody}/dead-letters`, undefined, 404, 'SLUICE-JOB-UNKNOWN'],
  [32, 'a path in the place of a job', 'GET', '/jobs/..%2f..%2fetc', undefined, 403, 'SLUICE-API-FORBIDDEN'],
  [34, 'a trigger id that is none', 'POST', '/jobs/:job/savepoints', { triggerId: 'again' }, 400, 'SLUICE-API-REQUEST'],
].map(([row, what, method, path, body, status, code]) => ({ row, what, method, path, body, status, code }) as BadRequest); // prettier-ignore

/** Row 35. Without a signature nobody gets past the gateway. */
export const closedRoutes: readonly (readonly [method: string, path: string])[] = [
  ['GET', ''],
  ['GET', '/dead-letters'],
  ['GET', '/audit'],
  ['PATCH', ''],
  ['POST', '/savepoints'],
  ['POST', '/stop'],
  ['POST', '/restore'],
  ['POST', '/intake/clicks'],
];
