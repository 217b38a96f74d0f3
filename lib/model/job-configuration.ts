/** Options of a job by Flink's names. They stand beside the plan, never in it: another value needs no other plan hash. */
export type ConfigurationKey =
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

/** Durations as text, such as `10 s`. */
export type JobConfiguration = { readonly [Key in ConfigurationKey]?: string | number };
