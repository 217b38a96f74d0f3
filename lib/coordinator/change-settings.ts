/**
 * Other checkpoint settings for a job that goes on as it is. They stand in the plan object, so this writes another and names it in the job record.
 *
 * CS1. Only what no shard goes by changes so. The mode decides what shards do at a barrier: another one needs a restore, so that no checkpoint is half of each.
 */
import type { JobId } from '../base/ids.ts';
import { invariant } from '../base/invariant.ts';
import type { CheckpointSettings } from '../checkpoint/checkpoint-settings.ts';
import { adoptSettings } from '../checkpoint/job-progress.ts';
import { isWorking } from '../checkpoint/job-status.ts';
import type { RestartStrategy } from '../checkpoint/restart-strategy.ts';
import { encodeStoredPlan } from '../checkpoint/stored-plan.ts';
import type { JobRecord } from '../model/job-record.ts';
import { readPlan, type CoordinatorDeps } from './coordinator-deps.ts';
import { startWhenDue } from './start-checkpoint.ts';
import { readJob, updateJob } from './update-job.ts';

export interface NewSettings {
  readonly settings: CheckpointSettings;
  /** Undefined: the one that it has stays. */
  readonly restart?: RestartStrategy;
  /** Undefined: what is known stays. */
  readonly code?: string;
}

export async function changeSettings(deps: CoordinatorDeps, job: JobId, { settings, restart, code }: NewSettings): Promise<JobRecord> {
  for (;;) {
    const { plan: from } = await readJob(deps, job);
    const stored = await readPlan(deps, from);
    invariant(stored.settings.mode === settings.mode, 'CS1', `the mode of job ${job} cannot change while it goes on`, { job });
    const next = encodeStoredPlan(job, {
      ...stored,
      settings,
      ...(restart === undefined ? {} : { restart }),
      ...(code === undefined ? {} : { code }),
    });
    if (next.key !== from) await deps.objects.createIfAbsent(next.key, next.bytes);
    const updated = await updateJob(deps, job, (record) => adoptSettings(record, { from, to: next.key }, deps.clock.now()));
    // A restore under another plan came between.
    if (updated.outcome === 'refused') continue;
    if (updated.outcome === 'changed' && isWorking(updated.record.status)) await startWhenDue(deps, updated.record, false);
    return updated.record;
  }
}
