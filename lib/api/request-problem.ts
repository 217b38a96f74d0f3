/**
 * Answers that are no success, as Flink gives them: a status and `{"errors": [...]}`, nothing else, because the client takes any other object for success.
 * A text begins with the name of a Java class, then come the message and the causes; our code stands in the header `sluice-error-code`.
 */
import { errorCode, type SluiceError } from '../base/errors.ts';

export const errorCodeHeader = 'sluice-error-code';

type ProblemStatus = 308 | 400 | 401 | 403 | 404 | 409 | 413 | 500 | 503;

/** Thrown by whoever looks at a request, turned into an answer in one place (api-app.ts). */
export class RequestProblem extends Error {
  readonly status: ProblemStatus;
  readonly errors: readonly string[];
  readonly code: string;

  constructor(status: ProblemStatus, code: string, errors: readonly string[]) {
    super(errors.join('\n'));
    this.name = 'RequestProblem';
    this.status = status;
    this.code = code;
    this.errors = errors;
  }
}

const handlerException = 'org.apache.flink.runtime.rest.handler.RestHandlerException';

export function handlerProblem(status: ProblemStatus, code: string, message: string, cause?: string): RequestProblem {
  return new RequestProblem(status, code, [`${handlerException}: ${message}\n${cause === undefined ? '' : `Caused by: ${cause}\n`}`]);
}

export function serverProblem(code: string, text: string): RequestProblem {
  return new RequestProblem(500, code, [
    'Internal server error.',
    `<Exception on server side:\n${text}\n\nEnd of exception on server side>`,
  ]);
}

/** Whatever was thrown while a request was worked on. */
export function problemOf(error: unknown): RequestProblem {
  if (error instanceof RequestProblem) return error;
  if (errorCode(error)?.startsWith('SLUICE-') === true) {
    const { code, message, hint } = error as SluiceError;
    return serverProblem(code, `${code}: ${message}\n${hint}`);
  }
  return serverProblem('SLUICE-API-FAILED', error instanceof Error ? `${error.name}: ${error.message}` : String(error));
}
