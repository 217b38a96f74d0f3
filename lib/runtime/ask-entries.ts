/**
 * Maps that are loaded by entry: what the elements of a batch will read is asked of the function first, and then loaded for all of them together.
 * Only called where the operator has such maps.
 */
import type { DueTimer } from '../state/keyed-timers.ts';
import type { KeyEntry } from '../state/key-entry.ts';
import { loadWanted } from '../state/load-wanted.ts';
import type { WantedEntries } from '../state/entry-maps.ts';
import type { LiveShard } from './live-shard.ts';
import { timerError, timerOf, userError } from './user-code.ts';

/** Of the records `values[from]` on, whose keys are `entries`. */
export async function askForRecords(
  shard: LiveShard,
  input: number,
  values: readonly unknown[],
  from: number,
  entries: readonly KeyEntry[],
): Promise<readonly WantedEntries[]> {
  const backend = shard.backend!;
  const operator = shard.chain.head();
  const wanted: WantedEntries[] = [];
  for (const [i, entry] of entries.entries()) {
    backend.current = entry;
    try {
      wanted.push(backend.entryMaps.wanted(operator.entriesOf?.(input, values[from + i], entry.key)));
    } catch (error) {
      throw userError(shard, error, values[from + i], from + i);
    }
  }
  await loadWanted(backend, entries, wanted);
  return wanted;
}

export async function askForTimers(shard: LiveShard, due: readonly DueTimer[]): Promise<readonly WantedEntries[]> {
  const backend = shard.backend!;
  const operator = shard.chain.head();
  const wanted = due.map(({ domain, element }) => {
    backend.current = element.entry;
    try {
      return backend.entryMaps.wanted(operator.entriesOfTimer?.(domain, element.timestamp, element.entry.key));
    } catch (error) {
      throw timerError(shard, error, timerOf(domain, element));
    }
  });
  await loadWanted(
    backend,
    due.map(({ element }) => element.entry),
    wanted,
  );
  return wanted;
}
