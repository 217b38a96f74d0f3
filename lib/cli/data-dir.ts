import { accessSync, constants, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { errorMessage, SluiceError } from '../base/errors.ts';
import type { CliIo } from './cli-io.ts';

/**
 * Says before anything runs that nothing can be kept there; what is not there yet is made by the run.
 *
 * @throws SluiceError `SLUICE-DATA-DIR-UNUSABLE`
 */
export function usableDataDir(io: CliIo, dataDir: string): string {
  const folder = resolve(io.folder, dataDir);
  let existing = folder;
  let found = statSync(existing, { throwIfNoEntry: false });
  while (found === undefined && existing !== dirname(existing)) {
    existing = dirname(existing);
    found = statSync(existing, { throwIfNoEntry: false });
  }
  if (found?.isDirectory() !== true) throw unusable(folder, `${existing} is a file`);
  try {
    accessSync(existing, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    throw unusable(folder, errorMessage(error));
  }
  return folder;
}

function unusable(folder: string, why: string): SluiceError {
  return new SluiceError('SLUICE-DATA-DIR-UNUSABLE', `the data directory ${folder} cannot be used: ${why}`, {
    hint: 'Name another folder, or make this one a folder that you may write to.',
    facts: { folder },
  });
}
