/** Options of a job by Flink's names. They stand beside the plan, never in it: another value needs no other plan hash. */
export type ConfigurationKey = RestartKey | CheckpointKey | OldCheckpointKey;

export type RestartKey =
  | 'restart-strategy.type'
  | 'restart-strategy.fixed-delay.attempts'
  | 'restart-strategy.fixed-delay.delay'
  | 'restart-strategy.failure-rate.max-failures-per-interval'
  | 'restart-strategy.failure-rate.failure-rate-interval'
  | 'restart-strategy.failure-rate.delay'
  | 'restart-strategy.exponential-delay.initial-backoff'
  | 'restart-strategy.exponential-delay.max-backoff'
  | 'restart-strategy.exponential-delay.backoff-multiplier'
  | 'restart-strategy.exponential-delay.reset-backoff-threshold'
  | 'restart-strategy.exponential-delay.jitter-factor'
  | 'restart-strategy.exponential-delay.attempts-before-reset-backoff';

export type CheckpointKey =
  | 'execution.checkpointing.interval'
  | 'execution.checkpointing.mode'
  | 'execution.checkpointing.timeout'
  | 'execution.checkpointing.min-pause'
  | 'execution.checkpointing.max-concurrent-checkpoints'
  | 'execution.checkpointing.tolerable-failed-checkpoints'
  | 'execution.checkpointing.externalized-checkpoint-retention'
  | 'execution.checkpointing.unaligned.enabled'
  | 'execution.checkpointing.aligned-checkpoint-timeout'
  | 'execution.checkpointing.num-retained';

/** As Flink 1.x spells them, and 2.x still reads them. */
export type OldCheckpointKey =
  'execution.checkpointing.unaligned' | 'execution.checkpointing.alignment-timeout' | 'state.checkpoints.num-retained';

type FlagKey = 'execution.checkpointing.unaligned.enabled' | 'execution.checkpointing.unaligned';

/** Durations as text, such as `10 s`, or a number of milliseconds. */
export type JobConfiguration = { readonly [Key in ConfigurationKey]?: Key extends FlagKey ? string | boolean : string | number };
