/** Checkpoint options of a job, by Flink's rules; stored with the plan object, so that every step of every attempt sees the same. */
import { SluiceError } from '../base/errors.ts';
import type { JobCheckpointing } from '../model/checkpoint-options.ts';
import type { CheckpointMode } from '../model/envelope.ts';
import { settingBounds } from './setting-bounds.ts';

export interface CheckpointSettings {
  readonly intervalMs: number;
  readonly mode: CheckpointMode;
  readonly timeoutMs: number;
  /** From the end of one checkpoint to the start of the next; above 0 it implies one at a time. */
  readonly minPauseMs: number;
  readonly maxConcurrent: number;
  /** Consecutive countable failures that are borne; one more restores the newest completed checkpoint. */
  readonly tolerableFailures: number;
  readonly retained: number;
  readonly retentionOnCancellation: 'retain' | 'delete';
  /** Barriers overtake what is in flight, which becomes part of the checkpoint; only under exactly-once. */
  readonly unaligned: boolean;
  /** Unaligned: so long after its trigger a checkpoint is aligned; 0 = never. */
  readonly alignedTimeoutMs: number;
}

export interface SettingChange {
  readonly setting: keyof CheckpointSettings;
  readonly from: string | number | boolean;
  readonly to: string | number | boolean;
}

export function settingChanges(before: CheckpointSettings, now: CheckpointSettings): readonly SettingChange[] {
  return (Object.keys(defaultCheckpointSettings) as (keyof CheckpointSettings)[])
    .filter((setting) => before[setting] !== now[setting])
    .map((setting) => ({ setting, from: before[setting], to: now[setting] }));
}

/**
 * What a run that is given `now` goes on with. What the run before was given and this one is given too says nothing new: a change that was made while the
 * job ran stays. What is given anew holds.
 */
export function settingsOfNextRun(
  { settings, given = settings }: { readonly settings: CheckpointSettings; readonly given?: CheckpointSettings | undefined },
  now: CheckpointSettings,
): CheckpointSettings {
  const news = settingChanges(given, now).map(({ setting, to }) => [setting, to] as const);
  return { ...settings, ...Object.fromEntries(news) };
}

/** Flink's defaults, but for the interval (there: off until one is set) and the retention (there: none, not even of a job that has failed). */
export const defaultCheckpointSettings: CheckpointSettings = {
  intervalMs: 1_000,
  mode: 'exactly-once',
  timeoutMs: 600_000,
  minPauseMs: 0,
  maxConcurrent: 1,
  tolerableFailures: 0,
  retained: 1,
  retentionOnCancellation: 'delete',
  unaligned: false,
  alignedTimeoutMs: 0,
};

/** Options that are set replace those of `settings`. */
export function withOptions(settings: CheckpointSettings, options: JobCheckpointing): CheckpointSettings {
  const { externalizedCheckpointRetention: retention } = options;
  const kept = retention === 'retain-on-cancellation' ? 'retain' : retention === 'delete-on-cancellation' ? 'delete' : retention;
  return {
    intervalMs: options.intervalMs ?? settings.intervalMs,
    mode: options.mode ?? settings.mode,
    timeoutMs: options.timeoutMs ?? settings.timeoutMs,
    minPauseMs: options.minPauseMs ?? settings.minPauseMs,
    maxConcurrent: options.maxConcurrentCheckpoints ?? settings.maxConcurrent,
    tolerableFailures: options.tolerableFailedCheckpoints ?? settings.tolerableFailures,
    retained: options.numRetained ?? settings.retained,
    retentionOnCancellation: kept ?? settings.retentionOnCancellation,
    unaligned: options.unaligned ?? settings.unaligned,
    alignedTimeoutMs: options.alignedCheckpointTimeoutMs ?? settings.alignedTimeoutMs,
  };
}

/** @throws SluiceError `SLUICE-CHECKPOINT-OPTIONS` naming every fault at once */
export function checkSettings(settings: CheckpointSettings): CheckpointSettings {
  const faults = Object.entries(settingBounds).flatMap(([field, [min, max]]) => {
    const value = settings[field as keyof typeof settingBounds];
    return Number.isInteger(value) && value >= min && value <= max ? [] : [`${field} is ${value}, from ${min} to ${max} is possible`];
  });
  if (settings.minPauseMs > 0 && settings.maxConcurrent > 1) faults.push('minPauseMs above 0 needs maxConcurrent 1');
  if (!['exactly-once', 'at-least-once'].includes(settings.mode))
    faults.push(`mode is ${settings.mode}, exactly-once or at-least-once is possible`);
  if (!['retain', 'delete'].includes(settings.retentionOnCancellation)) {
    faults.push(`retentionOnCancellation is ${settings.retentionOnCancellation}, retain or delete is possible`);
  }
  if (settings.unaligned && settings.mode !== 'exactly-once') faults.push('unaligned needs mode exactly-once');
  if (faults.length === 0) return settings;
  throw new SluiceError('SLUICE-CHECKPOINT-OPTIONS', `the checkpoint options are not usable: ${faults.join('; ')}`, {
    hint: 'Correct the options named above.',
    facts: { faults, settings },
  });
}
