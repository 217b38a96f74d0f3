/**
 * What push sources wrote down before they acknowledged it: per partition, entries 1, 2, 3 … without gaps.
 *
 * Guarantees needed of every adapter:
 * - `append` is linearizable: an entry takes the next number by create-if-absent, two appends never share one, and n is there before n + 1.
 * - `read` sees every completed append.
 * - Behind an entry that closes the partition nothing is ever appended.
 * - An append whose answer was lost may be found in the log, once; whoever appends again appends another entry.
 */
export interface IntakePartition {
  readonly intake: string;
  readonly partition: string;
}

export interface IntakeRecord {
  /** By it duplicates are known (lib/model/intake.ts); empty: nobody can tell. */
  readonly id: string;
  readonly text: string;
}

export interface NewIntakeEntry {
  readonly takenAtMs: number;
  readonly records: readonly IntakeRecord[];
  /** The partition has no more, for ever. */
  readonly closes: boolean;
}

export interface IntakeEntry extends NewIntakeEntry {
  readonly number: number;
}

export interface IntakeIdentities {
  readonly number: number;
  readonly takenAtMs: number;
  /** Of its records, in order. */
  readonly ids: readonly string[];
}

export interface IntakeLog {
  append(partition: IntakePartition, entry: NewIntakeEntry): Promise<{ readonly number: number } | 'closed'>;
  /**
   * Entries from that number on, in order: at least one where there is one, and no more than hold `recordsMax` records, but for the first. Where the first is
   * not `from`, what lies before it has been trimmed.
   */
  read(partition: IntakePartition, from: number, options: { readonly recordsMax: number }): Promise<readonly IntakeEntry[]>;
  /** Of the entries below a number, newest first: until they hold `recordsMax` records, or are `withinMs` older than the newest of them. */
  identities(
    partition: IntakePartition,
    below: number,
    options: { readonly recordsMax: number; readonly withinMs: number },
  ): Promise<readonly IntakeIdentities[]>;
  /** Removes the oldest entries, at most `entriesMax` of those below `below` that were taken in before `takenBeforeMs`. Returns how many. */
  trim(
    partition: IntakePartition,
    options: { readonly below: number; readonly takenBeforeMs: number; readonly entriesMax: number },
  ): Promise<number>;
}
