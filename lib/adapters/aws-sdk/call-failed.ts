/** What a failed call to AWS means to a person, and whether it can be tried again. */
import { errorMessage, SluiceError, type ErrorFacts } from '../../base/errors.ts';

const throttles = /Throttl|ProvisionedThroughputExceeded|RequestLimitExceeded|TooManyRequests|SlowDown|LimitExceededException/;
const refusals =
  /AccessDenied|NotAuthorized|UnrecognizedClient|InvalidClientToken|InvalidSignature|ExpiredToken|CredentialsProvider|ResourceNotFound/;

export function isThrottle(error: unknown): boolean {
  return throttles.test(nameOf(error));
}

/**
 * @returns SluiceError `SLUICE-AWS-THROTTLED` and `SLUICE-AWS-UNREACHABLE`, which may go through later, `SLUICE-AWS-REFUSED`; or the error itself, where
 * it is a fault of the caller
 */
export function callFailed(error: unknown, facts: ErrorFacts & { readonly service: string; readonly operation: string }): unknown {
  const name = nameOf(error);
  const call = `${facts.operation} of ${facts.service}`;
  const all = { ...facts, error: name };
  if (isThrottle(error)) {
    return new SluiceError('SLUICE-AWS-THROTTLED', `${call} was throttled again and again`, {
      hint: 'It is tried again by itself. If it stays: raise the quota that is named, or lower parallelism or rate.',
      facts: all,
      cause: error,
      retryable: true,
    });
  }
  if (refusals.test(name)) {
    return new SluiceError('SLUICE-AWS-REFUSED', `${call} was refused: ${errorMessage(error)}`, {
      hint: 'Deploy again; then look at the role of the function, the region and the names of its resources.',
      facts: all,
      cause: error,
    });
  }
  if (!isUnreachable(error, name)) return error;
  return new SluiceError('SLUICE-AWS-UNREACHABLE', `${call} got no answer: ${errorMessage(error)}`, {
    hint: 'It is tried again by itself. If it stays: look at the health of the service and the way to it.',
    facts: all,
    cause: error,
    retryable: true,
  });
}

/** 5xx, or something of the network: Node's own codes begin with E. */
function isUnreachable(error: unknown, name: string): boolean {
  const { $metadata, code } = (error ?? {}) as { $metadata?: { httpStatusCode?: number }; code?: unknown };
  return ($metadata?.httpStatusCode ?? 0) >= 500 || name === 'TimeoutError' || (typeof code === 'string' && code.startsWith('E'));
}

function nameOf(error: unknown): string {
  const name = (error as { name?: unknown } | null | undefined)?.name;
  return typeof name === 'string' ? name : '';
}
