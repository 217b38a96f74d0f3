/** Checkpoint options as they are given by Flink's names. */
import type { JobCheckpointing } from '../model/checkpoint-options.ts';
import type { CheckpointKey, JobConfiguration, OldCheckpointKey } from '../model/job-configuration.ts';
import { count, duration, flag, oneOf, type Reader } from './option-readers.ts';
import { settingBounds } from './setting-bounds.ts';

const retentions = ['delete-on-cancellation', 'retain-on-cancellation'];
const wantedRetention = 'DELETE_ON_CANCELLATION or RETAIN_ON_CANCELLATION (docs/checkpoints.md says why there is no other)';

const options: Readonly<Record<CheckpointKey, readonly [field: keyof JobCheckpointing, read: Reader]>> = {
  'execution.checkpointing.interval': ['intervalMs', duration(...settingBounds.intervalMs)],
  'execution.checkpointing.mode': ['mode', oneOf(['exactly-once', 'at-least-once'])],
  'execution.checkpointing.timeout': ['timeoutMs', duration(...settingBounds.timeoutMs)],
  'execution.checkpointing.min-pause': ['minPauseMs', duration(...settingBounds.minPauseMs)],
  'execution.checkpointing.max-concurrent-checkpoints': ['maxConcurrentCheckpoints', count(...settingBounds.maxConcurrent)],
  'execution.checkpointing.tolerable-failed-checkpoints': ['tolerableFailedCheckpoints', count(...settingBounds.tolerableFailures)],
  'execution.checkpointing.externalized-checkpoint-retention': ['externalizedCheckpointRetention', oneOf(retentions, wantedRetention)],
  'execution.checkpointing.unaligned.enabled': ['unaligned', flag],
  'execution.checkpointing.aligned-checkpoint-timeout': ['alignedCheckpointTimeoutMs', duration(...settingBounds.alignedTimeoutMs)],
  'execution.checkpointing.num-retained': ['numRetained', count(...settingBounds.retained)],
};

const oldKeys: Readonly<Record<OldCheckpointKey, CheckpointKey>> = {
  'execution.checkpointing.unaligned': 'execution.checkpointing.unaligned.enabled',
  'execution.checkpointing.alignment-timeout': 'execution.checkpointing.aligned-checkpoint-timeout',
  'state.checkpoints.num-retained': 'execution.checkpointing.num-retained',
};

export const checkpointKeys: readonly string[] = [...Object.keys(options), ...Object.keys(oldKeys)];

/** The one name of an option that has two. */
export function newKeyOf(key: string): string {
  return Object.hasOwn(oldKeys, key) ? oldKeys[key as OldCheckpointKey] : key;
}

export interface CheckpointingRead {
  readonly checkpointing: JobCheckpointing;
  readonly faults: readonly string[];
}

/** Leaves all other keys alone. */
export function readCheckpointing(configuration: JobConfiguration): CheckpointingRead {
  const faults: string[] = [];
  const read = new Map<keyof JobCheckpointing, unknown>();
  for (const [key, value] of Object.entries(configuration)) {
    if (!checkpointKeys.includes(key)) continue;
    const [field, reader] = options[newKeyOf(key) as CheckpointKey];
    const result = reader(String(value).trim());
    if ('wanted' in result) faults.push(`${key} is ${value}, ${result.wanted} is wanted`);
    else read.set(field, result.value);
    if (newKeyOf(key) !== key && Object.hasOwn(configuration, newKeyOf(key)))
      faults.push(`${key} and ${newKeyOf(key)} are the same option`);
  }
  return { checkpointing: Object.fromEntries(read), faults };
}
