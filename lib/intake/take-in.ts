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
import type { JobId, OperatorUid } from '../base/ids.ts';
import { limits } from '../base/limits.ts';
import { isWorking } from '../checkpoint/job-status.ts';
import { shardOfSplit } from '../checkpoint/redistribution.ts';
import { decodeStoredPlan } from '../checkpoint/stored-plan.ts';
import { encodeControl } from '../model/envelope-codec.ts';
import { partitionIds, partitionOf } from '../model/intake.ts';
import type { JobPlan } from '../model/job-plan.ts';
import type { JobRecord } from '../model/job-record.ts';
import { operatorQueue, shardGroup } from '../model/queue-names.ts';
import type { IntakeLog, IntakeRecord } from '../ports/intake-log.ts';
import type { MessageSender, OutgoingMessage } from '../ports/message-queue.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import type { JobRecordStore } from '../ports/records.ts';
import type { Clock, Logger } from '../ports/system.ts';

export interface IntakeDeps {
  readonly log: IntakeLog;
  readonly jobs: Pick<JobRecordStore, 'read'>;
  readonly objects: Pick<ObjectStore, 'read'>;
  readonly messages: Pick<MessageSender, 'sendBatch'>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** A source's intake. */
export interface Intake {
  readonly job: JobId;
  readonly uid: OperatorUid;
  readonly name: string;
  readonly partitions: number;
}

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

const sendTries = 3;

export function createIntake(deps: IntakeDeps, intake: Intake): TakeIn {
  /** As it was read last: whoever reads it anew with every batch would pay twice. */
  let known: JobRecord | undefined;
  const plans = new Map<string, JobPlan>();

  const readJob = async (): Promise<JobRecord | undefined> => (known = await deps.jobs.read(intake.job));

  /** TI2. */
  const wake = async (written: ReadonlyMap<string, number>): Promise<void> => {
    const job = await readJob();
    if (isStopping(job)) throw stopped(intake);
    if (job === undefined || !isWorking(job.status)) return;
    const plan = plans.get(job.plan) ?? (await readPlan(deps, job.plan));
    plans.clear();
    plans.set(job.plan, plan);
    const vertex = plan.vertices.find(({ uid }) => uid === intake.uid);
    if (vertex === undefined) return;
    const messages = [...written].map(([partition, number]): OutgoingMessage => {
      const shard = shardOfSplit(partitionIds(intake.partitions), partition, vertex.parallelism);
      return {
        group: shardGroup(shard, job.attempt),
        deduplicationId: `arrived-${job.attempt}-${partition}-${number}`,
        body: encodeControl({ kind: 'arrived', job: intake.job, attempt: job.attempt, number, split: partition }),
      };
    });
    await sendAll(deps, operatorQueue(intake.job, intake.uid), messages);
  };

  return async (records) => {
    if (isStopping(known) && isStopping(await readJob())) return nothing(records, stopped(intake));
    const { taken, last, problem } = await write(deps, intake, records);
    if (last.size === 0) return { taken, problem };
    try {
      await wake(last);
      return { taken, problem };
    } catch (error) {
      deps.logger.log('warn', 'what was taken in could not be told to its source: it is not acknowledged', factsOf(intake, error));
      return nothing(records, error instanceof SluiceError ? error : notTaken(intake, error));
    }
  };
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

async function readPlan({ objects }: IntakeDeps, key: string): Promise<JobPlan> {
  const bytes = await objects.read(key);
  if (bytes !== undefined) return decodeStoredPlan(bytes, key).plan;
  throw new SluiceError('SLUICE-OBJECT-MISSING', `the object ${key} is named by a record and does not exist`, {
    hint: 'Something outside Sluice has removed it. Restore the job from another checkpoint or a savepoint.',
    facts: { key },
  });
}

/** In any order: of a split there is one, and a later one makes an earlier one superfluous. */
async function sendAll({ messages: sender }: IntakeDeps, queue: string, messages: readonly OutgoingMessage[]): Promise<void> {
  let left = messages;
  for (let tries = 0; left.length > 0; tries++) {
    if (tries === sendTries) {
      throw new SluiceError('SLUICE-SEND-FAILED', `${left.length} messages could not be sent to ${queue}`, {
        hint: 'It is tried again. If it lasts, look at the queue: its existence, permissions and throttling.',
        facts: { queue, count: left.length },
        retryable: true,
      });
    }
    const refused: OutgoingMessage[] = [];
    for (let at = 0; at < left.length; at += limits.messagesPerBatchMax) {
      const batch = left.slice(at, at + limits.messagesPerBatchMax);
      const results = await sender.sendBatch(queue, batch);
      refused.push(...batch.filter((_, index) => results[index] !== true));
    }
    left = refused;
  }
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
