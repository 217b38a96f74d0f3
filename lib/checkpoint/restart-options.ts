/** Restart strategies as they are given: text by Flink's names. */
import { durationMsOf } from '../base/duration-text.ts';
import { SluiceError } from '../base/errors.ts';
import type { ConfigurationKey, JobConfiguration } from '../model/job-configuration.ts';
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
  const chosen: Record<string, unknown> = { ...restartDefaults[type ?? 'none'] };
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
