import type { DeadLetter } from '../../model/dead-letter.ts';
import { encodeValue } from '../../model/value-json.ts';

type View = Readonly<Record<string, unknown>>;

/** `/jobs/:jobid/dead-letters`, which Flink has not: the last `max` of them. */
export function deadLettersView(letters: readonly DeadLetter[], max: number): View {
  const shown = letters.slice(Math.max(0, letters.length - max));
  return { total: letters.length, truncated: shown.length < letters.length, 'dead-letters': shown.map(letterView) };
}

/** A record that plain JSON cannot hold is written as in savepoints. */
function letterView(letter: DeadLetter): unknown {
  return JSON.parse(encodeValue(letter));
}
