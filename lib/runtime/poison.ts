/** Which elements of a shard's input are not to be processed, because its operator has failed at them and sets such ones aside (rules in dead-letters.ts). */
import { SluiceError, errorMessage } from '../base/errors.ts';
import type { DeadLetter, ElementPlace } from '../model/dead-letter.ts';
import { UserCodeError } from './errors.ts';
import type { LiveShard } from './live-shard.ts';
import type { ShardTopology } from './topology.ts';

/** An element that is not to be processed again in this invocation, and why. */
export interface Poison {
  readonly place: ElementPlace;
  readonly key: string | null;
  readonly failure: Pick<DeadLetter, 'code' | 'message' | 'stack' | 'failedAtMs'>;
}

type PlaceOf<Kind extends ElementPlace['kind']> = Extract<ElementPlace, { readonly kind: Kind }>;

export function setsAside({ vertex }: ShardTopology): boolean {
  return vertex.operators[0]!.onError === 'dead-letter';
}

/** Undefined where it is no fault of one element, or the element may be processed the next time. */
export function poisonOf(error: unknown, topology: ShardTopology, nowMs: number): Poison | undefined {
  if (!(error instanceof UserCodeError) || error.place === null || !setsAside(topology)) return undefined;
  if (error.operator !== topology.vertex.operators[0]!.uid || !isElements(error.cause)) return undefined;
  return { place: error.place, key: (error.facts['key'] as string | undefined) ?? null, failure: failureOf(error.cause, nowMs) };
}

/** What may go through later, and what says that Sluice itself is at fault, is not the element's. */
function isElements(cause: unknown): boolean {
  return !(cause instanceof SluiceError) || (!cause.retryable && cause.code !== 'SLUICE-INVARIANT');
}

const stackCharactersMax = 4_000;

function failureOf(cause: unknown, failedAtMs: number): Poison['failure'] {
  return {
    code: cause instanceof SluiceError ? cause.code : 'SLUICE-USER-CODE',
    message: errorMessage(cause),
    stack: cause instanceof Error ? (cause.stack ?? '').slice(0, stackCharactersMax) : '',
    failedAtMs,
  };
}

/** The first of the records `from` … `to` of the envelope in hand that is not to be processed. */
export function poisonedRecord(shard: LiveShard, from: number, to: number): (Poison & { readonly place: PlaceOf<'record'> }) | undefined {
  const { place: here } = shard;
  if (shard.poison.length === 0 || here?.kind !== 'record') return undefined;
  let first: (Poison & { readonly place: PlaceOf<'record'> }) | undefined;
  for (const { place, ...more } of shard.poison) {
    if (place.kind !== 'record' || place.channel !== here.channel || place.sequence !== here.sequence) continue;
    if (place.index < from || place.index >= to || (first !== undefined && first.place.index <= place.index)) continue;
    first = { place, ...more };
  }
  return first;
}

export function poisonedTimer(shard: LiveShard, timer: Omit<PlaceOf<'timer'>, 'kind'>): Poison | undefined {
  return shard.poison.find(
    ({ place }) =>
      place.kind === 'timer' &&
      place.domain === timer.domain &&
      place.timestamp === timer.timestamp &&
      place.namespace === timer.namespace &&
      place.key === timer.key,
  );
}
