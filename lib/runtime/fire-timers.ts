/**
 * Due timers, in order of time, key and namespace, over all keys of the shard.
 *
 * FT1. Timers up to the watermark fire before the watermark goes on; what a firing registers at or below the watermark fires as well.
 * FT2. At most `timersPerCommitMax` timers fire in one commit; the rest is unfinished work that the record shows.
 */
import { limits } from '../base/limits.ts';
import type { TimerDomain } from '../model/state-row.ts';
import { NO_TIMESTAMP } from '../model/time.ts';
import type { WantedEntries } from '../state/entry-maps.ts';
import type { DueTimer } from '../state/keyed-timers.ts';
import { askForTimers } from './ask-entries.ts';
import type { LiveShard } from './live-shard.ts';
import { setAside } from './dead-letters.ts';
import { poisonedTimer } from './poison.ts';
import { runUserCode, timerError, timerOf } from './user-code.ts';

/** Fires what is due, up to the bound of one commit, and sends the watermark on when nothing is left. */
export async function fireDue(shard: LiveShard): Promise<void> {
  const { backend } = shard;
  let left: number = limits.timersPerCommitMax;
  if (backend !== null) {
    left = await fireDomain(shard, 'processing', shard.processingTimeMs, left);
    left = await fireDomain(shard, 'event', shard.watermark, left);
    if (left === 0 && shard.dueTimers() !== null) return;
  }
  runUserCode(shard, () => shard.chain.watermark(shard.watermark));
  shard.outputs.advance(shard.watermark);
}

async function fireDomain(shard: LiveShard, domain: TimerDomain, upTo: number, countMax: number): Promise<number> {
  const backend = shard.backend!;
  let left = countMax;
  while (left > 0) {
    const safe = backend.timers.safeUpTo(domain, upTo);
    const due = backend.timers.takeDue(domain, safe, Math.min(left, timersTakenMax));
    if (due.length === 0) {
      if (safe === upTo) return left;
      await backend.timers.readAhead(domain);
      continue;
    }
    const missing = due.map(({ element }) => element.entry).filter((entry) => !entry.full);
    if (missing.length > 0) await backend.load(missing);
    left -= fire(shard, due, backend.entryMaps.isUsed ? await askForTimers(shard, due) : null);
    // A dead letter closes its commit; what is due is fired in the next one.
    if (shard.mustCommit) return 0;
  }
  return 0;
}

/** Timers whose keys are loaded together. */
const timersTakenMax = 256;

/** Fires taken timers in order; stops where one that was registered meanwhile comes first. */
function fire(shard: LiveShard, due: readonly DueTimer[], wanted: readonly WantedEntries[] | null): number {
  const backend = shard.backend!;
  const operator = shard.chain.head();
  shard.changed = true;
  for (let i = 0; i < due.length; i++) {
    const timer = due[i]!;
    if (i > 0 && backend.timers.hasEarlier(timer)) {
      backend.timers.putBack(due.slice(i));
      return i;
    }
    backend.current = timer.element.entry;
    if (!backend.timers.claim(timer)) continue;
    const poison = shard.poison.length === 0 ? undefined : poisonedTimer(shard, timerOf(timer.domain, timer.element));
    if (poison !== undefined) {
      setAside(shard, poison, { input: 0, timestamp: NO_TIMESTAMP });
      backend.timers.putBack(due.slice(i + 1));
      return i + 1;
    }
    if (wanted !== null) backend.entryMaps.begin(timer.element.entry, wanted[i]!);
    try {
      operator.onTimer?.(timer.domain, timer.element.timestamp, timer.element.namespace);
    } catch (error) {
      throw timerError(shard, error, timerOf(timer.domain, timer.element));
    }
  }
  return due.length;
}
