/**
 * Takes records in: writes them to the log, and then wakes the source. Only then the sender may be answered.
 *
 * TI1. A record is taken when its entry is in the log and the source has been told. Whoever is not answered sends again, which writes another entry; the
 *      source leaves its duplicates out.
 * TI2. The job record is read after the entry is written: a restore that this reading does not see yet begins later, and its source finds the entry itself.
 * TI3. Of a partition everything behind the first record that was not taken is not taken: order holds.
 * TI4. A job that is being stopped, or has stopped, takes nothing in; one that does not exist yet, or has failed, does: its log is read when it runs.
 */
import { errorCode, errorMessage, SluiceError } from '../base/errors.ts';
import { limits } from '../base/limits.ts';
import { mutated } from '../base/mutated.ts';
import { partitionIds, partitionOf } from '../model/intake.ts';
import type { JobRecord } from '../model/job-record.ts';
import type { IntakeRecord } from '../ports/intake-log.ts';
import { wakeSource, type Intake, type IntakeDeps } from './wake-source.ts';

export interface OfferedRecord extends IntakeRecord {
  /** Picks the partition: the same for what must keep its order, and for what may be sent again. */
  readonly key: string;
}

export interface TakenIn {
  /** For each record, in order. */
  readonly taken: readonly boolean[];
  /** Why some were not; the first reason. */
  readonly problem: SluiceError | undefined;
}

export type TakeIn = (records: readonly OfferedRecord[]) => Promise<TakenIn>;

export function createIntake(deps: IntakeDeps, intake: Intake): TakeIn {
  /** As it was read last: whoever reads it anew with every batch would pay twice. */
  let known: JobRecord | undefined;

  const readJob = async (): Promise<JobRecord | undefined> => (known = await deps.jobs.read(intake.job));

  return async (records) => {
    if (isStopping(known) && isStopping(await readJob())) return nothing(records, stopped(intake));
    const before = mutated('job-read-first') ? await readJob() : undefined;
    const { taken, last, problem } = await write(deps, intake, records);
    if (last.size === 0) return { taken, problem };
    try {
      const job = before ?? (await readJob());
      if (isStopping(job)) return nothing(records, stopped(intake));
      if (job !== undefined) await wakeSource(deps, intake, job, last);
      return { taken, problem };
    } catch (error) {
      deps.logger.log('warn', 'what was taken in could not be told to its source: it is not acknowledged', factsOf(intake, error));
      return nothing(records, error instanceof SluiceError ? error : notTaken(intake, error));
    }
  };
}

/**
 * Says that nothing more comes, for ever: the source ends when it has read what is there. For programs that feed a job which is to end of itself. No end of
 * a job calls it: what has stopped may be restored, and its senders go on; until then TI4 holds them off.
 */
export async function closeIntake(deps: IntakeDeps, intake: Intake): Promise<void> {
  const before = mutated('job-read-first') ? await deps.jobs.read(intake.job) : undefined;
  const last = new Map<string, number>();
  for (const partition of partitionIds(intake.partitions)) {
    const written = await deps.log.append({ intake: intake.name, partition }, { takenAtMs: deps.clock.now(), records: [], closes: true });
    last.set(partition, written === 'closed' ? await newestOf(deps, intake, partition) : written.number);
  }
  const job = before ?? (await deps.jobs.read(intake.job));
  if (job !== undefined) await wakeSource(deps, intake, job, last);
}

/** Whoever closed it may not have come to tell the source. */
async function newestOf({ log }: IntakeDeps, { name }: Intake, partition: string): Promise<number> {
  const [newest] = await log.identities({ intake: name, partition }, Number.MAX_SAFE_INTEGER, { recordsMax: 1, withinMs: 0 });
  return newest!.number;
}

interface Written extends TakenIn {
  /** By partition, the number of its newest entry. */
  readonly last: ReadonlyMap<string, number>;
}

async function write(deps: IntakeDeps, intake: Intake, records: readonly OfferedRecord[]): Promise<Written> {
  const byPartition = Map.groupBy(records.keys(), (index) => partitionOf(records[index]!.key, intake.partitions));
  const taken = records.map(() => false);
  const last = new Map<string, number>();
  let problem: SluiceError | undefined;
  await Promise.all(
    [...byPartition].map(async ([partition, indexes]) => {
      try {
        for (const slice of slices(indexes, records)) {
          const written = await deps.log.append(
            { intake: intake.name, partition },
            {
              takenAtMs: deps.clock.now(),
              records: slice.map((index) => ({ id: records[index]!.id, text: records[index]!.text })),
              closes: false,
            },
          );
          if (written === 'closed') throw closed(intake);
          last.set(partition, written.number);
          for (const index of slice) taken[index] = true;
        }
      } catch (error) {
        deps.logger.log('warn', 'records could not be taken in', factsOf(intake, error));
        problem ??= error instanceof SluiceError ? error : notTaken(intake, error);
      }
    }),
  );
  return { taken, last, problem };
}

/** Each an entry's worth. */
function slices(indexes: readonly number[], records: readonly OfferedRecord[]): number[][] {
  const all: number[][] = [];
  let characters = Number.POSITIVE_INFINITY;
  for (const index of indexes) {
    const { length } = records[index]!.text;
    const current = all.at(-1);
    if (current === undefined || current.length >= limits.intakeEntryRecordsMax || characters + length > limits.intakeEntryCharactersMax) {
      all.push([index]);
      characters = length;
    } else {
      current.push(index);
      characters += length;
    }
  }
  return all;
}

/** TI4. */
function isStopping(job: JobRecord | undefined): boolean {
  if (job === undefined) return false;
  const { status, pending } = job;
  if (status === 'FINISHED' || status === 'CANCELED' || status === 'CANCELLING' || status === 'SUSPENDED') return true;
  return pending.some(({ stop, thenCancel }) => stop !== undefined || thenCancel === true);
}

function nothing(records: readonly OfferedRecord[], problem: SluiceError): TakenIn {
  return { taken: records.map(() => false), problem };
}

function stopped({ name, job }: Intake): SluiceError {
  return new SluiceError('SLUICE-INTAKE-STOPPED', `the intake ${name} takes nothing in: its job has stopped, or is being stopped`, {
    hint: 'Send again when the job has been restored.',
    facts: { intake: name, job },
    retryable: true,
  });
}

function closed({ name, job }: Intake): SluiceError {
  return new SluiceError('SLUICE-INTAKE-CLOSED', `the intake ${name} is closed for ever`, {
    hint: 'Send to another intake: whoever closed this one has said that nothing more would come.',
    facts: { intake: name, job },
  });
}

function notTaken({ name, job }: Intake, cause: unknown): SluiceError {
  return new SluiceError('SLUICE-INTAKE-FAILED', `the intake ${name} could not write down what it was sent: ${errorMessage(cause)}`, {
    hint: 'Send again: what had been written is known again and counts once.',
    facts: { intake: name, job },
    cause,
    retryable: true,
  });
}

function factsOf({ name }: Intake, error: unknown) {
  return { intake: name, code: errorCode(error), error: errorMessage(error) };
}
