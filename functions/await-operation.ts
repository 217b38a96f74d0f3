import { SluiceError } from '../lib/base/errors.ts';
import type { JobId } from '../lib/base/ids.ts';
import type { CoordinatorDeps } from '../lib/coordinator/coordinator-deps.ts';
import type { Clock, Timers } from '../lib/ports/system.ts';

const lookEveryMs = 500;
/** A minute less than the function may take (infra/deployment.ts): the publication of a large checkpoint comes before the restore. */
const patienceMs = 840_000;

/** Until its flow has ended it, well or not. @throws SluiceError what it failed with, or `SLUICE-OPERATION-LASTS` */
export async function awaitOperation(
  { operations }: Pick<CoordinatorDeps, 'operations'>,
  { clock, timers }: { readonly clock: Clock; readonly timers: Timers },
  { job, trigger }: { readonly job: JobId; readonly trigger: string },
): Promise<void> {
  for (const endsAtMs = clock.monotonic() + patienceMs; clock.monotonic() < endsAtMs;) {
    const operation = await operations.read(job, trigger);
    if (operation !== undefined && operation.failure !== null) {
      const { code, message, hint } = operation.failure;
      throw new SluiceError(code, message, { hint, facts: { job, trigger } });
    }
    if (operation?.status === 'COMPLETED') return;
    await new Promise<void>((resolve) => timers.after(lookEveryMs, resolve));
  }
  throw new SluiceError('SLUICE-OPERATION-LASTS', `operation ${trigger} of job ${job} has not ended within ${patienceMs / 1_000} s`, {
    hint: 'It goes on by itself: look at its execution in Step Functions.',
    facts: { job, trigger },
  });
}
