/** What an answer of S3 means: to the program, and to whoever reads the error. */
import { errorMessage, SluiceError } from '../../base/errors.ts';
import { inputCorrupt } from './input-file.ts';

export interface S3Problem {
  /** 0 where no answer came. */
  readonly status: number;
  readonly name: string;
  /** The same call will fail again until a person changes something. */
  readonly isPermanent: boolean;
}

/** Answers of class 4 that pass: time-outs, races, throttles. */
const passing: ReadonlySet<number> = new Set([408, 409, 425, 429]);
const withoutAnswer: ReadonlySet<string> = new Set(['CredentialsProviderError', 'InvalidRegion', 'RegionMissing']);
const throttles: ReadonlySet<string> = new Set([
  'SlowDown',
  'RequestTimeout',
  'RequestTimeTooSkewed',
  'ExpiredToken',
  'ThrottlingException',
]);

export function s3Problem(error: unknown): S3Problem {
  const found = Object(error) as { readonly name?: string; readonly $metadata?: { readonly httpStatusCode?: number } };
  const name = found.name ?? 'Error';
  const status = found.$metadata?.httpStatusCode ?? 0;
  const isRefused = status >= 300 && status < 500 && !passing.has(status) && !throttles.has(name);
  return { status, name, isPermanent: isRefused || withoutAnswer.has(name) || /region is missing/i.test(errorMessage(error)) };
}

/** To somebody who wants to read `path`. */
export function s3InputError(path: string, error: unknown): SluiceError {
  if (error instanceof SluiceError) return error;
  const { status, name, isPermanent } = s3Problem(error);
  if (status === 404) {
    return new SluiceError('SLUICE-INPUT-MISSING', `there is no object ${path}`, {
      hint: 'Look at bucket, key and region; was the object deleted while the job ran?',
      facts: { file: path, code: name },
      cause: error,
    });
  }
  if (status === 412) return inputCorrupt(path, 'it was changed since the job began to read it', { code: name }, error);
  return new SluiceError('SLUICE-INPUT-UNREADABLE', `${path} cannot be read: ${s3ErrorText(error)}`, {
    hint: s3Hint(status, 's3:GetObject on the objects and s3:ListBucket on the bucket'),
    facts: { file: path, code: name, status },
    cause: error,
    retryable: !isPermanent,
  });
}

/** The SDK leaves the message empty where the answer has no body. */
export function s3ErrorText(error: unknown): string {
  const { name, status } = s3Problem(error);
  const message = errorMessage(error);
  return message === '' || message === name ? `${name}${status === 0 ? '' : ` (${status})`}` : `${name}: ${message}`;
}

export function s3Hint(status: number, actions: string): string {
  if (status === 403)
    return `Let the role of the program do ${actions}. S3 also says this of a missing object where the bucket may not be listed.`;
  if (status === 301 || status === 307 || status === 400)
    return 'Look at the region: the client must be of the region of the bucket (AWS_REGION).';
  if (status === 404) return 'Look at the name of the bucket, and at the region: there is no bucket of that name.';
  return 'Look at credentials, region and network (AWS_PROFILE, AWS_REGION); S3 itself may be throttling: then it passes.';
}
