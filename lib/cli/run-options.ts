import { checkSettings, defaultCheckpointSettings, type CheckpointSettings } from '../checkpoint/checkpoint-settings.ts';
import { parseDuration } from './durations.ts';
import type { JobOptions } from './load-job.ts';

/** What commander hands to `run` and `restore`. */
export interface RunOptions extends JobOptions {
  readonly dataDir?: string;
  readonly fromSavepoint?: string;
  readonly allowNonRestoredState: boolean;
  readonly checkpointInterval: string;
  readonly checkpointMode: CheckpointSettings['mode'];
  readonly checkpointTimeout: string;
  readonly savepointDir?: string;
  readonly port: number;
  readonly json: boolean;
  readonly verbose: boolean;
}

/** @throws SluiceError `SLUICE-USAGE` or `SLUICE-CHECKPOINT-OPTIONS` */
export function checkpointSettings({ checkpointInterval, checkpointMode, checkpointTimeout }: RunOptions): CheckpointSettings {
  return checkSettings({
    ...defaultCheckpointSettings,
    intervalMs: parseDuration('--checkpoint-interval', checkpointInterval),
    timeoutMs: parseDuration('--checkpoint-timeout', checkpointTimeout),
    mode: checkpointMode,
  });
}
