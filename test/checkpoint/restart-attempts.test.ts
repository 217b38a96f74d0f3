/** What the restart strategies decide: Flink's rules, as facts and decisions. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decideRestart, jittered, noRestarts, noteRestart } from '../../lib/checkpoint/restart-attempts.ts';
import { readConfiguration } from '../../lib/checkpoint/read-configuration.ts';
import { defaultRestartStrategy, type RestartStrategy } from '../../lib/checkpoint/restart-strategy.ts';
import { decodeStoredPlan, encodeStoredPlan } from '../../lib/checkpoint/stored-plan.ts';
import type { JobConfiguration } from '../../lib/model/job-configuration.ts';
import type { RestartState } from '../../lib/model/job-record.ts';
import { job, recordOf, settings } from './fixture.ts';
import { planOf } from './plans.ts';

/** Fails at these times, and says the pause after each, or that it was the end. */
function failAt(strategy: RestartStrategy, ...times: readonly number[]): (number | 'exhausted' | 'same')[] {
  let state: RestartState | undefined;
  return times.map((atMs) => {
    const decision = decideRestart(strategy, state, atMs);
    if (decision.kind === 'exhausted') return 'exhausted';
    if (decision.kind === 'same-attempt') return 'same';
    ({ state } = decision);
    return decision.delayMs;
  });
}

const strategy = (configuration: JobConfiguration): RestartStrategy => readConfiguration(configuration).restart;
const exponential = { 'restart-strategy.type': 'exponential-delay' } as const;

describe('none', () => {
  test.each(['none', 'off', 'disable'])('ends with the first failure (%s)', (type) => {
    expect(failAt(strategy({ 'restart-strategy.type': type }), 0)).toEqual(['exhausted']);
  });
});

describe('fixed delay', () => {
  test('allows so many attempts in all, however far apart', () => {
    const three = strategy({ 'restart-strategy.type': 'fixed-delay', 'restart-strategy.fixed-delay.attempts': 3 });
    expect(failAt(three, 0, 5_000, 1e9, 2e9)).toEqual([1_000, 1_000, 1_000, 'exhausted']);
  });

  test('allows one a second later where nothing else is said, as in Flink', () => {
    expect(failAt(strategy({ 'restart-strategy.type': 'fixed-delay' }), 0, 1_000)).toEqual([1_000, 'exhausted']);
  });
});

describe('failure rate', () => {
  const rate = strategy({
    'restart-strategy.type': 'failure-rate',
    'restart-strategy.failure-rate.max-failures-per-interval': 3,
    'restart-strategy.failure-rate.failure-rate-interval': '1 min',
    'restart-strategy.failure-rate.delay': '2 s',
  });

  test('ends with one more failure in the interval than is borne', () => {
    expect(failAt(rate, 0, 10_000, 20_000, 60_000)).toEqual([2_000, 2_000, 2_000, 'exhausted']);
  });

  test('forgets what lies further back', () => {
    expect(failAt(rate, 0, 10_000, 20_000, 60_001, 70_001, 80_001, 85_000)).toEqual([...Array<number>(6).fill(2_000), 'exhausted']);
  });
});

describe('exponential delay', () => {
  test('is the default, goes on as often as it takes, and waits longer each time up to a minute', () => {
    expect(strategy({})).toEqual(defaultRestartStrategy);
    const pauses = failAt(defaultRestartStrategy, ...Array.from({ length: 14 }, (_, i) => i * 70_000));
    expect(pauses.slice(0, 4)).toEqual([1_000, 1_500, 2_250, 3_375]);
    expect(pauses.slice(-2)).toEqual([60_000, 60_000]);
  });

  test('begins anew after a calm hour, which the pause is no part of', () => {
    const long = strategy({ ...exponential, 'restart-strategy.exponential-delay.initial-backoff': '30 s' });
    const hour = 3_600_000;
    expect(failAt(long, 0, 40_000, 40_000 + hour + 10_000)).toEqual([30_000, 45_000, 60_000]);
    expect(failAt(long, 0, 40_000, 40_000 + hour + 60_000)).toEqual([30_000, 45_000, 30_000]);
  });

  test('may be limited: the attempts count from the last calm time', () => {
    const two = strategy({ ...exponential, 'restart-strategy.exponential-delay.attempts-before-reset-backoff': 2 });
    expect(failAt(two, 0, 10_000, 20_000)).toEqual([1_000, 1_500, 'exhausted']);
    expect(failAt(two, 0, 10_000, 5_000_000, 5_010_000, 5_020_000)).toEqual([1_000, 1_500, 1_000, 1_500, 'exhausted']);
  });

  test('varies the pause by its jitter, to both sides, and never above the maximum', () => {
    expect([0, 0.5, 1].map((fraction) => jittered(defaultRestartStrategy, 1_000, fraction))).toEqual([900, 1_000, 1_100]);
    expect(jittered(defaultRestartStrategy, 60_000, 1)).toBe(60_000);
    expect(jittered(strategy({ 'restart-strategy.type': 'fixed-delay' }), 1_000, 1)).toBe(1_000);
  });
});

