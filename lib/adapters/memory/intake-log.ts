/** An intake log in the memory of the process: for tests, and for programs that feed a local job. */
import type { IntakeEntry, IntakeLog, IntakePartition } from '../../ports/intake-log.ts';

interface Partition {
  /** Trimmed ones are gone, and their numbers are not given again. */
  readonly entries: IntakeEntry[];
  last: number;
  closed: boolean;
}

export function createMemoryIntakeLog(): IntakeLog {
  const partitions = new Map<string, Partition>();
  const at = ({ intake, partition }: IntakePartition): Partition => {
    const key = JSON.stringify([intake, partition]);
    let found = partitions.get(key);
    if (found === undefined) partitions.set(key, (found = { entries: [], last: 0, closed: false }));
    return found;
  };
  return {
    async append(partition, { takenAtMs, records, closes }) {
      const log = at(partition);
      if (log.closed) return 'closed';
      log.last++;
      log.closed = closes;
      log.entries.push({ number: log.last, takenAtMs, closes, records: records.map(({ id, text }) => ({ id, text })) });
      return { number: log.last };
    },

    async read(partition, from, { recordsMax }) {
      const found: IntakeEntry[] = [];
      let records = 0;
      for (const entry of at(partition).entries) {
        if (entry.number < from) continue;
        records += entry.records.length;
        if (found.length > 0 && records > recordsMax) break;
        found.push(entry);
      }
      return found;
    },

    async identities(partition, below, { recordsMax, withinMs }) {
      const older = at(partition)
        .entries.filter(({ number }) => number < below)
        .reverse();
      let records = 0;
      const end = older.findIndex(({ takenAtMs, records: { length } }) => {
        if (records >= recordsMax || takenAtMs < older[0]!.takenAtMs - withinMs) return true;
        records += length;
        return false;
      });
      return older
        .slice(0, end < 0 ? older.length : end)
        .map(({ number, takenAtMs, records: own }) => ({ number, takenAtMs, ids: own.map(({ id }) => id) }));
    },

    async trim(partition, { below, takenBeforeMs, entriesMax }) {
      const { entries } = at(partition);
      const kept = entries.findIndex(({ number, takenAtMs }) => number >= below || takenAtMs >= takenBeforeMs);
      return entries.splice(0, Math.min(kept < 0 ? entries.length : kept, entriesMax)).length;
    },
  };
}
