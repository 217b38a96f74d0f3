/**
 * Restart strategies with Flink's names and defaults: how often, and after which pause, what failed is tried again before the job has failed.
 * What is tried again is the shard's batch; nothing rolls the job back.
 */
import { durationMsOf } from '../base/duration-text.ts';
import { SluiceError } from '../base/errors.ts';
import type { ConfigurationKey, JobConfiguration } from '../model/job-configuration.ts';
import { shapes, type Shape } from './shape.ts';

export type RestartStrategy = NoRestart | FixedDelay | FailureRate | ExponentialDelay;

interface NoRestart {
  readonly type: 'none';
}

interface FixedDelay {
  readonly type: 'fixed-delay';
  readonly attempts: number;
  readonly delayMs: number;
}

export interface FailureRate {
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

const defaults: { readonly [Type in RestartStrategy['type']]: Extract<RestartStrategy, { readonly type: Type }> } = {
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
export const defaultRestartStrategy: RestartStrategy = defaults['exponential-delay'];

/** Flink's other spellings. */
const types: Readonly<Record<string, RestartStrategy['type']>> = {
  none: 'none',
  off: 'none',
  disable: 'none',
  'fixed-delay': 'fixed-delay',
  fixeddelay: 'fixed-delay',
  'failure-rate': 'failure-rate',
  failurerate: 'failure-rate',
  'exponential-delay': 'exponential-delay',
  exponentialdelay: 'exponential-delay',
};

/** What a value's text may be; a text in its place says what is wanted. */
type Reader = (text: string) => number | null | string;

const count =
  (max: number): Reader =>
  (text) =>
    /^\d{1,15}$/.test(text) && Number(text) >= 1 && Number(text) <= max ? Number(text) : `a whole number from 1 to ${max}`;
/** A message can be kept from being received for 12 hours at most. */
const pauseMsMax = 6 * 3_600_000;
const spanMsMax = 365 * 86_400_000;
const duration =
  (minMs: number, maxMs: number): Reader =>
  (text) => {
    // Flink: a number alone is milliseconds.
    const durationMs = /^\d+$/.test(text) ? Number(text) : durationMsOf(text);
    const isUsable = durationMs !== undefined && durationMs >= minMs && durationMs <= maxMs;
    return isUsable ? durationMs : `a duration from ${minMs} ms to ${maxMs / 3_600_000} h, such as 10s`;
  };
const factor =
  (min: number, max: number): Reader =>
  (text) =>
    /^\d+(\.\d+)?$/.test(text) && Number(text) >= min && Number(text) <= max ? Number(text) : `a number from ${min} to ${max}`;
/** 0 would be no strategy at all. */
const attempts: Reader = (text) => (text === 'infinite' || text === '2147483647' ? null : count(1_000_000_000)(text));
/** All of an interval's failures stand in the job record. */
const failuresMax = 50;

type DetailKey = Exclude<ConfigurationKey, 'restart-strategy.type'>;

const details: Readonly<Record<DetailKey, readonly [type: RestartStrategy['type'], field: string, read: Reader]>> = {
  'restart-strategy.fixed-delay.attempts': ['fixed-delay', 'attempts', count(1_000_000_000)],
  'restart-strategy.fixed-delay.delay': ['fixed-delay', 'delayMs', duration(0, pauseMsMax)],
  'restart-strategy.failure-rate.max-failures-per-interval': ['failure-rate', 'maxFailuresPerInterval', count(failuresMax)],
  'restart-strategy.failure-rate.failure-rate-interval': ['failure-rate', 'intervalMs', duration(1, spanMsMax)],
  'restart-strategy.failure-rate.delay': ['failure-rate', 'delayMs', duration(0, pauseMsMax)],
  'restart-strategy.exponential-delay.initial-backoff': ['exponential-delay', 'initialBackoffMs', duration(1, pauseMsMax)],
  'restart-strategy.exponential-delay.max-backoff': ['exponential-delay', 'maxBackoffMs', duration(1, pauseMsMax)],
  'restart-strategy.exponential-delay.backoff-multiplier': ['exponential-delay', 'backoffMultiplier', factor(1, 1_000)],
  'restart-strategy.exponential-delay.reset-backoff-threshold': ['exponential-delay', 'resetBackoffThresholdMs', duration(1, spanMsMax)],
  'restart-strategy.exponential-delay.jitter-factor': ['exponential-delay', 'jitterFactor', factor(0, 1)],
  'restart-strategy.exponential-delay.attempts-before-reset-backoff': ['exponential-delay', 'attemptsBeforeResetBackoff', attempts],
};

/**
 * Options of strategies that are not chosen are checked, and have no effect: so the choice can be changed by itself.
 *
 * @throws SluiceError `SLUICE-CONFIGURATION-INVALID` naming every fault at once
 */
export function restartStrategyOf(configuration: JobConfiguration): RestartStrategy {
  const faults: string[] = [];
  const given = (configuration['restart-strategy.type'] ?? 'exponential-delay').toString();
  const type = types[given.toLowerCase()];
  if (type === undefined)
    faults.push(`restart-strategy.type is ${given}; none, fixed-delay, failure-rate and exponential-delay are possible`);
  const chosen: Record<string, unknown> = { ...defaults[type ?? 'none'] };
  for (const [key, value] of Object.entries(configuration)) {
    if (key === 'restart-strategy.type' || value === undefined) continue;
    const detail = Object.hasOwn(details, key) ? details[key as DetailKey] : undefined;
    const read = detail?.[2](value.toString().trim());
    if (detail === undefined) faults.push(`there is no option ${key}`);
    else if (typeof read === 'string') faults.push(`${key} is ${value}, ${read} is wanted`);
    else if (detail[0] === type) chosen[detail[1]] = read;
  }
  if (Number(chosen['initialBackoffMs'] ?? 0) > Number(chosen['maxBackoffMs'] ?? 0))
    faults.push('restart-strategy.exponential-delay.initial-backoff is above max-backoff');
  if (faults.length === 0) return chosen as unknown as RestartStrategy;
  throw new SluiceError('SLUICE-CONFIGURATION-INVALID', `the job's configuration is not usable: ${faults.join('; ')}`, {
    hint: 'Correct the options named above; `sluice run --help` and docs/cli.md show how they are given.',
    facts: { faults },
  });
}

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

const shapesByType = {
  none: shapes.object<NoRestart>({ type: shapes.oneOf('none') }),
  'fixed-delay': shapes.object<FixedDelay>({ type: shapes.oneOf('fixed-delay'), attempts: shapes.integer, delayMs: shapes.integer }),
  'failure-rate': shapes.object<FailureRate>({
    type: shapes.oneOf('failure-rate'),
    maxFailuresPerInterval: shapes.integer,
    intervalMs: shapes.integer,
    delayMs: shapes.integer,
  }),
  'exponential-delay': shapes.object<ExponentialDelay>({
    type: shapes.oneOf('exponential-delay'),
    initialBackoffMs: shapes.integer,
    maxBackoffMs: shapes.integer,
    backoffMultiplier: shapes.number,
    resetBackoffThresholdMs: shapes.integer,
    jitterFactor: shapes.number,
    attemptsBeforeResetBackoff: shapes.nullable(shapes.integer),
  }),
};

/** As it stands in the plan object. */
export const restartStrategyShape: Shape<RestartStrategy> = (value, path, faults) => {
  const type = String((value as { readonly type?: unknown } | null)?.type);
  const shape = Object.hasOwn(shapesByType, type) ? shapesByType[type as RestartStrategy['type']] : shapesByType.none;
  return shape(value, path, faults);
};
