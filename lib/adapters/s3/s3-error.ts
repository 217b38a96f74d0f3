/** What an answer of S3 means for whoever asked. */
import { errorName } from '../../base/error-name.ts';

/** Statuses of the client's kind that pass by themselves: timeouts, a conflict with another write, too much at once. */
const passingStatuses: readonly number[] = [408, 409, 425, 429];
const passingNames: readonly string[] = [
  'RequestTimeout',
  'RequestTimeTooSkewed',
  'ExpiredToken',
  'ExpiredTokenException',
  'OperationAborted',
];

/** Undefined where no answer came: a connection, credentials. */
export function statusOf(error: unknown): number | undefined {
  const status = (error as { $metadata?: { httpStatusCode?: unknown } } | null | undefined)?.$metadata?.httpStatusCode;
  return typeof status === 'number' ? status : undefined;
}

/** The same call will always be refused: no permission, no such bucket, a name that S3 does not take, another region. */
export function isPermanentRefusal(error: unknown): boolean {
  const status = statusOf(error);
  if (status === undefined || status < 300 || status >= 500 || passingStatuses.includes(status)) return false;
  return !passingNames.includes(errorName(error) ?? '');
}

/** There is no such object. Where the bucket is missing nothing is known of it. */
export function isMissing(error: unknown): boolean {
  return statusOf(error) === 404 && !['NoSuchBucket', 'NoSuchUpload'].includes(errorName(error) ?? '');
}
