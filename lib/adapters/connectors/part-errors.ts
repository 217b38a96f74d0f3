/** What can be wrong with a part, wherever it is. */
import { SluiceError } from '../../base/errors.ts';
import type { PartPlace } from './part-store.ts';

export function partMissing(path: string, { staged, target }: PartPlace): SluiceError {
  return new SluiceError('SLUICE-PART-MISSING', `${path} has neither the staged part ${staged} nor the published file ${target}`, {
    hint: 'Somebody removed it. Put the file back, or restore the job from an older checkpoint or savepoint, which writes it again.',
    facts: { folder: path, staged, target },
  });
}

export function partConflict(path: string, { staged, target }: PartPlace): SluiceError {
  return new SluiceError('SLUICE-PART-CONFLICT', `${path} already has a file ${target} with other content than the part to publish`, {
    hint: 'Move that file away, or give the sink a folder of its own: the part waits, and is tried again.',
    facts: { folder: path, staged, target },
    retryable: true,
  });
}
