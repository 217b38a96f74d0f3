import { errorMessage, SluiceError } from '../../base/errors.ts';

/** Something of a data directory could not be written. Retryable: what went wrong with the log ends the whole process, and is no fault of the job. */
export function dataDirFailed(what: string, cause: unknown, facts: { readonly path: string }): SluiceError {
  return new SluiceError('SLUICE-DATA-DIR-FAILED', `${what} cannot be written: ${errorMessage(cause)}`, {
    hint: 'Look at the disk: is there room left, does it answer? Run the job again: it goes on from what is on the disk.',
    facts,
    cause,
    retryable: true,
  });
}
