/** User code is called through here: what it throws is named by operator, key, record and position. */
import type { ElementPlace } from '../model/dead-letter.ts';
import type { TimerDomain } from '../model/state-row.ts';
import type { TimerElement } from '../state/key-entry.ts';
import { UserCodeError } from './errors.ts';
import type { LiveShard } from './live-shard.ts';

/** Runs user code that is not about one record. */
export function runUserCode(shard: LiveShard, code: () => void): void {
  try {
    code();
  } catch (error) {
    throw userError(shard, error, undefined);
  }
}

/** `index`: of the record, in the envelope or read that is in hand; absent where it is about none. */
export function userError(shard: LiveShard, error: unknown, record: unknown, index?: number): UserCodeError {
  const { place } = shard;
  const at = place === null || place.kind === 'timer' || index === undefined ? null : { ...place, index };
  return newError(shard, error, { record }, at, at ?? place);
}

export function timerError(
  shard: LiveShard,
  error: unknown,
  timer: Omit<Extract<ElementPlace, { readonly kind: 'timer' }>, 'kind'>,
): UserCodeError {
  const at: ElementPlace = { kind: 'timer', ...timer };
  return newError(shard, error, { record: undefined, timer: `${timer.domain} ${timer.timestamp}` }, at, shard.place);
}

/** `where`: what was in hand; a timer fires because of it. */
function newError(
  shard: LiveShard,
  error: unknown,
  facts: Readonly<Record<string, unknown>>,
  place: ElementPlace | null,
  where: ElementPlace | null,
): UserCodeError {
  return new UserCodeError(
    shard.chain.active,
    error,
    { key: shard.backend?.current?.canonical, ...facts, ...positionOf(where, where === place) },
    place,
  );
}

function positionOf(place: ElementPlace | null, isExact: boolean): Readonly<Record<string, unknown>> {
  if (place === null || place.kind === 'timer') return {};
  const { kind: _kind, index, ...position } = place;
  return isExact ? { ...position, index } : position;
}

/** What names it in every try. */
export function timerOf(
  domain: TimerDomain,
  { timestamp, namespace, entry }: TimerElement,
): { readonly domain: TimerDomain; readonly timestamp: number; readonly namespace: string; readonly key: string } {
  return { domain, timestamp, namespace, key: entry.canonical };
}
