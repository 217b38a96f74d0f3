/**
 * Other checkpoint settings for a job that goes on as it is. They stand in the plan object, so this writes another and names it in the job record.
 *
 * CS1. No shard goes by a setting: what concerns shards (the mode) is given to each checkpoint with its number. So a pending checkpoint ends as it began,
 *      with its own mode and deadline, and the next one has the new settings.
 * CS2. A change is made of what is stored when it is written: of two at a time none is lost.
 */
import type { JobId } from '../base/ids.ts';
import { settingChanges, type CheckpointSettings, type SettingChange } from '../checkpoint/checkpoint-settings.ts';
import { adoptSettings } from '../checkpoint/job-progress.ts';
import { isWorking } from '../checkpoint/job-status.ts';
import { encodeStoredPlan, type StoredPlan } from '../checkpoint/stored-plan.ts';
import type { JobRecord } from '../model/job-record.ts';
import { readPlan, type CoordinatorDeps } from './coordinator-deps.ts';
import { startWhenDue } from './start-checkpoint.ts';
import { readJob, updateJob } from './update-job.ts';

export interface SettingsChanged {
  readonly record: JobRecord;
  readonly changes: readonly SettingChange[];
  readonly settings: CheckpointSettings;
}

/** `change` is called again where another write came between. What it leaves out stays as it is. */
export async function changeSettings(
  deps: CoordinatorDeps,
  job: JobId,
  change: (before: StoredPlan) => Pick<StoredPlan, 'settings'> & Partial<Pick<StoredPlan, 'given' | 'restart' | 'code'>>,
): Promise<SettingsChanged> {
  for (;;) {
    const { plan: from } = await readJob(deps, job);
    const stored = await readPlan(deps, from);
    const next = { ...stored, ...change(stored) };
    const { key: to, bytes } = encodeStoredPlan(job, next);
    if (to !== from) await deps.objects.createIfAbsent(to, bytes);
    const recount = stored.settings.tolerableFailures !== next.settings.tolerableFailures;
    const updated = await updateJob(deps, job, (record) => adoptSettings(record, { from, to, recount }, deps.clock.now()));
    // A restore under another plan, or another change, came between.
    if (updated.outcome === 'refused') continue;
    if (updated.outcome === 'changed' && isWorking(updated.record.status)) await startWhenDue(deps, updated.record, false);
    return { record: updated.record, changes: settingChanges(stored.settings, next.settings), settings: next.settings };
  }
}

/** By a person, while the job runs. What the job was run with is remembered, so that the same command does not take the change back. */
export function changeWhileRunning(
  deps: CoordinatorDeps,
  job: JobId,
  change: (settings: CheckpointSettings) => CheckpointSettings,
): Promise<SettingsChanged> {
  return changeSettings(deps, job, ({ settings, given = settings }) => ({ settings: change(settings), given }));
}
