import { accessSync, constants, statSync, type Stats } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { errorMessage, SluiceError } from '../base/errors.ts';
import type { CliIo } from './cli-io.ts';

/**
 * A folder that can be written to, as an absolute path; what is not there yet is made by whoever writes. Says so before anything runs where it cannot:
 * a run would try again and again. `what` it is for, such as `data directory`.
 *
 * @throws SluiceError `SLUICE-FOLDER-UNUSABLE`
 */
export function usableFolder(io: CliIo, what: string, path: string): string {
  const { folder, existing } = possibleFolder(io, what, path);
  try {
    accessSync(existing, constants.R_OK | constants.W_OK | constants.X_OK);
    return folder;
  } catch (error) {
    throw unusable(what, folder, errorMessage(error));
  }
}

/** One that is or could be a folder; who may write there is not asked, because a server may be another user. @throws as above */
export function possibleFolder(io: CliIo, what: string, path: string): { readonly folder: string; readonly existing: string } {
  const folder = resolve(io.folder, path);
  for (let existing = folder; ; existing = dirname(existing)) {
    const found = look(what, folder, existing);
    if (found?.isDirectory() === true) return { folder, existing };
    if (found !== undefined || existing === dirname(existing)) throw unusable(what, folder, `${existing} is a file`);
  }
}

function look(what: string, folder: string, path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    throw unusable(what, folder, errorMessage(error));
  }
}

function unusable(what: string, folder: string, why: string): SluiceError {
  return new SluiceError('SLUICE-FOLDER-UNUSABLE', `the ${what} ${folder} cannot be used: ${why}`, {
    hint: 'Name another folder, or make this one a folder that you may write to.',
    facts: { folder },
  });
}
