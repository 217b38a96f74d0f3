/**
 * Records that end the process, by its memory or its time: nobody comes back to say which it was. A batch that comes again and again without a word is worked off
 * with care: what is tried next is written down first, in the shard record, and in ever smaller parts.
 *
 * CR1. Nothing of it happens before a batch has come `triesBeforeCare` times, to a process that knows of no failure: what is written down costs a commit.
 * CR2. A record is taken for the cause when it was tried alone, as the first of its invocation's work or behind a commit, `triesAlone` times, and nobody came back.
 * CR3. Who fails and lives takes the note back, whatever it failed at: what throws is another matter (failed-batch.ts), and so is a store that is down.
 */
import { mutated } from '../base/mutated.ts';
import { SluiceError } from '../base/errors.ts';
import type { ElementPlace } from '../model/dead-letter.ts';
import type { Suspects } from '../model/shard-record.ts';
import type { LiveShard } from './live-shard.ts';
import type { Poison } from './poison.ts';

export const processEndedCode = 'SLUICE-PROCESS-ENDED';

/** How many records are tried together at first, and how few are tried one by one at once. */
const togetherMax = 64;
const fewRecords = 16;

export type CareStep =
  /** Up to there. */
  | { readonly kind: 'go'; readonly to: number }
  /** The note is to be committed first. */
  | { readonly kind: 'note' }
  | { readonly kind: 'guilty'; readonly tries: number; readonly place: Extract<ElementPlace, { readonly kind: 'record' }> };

/** For the records `from` … `to` of the envelope in hand. */
export function takeCare(shard: LiveShard, from: number, to: number): CareStep {
  const { place, suspects, care } = shard;
  if (from >= to) return { kind: 'go', to };
  if (care === null || place?.kind !== 'record' || (shard.replay !== null && mutated('replay-without-care'))) {
    shard.suspects = null;
    return { kind: 'go', to };
  }
  const { channel, sequence } = place;
  const isHere = suspects !== null && suspects.channel === channel && suspects.sequence === sequence && suspects.index === from;
  if (isHere && care.hasNoted) return { kind: 'go', to: Math.min(to, from + suspects.records) };
  if (isHere && suspects.records === 1 && suspects.tries >= care.triesAlone)
    return { kind: 'guilty', tries: suspects.tries, place: { ...place, index: from } };
  if (isHere && suspects.records > 1) care.alone += suspects.records;
  const isAlone = isHere || care.alone > 0 || to - from <= fewRecords;
  if (isAlone && care.alone > 0) care.alone--;
  const tries = isHere && suspects.records === 1 ? suspects.tries + 1 : 1;
  noteSuspects(shard, { channel, sequence, index: from, records: isAlone ? 1 : togetherMax, tries });
  care.hasNoted = true;
  return { kind: 'note' };
}

function noteSuspects(shard: LiveShard, suspects: Suspects): void {
  if (!mutated('suspects-unwritten')) shard.suspects = suspects;
  shard.mustCommit = true;
}

export function guilty(place: Poison['place'], tries: number, failedAtMs: number): Poison {
  const { code, message } = processEnded(tries);
  return { place, key: null, failure: { code, message, stack: '', failedAtMs } };
}

export function processEnded(tries: number): SluiceError {
  return new SluiceError(
    processEndedCode,
    `the process ended each of ${tries} times that this record was tried alone: its function takes more memory or time than it has`,
    { hint: 'Correct the function, or give it more memory or a longer timeout, and process the record again.' },
  );
}
