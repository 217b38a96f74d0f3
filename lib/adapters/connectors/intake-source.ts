/**
 * Source `intake`: the log into which push sources write what comes, one split per partition. Position: the entry that comes next, and how many of its
 * records have been read.
 *
 * IS1. Duplicates are left out as it reads. Which records these are is a matter of the log alone: what stands in it before the position. So the position is
 *      all that a restore needs, at any parallelism, and a cold process reads the identities once more.
 *      What has the identity of another record and says something else is no duplicate: the source is handed it as what it is.
 * IS2. Entries have no gaps: where the next one is missing and later ones are there, it has been trimmed, and nothing is passed over silently.
 */
import { SluiceError } from '../../base/errors.ts';
import { intakeConnector, intakeOptionsOf, partitionIds, type ConflictingRecord, type IntakeOptions } from '../../model/intake.ts';
import type { ConnectorSpec } from '../../model/job-plan.ts';
import type { ReadResult, SplitReader } from '../../ports/connectors.ts';
import type { IntakeEntry, IntakeLog, IntakePartition } from '../../ports/intake-log.ts';
import { countsPosition, invalidPosition } from './position.ts';
import { SeenIdentities } from './seen-identities.ts';

interface Position {
  readonly next: number;
  readonly index: number;
}

/** What a process keeps of a split between two reads; whoever reads has it for himself. */
interface Kept {
  readonly position: Position;
  readonly seen: SeenIdentities;
  /** From the position on. */
  readonly entries: readonly IntakeEntry[];
}

const start: Position = { next: 1, index: 0 };

export function createIntakeSource(log: IntakeLog): SplitReader {
  const keptBySplit = new Map<string, Kept>();

  return {
    splits: async (source) => partitionIds(optionsOf(source).partitions),

    hasPassed: (position, entry) => position !== null && (position as Position).next > entry,

    async read(source, split, given, { recordsMax }) {
      const options = optionsOf(source);
      const partition = partitionFor(source, options, split, given);
      const position = countsPosition<Position>(source, split, given, start);
      const key = `${options.intake}/${split}`;
      const known = keptBySplit.get(key);
      keptBySplit.delete(key);
      const kept =
        known !== undefined && isSame(known.position, position)
          ? known
          : await begin(log, options, { source, partition, position, recordsMax });
      const entries = kept.entries.length > 0 ? kept.entries : await readFrom(log, partition, position, recordsMax);
      const taken = take(kept.seen, entries, position, recordsMax);
      keptBySplit.set(key, { ...taken, seen: kept.seen });
      const { values, position: next, ended } = taken;
      return { values, position: next, ended };
    },
  };
}

function optionsOf(source: ConnectorSpec): IntakeOptions {
  const options = intakeOptionsOf(source);
  if (options !== undefined) return options;
  throw new TypeError(`${source.connector} is no ${intakeConnector}`);
}

/** A log that was dealt out over another number of partitions has its records elsewhere. */
function partitionFor(source: ConnectorSpec, { intake, partitions }: IntakeOptions, split: string, position: unknown): IntakePartition {
  if (partitionIds(partitions).includes(split)) return { intake, partition: split };
  throw invalidPosition(source, split, position);
}

function isSame(left: Position, right: Position): boolean {
  return left.next === right.next && left.index === right.index;
}

interface Wanted {
  readonly source: ConnectorSpec;
  readonly partition: IntakePartition;
  readonly position: Position;
  readonly recordsMax: number;
}

/** IS1, in a process that does not know the split, or knows it elsewhere. */
async function begin(log: IntakeLog, options: IntakeOptions, wanted: Wanted): Promise<Kept> {
  const { source, partition, position, recordsMax } = wanted;
  const seen = new SeenIdentities(options);
  const entries = position.index === 0 ? [] : await readFrom(log, partition, position, position.index + recordsMax);
  if (position.next > 1) {
    const horizon = { recordsMax: Math.max(1, options.duplicateRecords), withinMs: options.duplicateMs };
    const before = await log.identities(partition, position.next, horizon);
    if (before[0]?.number !== position.next - 1 && (await readFrom(log, partition, position, 1)).length === 0)
      throw invalidPosition(source, partition.partition, position);
    for (const { ids, takenAtMs } of [...before].reverse()) for (const id of ids) seen.see(id, takenAtMs);
  }
  for (const { id } of entries[0]?.records.slice(0, position.index) ?? []) seen.see(id, entries[0]!.takenAtMs);
  return { position, seen, entries };
}

/** IS2. @throws SluiceError `SLUICE-INTAKE-GONE` */
async function readFrom(
  log: IntakeLog,
  partition: IntakePartition,
  { next }: Position,
  recordsMax: number,
): Promise<readonly IntakeEntry[]> {
  const entries = await log.read(partition, next, { recordsMax });
  const gap = entries.findIndex(({ number }, index) => number !== next + index);
  if (gap < 0) return entries;
  const facts = { ...partition, wanted: next + gap, oldest: entries[gap]!.number };
  throw new SluiceError(
    'SLUICE-INTAKE-GONE',
    `entry ${facts.wanted} of the intake ${partition.intake} is no longer there, the oldest is ${facts.oldest}`,
    {
      hint: 'Entries below the oldest retained checkpoint are removed after a time. Restore from a newer checkpoint or savepoint.',
      facts,
    },
  );
}

interface Taken extends Omit<ReadResult, 'position'> {
  readonly position: Position;
  readonly entries: readonly IntakeEntry[];
}

function take(seen: SeenIdentities, entries: readonly IntakeEntry[], from: Position, recordsMax: number): Taken {
  const values: (string | ConflictingRecord)[] = [];
  let { next, index } = from;
  let read = 0;
  for (const [at, { number, takenAtMs, records, closes }] of entries.entries()) {
    for (; index < records.length && read < recordsMax; index++, read++) {
      const { id, text } = records[index]!;
      const sight = seen.see(id, takenAtMs);
      if (sight !== 'duplicate') values.push(sight === 'new' ? text : { conflicting: text });
    }
    if (index < records.length) return { values, position: { next, index }, ended: false, entries: entries.slice(at) };
    next = number + 1;
    index = 0;
    if (closes) return { values, position: { next, index }, ended: true, entries: [] };
  }
  return { values, position: { next, index }, ended: false, entries: [] };
}
