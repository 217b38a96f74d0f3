import { checkSettings, defaultCheckpointSettings, type CheckpointSettings } from '../checkpoint/checkpoint-settings.ts';
import { SluiceError } from '../base/errors.ts';
import { parseDuration } from './durations.ts';
import type { JobConfiguration } from '../model/job-configuration.ts';
import type { JobOptions } from './load-job.ts';

/** What commander hands to `run` and `restore`. */
export interface RunOptions extends JobOptions {
  readonly dataDir?: string;
  readonly fromSavepoint?: string;
  readonly allowNonRestoredState: boolean;
  readonly checkpointInterval: string;
  readonly checkpointMode: CheckpointSettings['mode'];
  readonly checkpointTimeout: string;
  readonly unalignedCheckpoints: boolean;
  readonly alignedCheckpointTimeout: string;
  /** By Flink's names. */
  readonly define: JobConfiguration;
  readonly savepointDir?: string;
  readonly port: number;
  readonly json: boolean;
  readonly verbose: boolean;
}

/** @throws SluiceError `SLUICE-USAGE` or `SLUICE-CHECKPOINT-OPTIONS` */
export function checkpointSettings(options: RunOptions): CheckpointSettings {
  const { checkpointInterval, checkpointMode, checkpointTimeout, unalignedCheckpoints, alignedCheckpointTimeout } = options;
  return checkSettings({
    ...defaultCheckpointSettings,
    intervalMs: duration('--checkpoint-interval', checkpointInterval),
    timeoutMs: duration('--checkpoint-timeout', checkpointTimeout),
    mode: checkpointMode,
    unaligned: unalignedCheckpoints,
    alignedTimeoutMs: parseDuration('--aligned-checkpoint-timeout', alignedCheckpointTimeout),
  });
}

/** Within the bounds of both settings, which know nothing of the options' names. */
function duration(option: string, text: string): number {
  const durationMs = parseDuration(option, text);
  if (durationMs >= 10 && durationMs <= 365 * 86_400_000) return durationMs;
  throw new SluiceError('SLUICE-CHECKPOINT-OPTIONS', `${option} is ${text}, from 10ms to 365d is possible`, {
    hint: 'Write a duration between them, such as 1s.',
    facts: { option, text },
  });
}
