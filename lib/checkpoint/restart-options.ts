/** Restart strategies as they are given: text by Flink's names. */
import type { JobConfiguration, RestartKey } from '../model/job-configuration.ts';
import { count, duration, factor, type Reader } from './option-readers.ts';
import { restartDefaults, type RestartStrategy } from './restart-strategy.ts';

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

/** A message can be kept from being received for 12 hours at most. */
const pauseMsMax = 6 * 3_600_000;
const spanMsMax = 365 * 86_400_000;
/** 0 would be no strategy at all. */
const attempts: Reader = (text) => (text === 'infinite' || text === '2147483647' ? { value: null } : count(1, 1_000_000_000)(text));
/** All of an interval's failures stand in the job record. */
const failuresMax = 50;

type DetailKey = Exclude<RestartKey, 'restart-strategy.type'>;

const details: Readonly<Record<DetailKey, readonly [type: RestartStrategy['type'], field: string, read: Reader]>> = {
  'restart-strategy.fixed-delay.attempts': ['fixed-delay', 'attempts', count(1, 1_000_000_000)],
  'restart-strategy.fixed-delay.delay': ['fixed-delay', 'delayMs', duration(0, pauseMsMax)],
  'restart-strategy.failure-rate.max-failures-per-interval': ['failure-rate', 'maxFailuresPerInterval', count(1, failuresMax)],
  'restart-strategy.failure-rate.failure-rate-interval': ['failure-rate', 'intervalMs', duration(1, spanMsMax)],
  'restart-strategy.failure-rate.delay': ['failure-rate', 'delayMs', duration(0, pauseMsMax)],
  'restart-strategy.exponential-delay.initial-backoff': ['exponential-delay', 'initialBackoffMs', duration(1, pauseMsMax)],
  'restart-strategy.exponential-delay.max-backoff': ['exponential-delay', 'maxBackoffMs', duration(1, pauseMsMax)],
  'restart-strategy.exponential-delay.backoff-multiplier': ['exponential-delay', 'backoffMultiplier', factor(1, 1_000)],
  'restart-strategy.exponential-delay.reset-backoff-threshold': ['exponential-delay', 'resetBackoffThresholdMs', duration(1, spanMsMax)],
  'restart-strategy.exponential-delay.jitter-factor': ['exponential-delay', 'jitterFactor', factor(0, 1)],
  'restart-strategy.exponential-delay.attempts-before-reset-backoff': ['exponential-delay', 'attemptsBeforeResetBackoff', attempts],
};

export const restartKeys: readonly string[] = ['restart-strategy.type', ...Object.keys(details)];

export interface RestartRead {
  readonly strategy: RestartStrategy;
  readonly faults: readonly string[];
}

/** Options of strategies that are not chosen are checked, and have no effect: so the choice can be changed by itself. Leaves all other keys alone. */
export function readRestart(configuration: JobConfiguration): RestartRead {
  const faults: string[] = [];
  const given = String(configuration['restart-strategy.type'] ?? 'exponential-delay').trim();
  const type = Object.hasOwn(types, given.toLowerCase()) ? types[given.toLowerCase()] : undefined;
  if (type === undefined)
    faults.push(`restart-strategy.type is ${given}; none, fixed-delay, failure-rate and exponential-delay are possible`);
  const chosen: Record<string, unknown> = { ...restartDefaults[type ?? 'none'] };
  for (const [key, value] of Object.entries(configuration)) {
    if (!Object.hasOwn(details, key)) continue;
    const [ofType, field, reader] = details[key as DetailKey];
    const read = reader(String(value).trim());
    if ('wanted' in read) faults.push(`${key} is ${value}, ${read.wanted} is wanted`);
    else if (ofType === type) chosen[field] = read.value;
  }
  if (Number(chosen['initialBackoffMs'] ?? 0) > Number(chosen['maxBackoffMs'] ?? 0))
    faults.push('restart-strategy.exponential-delay.initial-backoff is above max-backoff');
  return { strategy: chosen as unknown as RestartStrategy, faults };
}
