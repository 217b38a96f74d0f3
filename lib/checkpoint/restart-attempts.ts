/**
 * What one more failure means: another attempt after a pause, or the end of the job. Facts in, decision out; the state stands in the job record.
 *
 * RA1. A failure that happened before the present attempt's retry was due belongs to that attempt: it is the second report of the same failure, or
 *      another shard that met the same cause meanwhile. So reports may come twice, and a job of many shards has no more attempts than one of few.
 * RA2. The state is bounded: only the failure rate looks back further than one failure, and only as far as it counts.
 */
import type { Attempt } from '../base/ids.ts';
import type { JobRecord, RestartState } from '../model/job-record.ts';
import type { ExponentialDelay, RestartStrategy } from './restart-strategy.ts';
import { change, refused, unchanged, type Transition } from './transition.ts';

type RestartDecision =
  | { readonly kind: 'again'; readonly state: RestartState; readonly delayMs: number }
  /** Part of the present attempt; `delayMs` is what is left of its pause. */
  | { readonly kind: 'same-attempt'; readonly delayMs: number }
  | { readonly kind: 'exhausted' };

/** `state` is undefined where nothing has failed yet. */
export function decideRestart(strategy: RestartStrategy, state: RestartState | undefined, failedAtMs: number): RestartDecision {
  const last = state?.failuresAtMs.at(-1);
  if (state !== undefined && last !== undefined && (failedAtMs <= last || failedAtMs < state.retryAtMs))
    return { kind: 'same-attempt', delayMs: Math.max(0, state.retryAtMs - failedAtMs) };
  const attempts = (state?.attempts ?? 0) + 1;
  const again = (delayMs: number, more: Partial<RestartState> = {}): RestartDecision => ({
    kind: 'again',
    delayMs,
    state: { attempts, backoffMs: 0, failuresAtMs: [failedAtMs], retryAtMs: failedAtMs + earliestMs(strategy, delayMs), ...more },
  });
  switch (strategy.type) {
    case 'none':
      return { kind: 'exhausted' };
    case 'fixed-delay':
      return attempts > strategy.attempts ? { kind: 'exhausted' } : again(strategy.delayMs);
    case 'failure-rate': {
      const recent = (state?.failuresAtMs ?? []).filter((atMs) => failedAtMs - atMs <= strategy.intervalMs);
      if (recent.length >= strategy.maxFailuresPerInterval) return { kind: 'exhausted' };
      return again(strategy.delayMs, { failuresAtMs: [...recent, failedAtMs] });
    }
    case 'exponential-delay':
      return exponential(strategy, state, attempts, failedAtMs, again);
  }
}

/** The shortest that the pause may turn out: by its jitter, and by timers and clocks that are not quite right. */
function earliestMs(strategy: RestartStrategy, delayMs: number): number {
  return Math.floor(delayMs * 0.9 * (strategy.type === 'exponential-delay' ? 1 - strategy.jitterFactor : 1));
}

function exponential(
  strategy: ExponentialDelay,
  state: RestartState | undefined,
  attempts: number,
  failedAtMs: number,
  again: (delayMs: number, more: Partial<RestartState>) => RestartDecision,
): RestartDecision {
  const { initialBackoffMs, maxBackoffMs, backoffMultiplier, resetBackoffThresholdMs, attemptsBeforeResetBackoff } = strategy;
  // The pause itself is no time in which all went well.
  const isCalm = state === undefined || state.backoffMs === 0 || failedAtMs - state.retryAtMs >= resetBackoffThresholdMs;
  const number = isCalm ? 1 : attempts;
  if (attemptsBeforeResetBackoff !== null && number > attemptsBeforeResetBackoff) return { kind: 'exhausted' };
  const backoffMs = isCalm ? initialBackoffMs : Math.min(maxBackoffMs, Math.round(state.backoffMs * backoffMultiplier));
  return again(backoffMs, { attempts: number, backoffMs });
}

/** A pause somewhat shorter or longer, so that what failed together does not come back together. `fraction` is drawn by the caller. */
export function jittered(strategy: RestartStrategy, delayMs: number, fraction: number): number {
  if (strategy.type !== 'exponential-delay') return delayMs;
  const spreadMs = delayMs * strategy.jitterFactor;
  return Math.min(strategy.maxBackoffMs, Math.round(delayMs - spreadMs + 2 * spreadMs * fraction));
}

/** One attempt more, where the strategy has one left. A clock that runs ahead must not keep later failures from being counted: nothing has failed later than it is told. */
export function noteRestart(
  record: JobRecord,
  { attempt, failedAtMs }: { readonly attempt: Attempt; readonly failedAtMs: number },
  strategy: RestartStrategy,
  nowMs: number,
): Transition<'superseded' | 'exhausted'> {
  if (record.attempt !== attempt) return refused('superseded');
  const decision = decideRestart(strategy, record.restarts, Math.min(failedAtMs, nowMs));
  if (decision.kind === 'exhausted') return refused('exhausted');
  return decision.kind === 'same-attempt' ? unchanged(record) : change(record, { restarts: decision.state }, nowMs);
}

/** Where nothing counts any more: after a correction, or a restore that somebody asked for. */
export const noRestarts: RestartState = { attempts: 0, backoffMs: 0, failuresAtMs: [], retryAtMs: 0 };

/** Whether something was tried again in that time: a checkpoint that expired meanwhile has not failed by itself. */
export function wasRestarting({ restarts }: JobRecord, sinceMs: number): boolean {
  return (restarts?.failuresAtMs.at(-1) ?? Number.NEGATIVE_INFINITY) >= sinceMs || (restarts?.retryAtMs ?? 0) > sinceMs;
}