describe('one attempt', () => {
  test('covers what fails before its pause is over: the same report again, and other shards', () => {
    expect(failAt(defaultRestartStrategy, 1_000, 1_000, 1_400, 1_999)).toEqual([1_000, 'same', 'same', 1_500]);
  });

  test('is over when the pause has been as short as the jitter allows', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1, noNaN: true }), fc.integer({ min: 0, max: 1_000_000 }), (fraction, atMs) => {
        const first = decideRestart(defaultRestartStrategy, undefined, atMs);
        if (first.kind !== 'again') throw new Error(first.kind);
        const retriedAt = atMs + jittered(defaultRestartStrategy, first.delayMs, fraction);
        expect(decideRestart(defaultRestartStrategy, first.state, retriedAt).kind).toBe('again');
      }),
    );
  });

  test('is told to another shard by what is left of its pause', () => {
    const { state } = decideRestart(strategy({ 'restart-strategy.type': 'fixed-delay' }), undefined, 0) as { state: RestartState };
    expect(decideRestart(strategy({ 'restart-strategy.type': 'fixed-delay' }), state, 400)).toEqual({ kind: 'same-attempt', delayMs: 500 });
  });
});

describe('in the job record', () => {
  test('a failure of another attempt, or a clock that runs ahead, does no harm', () => {
    const record = recordOf();
    expect(noteRestart(record, { attempt: 2, failedAtMs: 5 }, defaultRestartStrategy, 10)).toMatchObject({ reason: 'superseded' });
    const noted = noteRestart(record, { attempt: 1, failedAtMs: 1e15 }, defaultRestartStrategy, 2_000);
    expect(noted).toMatchObject({ outcome: 'changed', record: { restarts: { failuresAtMs: [2_000] } } });
  });

  test('the state is bounded, whatever the strategy and however often it fails', () => {
    const most = { 'restart-strategy.type': 'failure-rate', 'restart-strategy.failure-rate.max-failures-per-interval': 50 } as const;
    let record = recordOf({ restarts: noRestarts });
    for (let i = 1; i <= 1_000; i++) {
      const noted = noteRestart(record, { attempt: 1, failedAtMs: i * 2_000 + 1.7e12 }, strategy(most), 2e12);
      if (noted.outcome === 'changed') ({ record } = noted);
    }
    expect(record.restarts!.failuresAtMs.length).toBeLessThanOrEqual(50);
    expect(record.restarts!.attempts).toBe(1_000);
  });
});

describe('options', () => {
  test('are refused with every fault at once', () => {
    const faulty = {
      'restart-strategy.type': 'sometimes',
      'restart-strategy.fixed-delay.attempts': 0,
      'restart-strategy.fixed-delay.delay': 'soon',
      'restart-strategy.exponential-delay.jitter-factor': '2',
      'restart-strategy.exponential-delay.backof': 1,
    } as JobConfiguration;
    expect(() => strategy(faulty)).toThrow(
      expect.objectContaining({
        code: 'SLUICE-CONFIGURATION-INVALID',
        facts: { faults: expect.objectContaining({ length: 5 }) as unknown },
      }) as Error,
    );
    const upsideDown = { 'restart-strategy.exponential-delay.initial-backoff': '2 min' };
    expect(() => strategy(upsideDown)).toThrow('initial-backoff is above max-backoff');
  });

  test('of strategies that are not chosen have no effect', () => {
    expect(strategy({ 'restart-strategy.type': 'none', 'restart-strategy.fixed-delay.attempts': 7 })).toEqual({ type: 'none' });
  });

  test('stand beside the plan: the default leaves no trace, and any other comes back', () => {
    const stored = { plan: planOf(), settings };
    const bare = encodeStoredPlan(job, stored);
    expect(encodeStoredPlan(job, { ...stored, restart: defaultRestartStrategy })).toEqual(bare);
    const every = ['none', 'fixed-delay', 'failure-rate', 'exponential-delay'].map((type) =>
      strategy({ 'restart-strategy.type': type, 'restart-strategy.exponential-delay.jitter-factor': 0.25 }),
    );
    for (const restart of every) {
      const { key, bytes } = encodeStoredPlan(job, { ...stored, restart });
      expect(decodeStoredPlan(bytes, key)).toMatchObject({ restart });
    }
  });
});
