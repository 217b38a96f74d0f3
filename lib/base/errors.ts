/**
 * The one error class that people meet. Every code is stable, documented in docs/errors.md and provoked by a test.
 * Check errors by `code`, never by `instanceof`: a bundle may hold the class twice.
 */
export interface ErrorFacts {
  readonly [name: string]: unknown;
}

export interface SluiceErrorOptions {
  /** What to do next, as one sentence in the imperative. */
  readonly hint: string;
  /** The values that led here: file, position, operator, key. Never secrets. */
  readonly facts?: ErrorFacts;
  readonly cause?: unknown;
  /** True where the same call may go through later (throttle, lost race). */
  readonly retryable?: boolean;
}

export class SluiceError extends Error {
  readonly code: string;
  readonly hint: string;
  readonly facts: ErrorFacts;
  readonly retryable: boolean;

  constructor(code: string, message: string, options: SluiceErrorOptions) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'SluiceError';
    this.code = code;
    this.hint = options.hint;
    this.facts = options.facts ?? {};
    this.retryable = options.retryable ?? false;
  }
}

/** The code of any thrown value, `undefined` where it carries none. */
export function errorCode(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null | undefined)?.code;
  return typeof code === 'string' ? code : undefined;
}

/** The message of any thrown value. */
export function errorMessage(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
