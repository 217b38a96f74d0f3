import { readConfiguration } from '../checkpoint/read-configuration.ts';
import { checkSettings, defaultCheckpointSettings, withOptions, type CheckpointSettings } from '../checkpoint/checkpoint-settings.ts';
import { SluiceError } from '../base/errors.ts';
import type { CompiledJob } from '../dsl/compile-job.ts';
import type { CheckpointOptions, JobCheckpointing } from '../model/checkpoint-options.ts';
import { parseDuration } from './durations.ts';
import type { JobConfiguration } from '../model/job-configuration.ts';
import type { JobOptions } from './load-job.ts';

/** What commander hands to `run` and `restore`. */
export interface RunOptions extends JobOptions {
  readonly dataDir?: string;
  readonly fromSavepoint?: string;
  readonly allowNonRestoredState: boolean;
  readonly checkpointInterval?: string;
  readonly checkpointMode?: CheckpointSettings['mode'];
  readonly checkpointTimeout?: string;
  readonly checkpointMinPause?: string;
  readonly maxConcurrentCheckpoints?: number;
  readonly tolerableFailedCheckpoints?: number;
  readonly numRetained?: number;
  readonly externalizedCheckpointRetention?: NonNullable<CheckpointOptions['externalizedCheckpointRetention']>;
  readonly unalignedCheckpoints?: boolean;
  readonly alignedCheckpointTimeout?: string;
  /** By Flink's names. */
  readonly define: JobConfiguration;
  readonly savepointDir?: string;
  readonly port: number;
  readonly json: boolean;
  readonly verbose: boolean;
}

/** What the job says of itself, as far as it is known. */
type OfJob = Partial<Pick<CompiledJob, 'configuration' | 'checkpointing'>>;

/**
 * Each over the ones before it: the defaults, the job's `configuration`, what it says in code, `-D`, and the command line's own options. Of restart
 * strategies only what is wrong is said.
 *
 * @throws SluiceError `SLUICE-CONFIGURATION-INVALID`, `SLUICE-USAGE` or `SLUICE-CHECKPOINT-OPTIONS`
 */
export function checkpointSettings(options: RunOptions, { configuration = {}, checkpointing = {} }: OfJob): CheckpointSettings {
  const { ofJob, ofCommandLine } = readConfiguration(configuration, options.define).checkpointing;
  return checkSettings([ofJob, checkpointing, ofCommandLine, given(options)].reduce(withOptions, defaultCheckpointSettings));
}

/** Says what is wrong with them whatever the job says, before it is looked at. @throws SluiceError `SLUICE-USAGE` or `SLUICE-CHECKPOINT-OPTIONS` */
export function checkOwnOptions(options: RunOptions): void {
  checkSettings(withOptions(defaultCheckpointSettings, given(options)));
}

function given(options: RunOptions): JobCheckpointing {
  return {
    ...optional('intervalMs', duration('--checkpoint-interval', options.checkpointInterval, 10)),
    ...optional('mode', options.checkpointMode),
    ...optional('timeoutMs', duration('--checkpoint-timeout', options.checkpointTimeout, 10)),
    ...optional('minPauseMs', duration('--checkpoint-min-pause', options.checkpointMinPause, 0)),
    ...optional('maxConcurrentCheckpoints', options.maxConcurrentCheckpoints),
    ...optional('tolerableFailedCheckpoints', options.tolerableFailedCheckpoints),
    ...optional('numRetained', options.numRetained),
    ...optional('externalizedCheckpointRetention', options.externalizedCheckpointRetention),
    ...optional('unaligned', options.unalignedCheckpoints),
    ...optional('alignedCheckpointTimeoutMs', duration('--aligned-checkpoint-timeout', options.alignedCheckpointTimeout, 0)),
  };
}

function optional<Name extends keyof JobCheckpointing>(name: Name, value: JobCheckpointing[Name]): Pick<JobCheckpointing, Name> | object {
  return value === undefined ? {} : { [name]: value };
}

/** Within the bounds of the settings, which know nothing of the options' names. */
function duration(option: string, text: string | undefined, leastMs: number): number | undefined {
  if (text === undefined) return undefined;
  const durationMs = parseDuration(option, text);
  if (durationMs >= leastMs && durationMs <= 365 * 86_400_000) return durationMs;
  throw new SluiceError('SLUICE-CHECKPOINT-OPTIONS', `${option} is ${text}, from ${leastMs}ms to 365d is possible`, {
    hint: 'Write a duration between them, such as 1s.',
    facts: { option, text },
  });
}
