/**
 * Elements that an operator's code fails at, where the operator sets such ones aside. Nothing is rolled back in place: the batch is thrown away and run again
 * without the element, whose dead letter is part of the same commit.
 *
 * DP1. Only the head of a chain sets elements aside: what it fails at is an element of the shard's input, found again in every try.
 * DP2. A dead letter closes its commit, with the rest of the batch as unfinished work: so the work that is done again for the next one begins behind it,
 *      and many of them cost as much work again, not its square.
 * DP3. What fails before anything has changed (a key selector, what a source makes of a value) is set aside on the spot.
 */
import { deadLetterOutput, type DeadLetter } from '../model/dead-letter.ts';
import { NO_TIMESTAMP } from '../model/time.ts';
import type { UserCodeError } from './errors.ts';
import type { LiveShard } from './live-shard.ts';
import { poisonOf, type Poison } from './poison.ts';

interface Element {
  readonly input: number;
  /** Absent for a timer. */
  readonly record?: unknown;
  readonly timestamp: number;
}

/** In the re-run, in place of processing the element. */
export function setAside(shard: LiveShard, { place, key, failure }: Poison, element: Element): void {
  writeLetter(shard, { ...failure, place, key }, element);
  shard.mustCommit = true;
}

/** DP3. @throws `error` where it is not to be set aside */
export function setAsideAtOnce(shard: LiveShard, error: UserCodeError, element: Element, nowMs: number): void {
  const poison = poisonOf(error, shard.topology, nowMs);
  if (poison === undefined) throw error;
  writeLetter(shard, { ...poison.failure, place: poison.place, key: null }, element);
}

function writeLetter(
  shard: LiveShard,
  facts: Omit<DeadLetter, 'operator' | 'shard' | 'input' | 'timestamp' | 'record'>,
  element: Element,
): void {
  const { vertex, address } = shard.topology;
  const { uid } = vertex.operators[0]!;
  const { timestamp, ...rest } = element;
  const letter: DeadLetter = {
    operator: uid,
    shard: address.shard,
    ...facts,
    ...rest,
    timestamp: timestamp === NO_TIMESTAMP ? null : timestamp,
  };
  shard.changed = true;
  shard.deadLetters++;
  shard.chain.sideOutput(uid, deadLetterOutput).emit(letter, NO_TIMESTAMP);
}
