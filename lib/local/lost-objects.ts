/**
 * A start finds that files of objects are gone which the log names. The job goes back as a running one would that meets them (lib/coordinator/recovery.ts).
 *
 * LO1. Where there is nothing to go back to, the start is refused and the directory stays as it is: who puts the files back starts as if nothing had been.
 */
import type { LocalStores } from '../adapters/memory/memory-stores.ts';
import { errorCode, errorMessage, SluiceError } from '../base/errors.ts';
import type { CheckpointId } from '../base/ids.ts';
import type { CoordinatorDeps } from '../coordinator/coordinator-deps.ts';
import { newestWhole } from '../coordinator/whole-checkpoint.ts';
import type { JobRecord } from '../model/job-record.ts';

/** The checkpoint to go back to, `newest` from the beginning: none was ever complete; null where nothing is lost. @throws SluiceError `SLUICE-CHECKPOINTS-LOST` */
export async function wayBack(
  deps: CoordinatorDeps,
  { lost, objects }: LocalStores,
  record: JobRecord,
): Promise<CheckpointId | 'newest' | null> {
  if (lost.length === 0) return null;
  try {
    const whole = await newestWhole(deps, record);
    // From here on they are missing, and not looked for at the next start again.
    await objects.remove(lost.map(({ key }) => key));
    return whole?.id ?? 'newest';
  } catch (error) {
    if (errorCode(error) !== 'SLUICE-CHECKPOINTS-LOST') throw error;
    throw new SluiceError('SLUICE-CHECKPOINTS-LOST', `${lostText(lost)}, and ${errorMessage(error)}`, {
      hint: 'Nothing was changed. Put the files back from a copy, or start from a savepoint, or from an older checkpoint, in another data directory.',
      facts: { job: record.job, lost },
    });
  }
}

export function lostText(lost: LocalStores['lost']): string {
  const [first, ...others] = lost;
  const what = first === undefined ? '' : `${first.path}: ${first.problem}`;
  return `the data directory has lost ${lost.length === 1 ? 'an object' : `${lost.length} objects`} (${what}${others.length === 0 ? '' : ' …'})`;
}
