/**
 * Restart strategies with Flink's names and defaults: how often, and after which pause, what failed is tried again before the job has failed.
 * What is tried again is the shard's batch; nothing rolls the job back.
 */
export type RestartStrategy = NoRestart | FixedDelay | FailureRate | ExponentialDelay;

interface NoRestart {
  readonly type: 'none';
}

interface FixedDelay {
  readonly type: 'fixed-delay';
  readonly attempts: number;
  readonly delayMs: number;
}

interface FailureRate {
  readonly type: 'failure-rate';
  readonly maxFailuresPerInterval: number;
  readonly intervalMs: number;
  readonly delayMs: number;
}

export interface ExponentialDelay {
  readonly type: 'exponential-delay';
  readonly initialBackoffMs: number;
  readonly maxBackoffMs: number;
  readonly backoffMultiplier: number;
  /** After so long without a failure it begins anew. */
  readonly resetBackoffThresholdMs: number;
  /** Share of the pause by which it varies. */
  readonly jitterFactor: number;
  /** null = as often as it takes. */
  readonly attemptsBeforeResetBackoff: number | null;
}

/** Of each kind. */
export const restartDefaults: { readonly [Type in RestartStrategy['type']]: Extract<RestartStrategy, { readonly type: Type }> } = {
  none: { type: 'none' },
  'fixed-delay': { type: 'fixed-delay', attempts: 1, delayMs: 1_000 },
  'failure-rate': { type: 'failure-rate', maxFailuresPerInterval: 1, intervalMs: 60_000, delayMs: 1_000 },
  'exponential-delay': {
    type: 'exponential-delay',
    initialBackoffMs: 1_000,
    maxBackoffMs: 60_000,
    backoffMultiplier: 1.5,
    resetBackoffThresholdMs: 3_600_000,
    jitterFactor: 0.1,
    attemptsBeforeResetBackoff: null,
  },
};

/** Flink's where checkpoints are on, and here they always are. */
export const defaultRestartStrategy: RestartStrategy = restartDefaults['exponential-delay'];

/** For people, as Flink's `restart-strategy` of a job's configuration. */
export function restartStrategyText(strategy: RestartStrategy): string {
  switch (strategy.type) {
    case 'none':
      return 'none: the first failure fails the job';
    case 'fixed-delay':
      return `fixed-delay: ${strategy.attempts} attempts, ${strategy.delayMs} ms apart`;
    case 'failure-rate':
      return `failure-rate: ${strategy.maxFailuresPerInterval} failures in ${strategy.intervalMs} ms, a pause of ${strategy.delayMs} ms`;
    case 'exponential-delay': {
      const { initialBackoffMs, maxBackoffMs, backoffMultiplier, attemptsBeforeResetBackoff } = strategy;
      const often = attemptsBeforeResetBackoff === null ? 'as often as it takes' : `${attemptsBeforeResetBackoff} attempts`;
      return `exponential-delay: ${often}, from ${initialBackoffMs} ms by ${backoffMultiplier} up to ${maxBackoffMs} ms`;
    }
  }
}
