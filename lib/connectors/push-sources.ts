/** Sources to which others send: each is a log that its intake writes to before it answers the sender, so that a restore can read it again. */
import { SluiceError } from '../base/errors.ts';
import { parseRecord } from '../base/parse-record.ts';
import { intakeConnector, type ConflictingRecord, type IntakeOptions } from '../model/intake.ts';
import type { ConnectorProblem, Source } from './source.ts';

export interface PushOptions {
  /** Of the log, for as long as it lives: what has the same identity, FIFO group or idempotency key keeps its order in one. Default 4. */
  readonly partitions?: number;
  /** How far back, in its partition, a record is known as one that came before. Default: among 65,536 records, within a day. */
  readonly duplicates?: { readonly records?: number; readonly withinMs?: number };
  /** How long a savepoint can be gone back to: so long what lies behind it is kept. Default 7 days. */
  readonly keptMs?: number;
}

const hourMs = 3_600_000;
const namePattern = /^[a-z][a-z0-9-]{0,29}$/;
const partitionsMax = 128;
const duplicateRecordsMax = 1_048_576;

/**
 * The messages of an SQS queue, standard or FIFO, one JSON value each. The deployment says which queue it is, by this name. Exactly-once for whatever SQS delivers again
 * within the horizon of `duplicates`; in the order of each FIFO group.
 */
export function sourceFromSqs<T>(name: string, options: PushOptions = {}): Source<T> {
  return pushSource('sqs', name, options);
}

/** What is sent to `POST /jobs/:id/intake/:name`, as NDJSON or a JSON array. Exactly-once where the sender repeats its `Idempotency-Key` within the horizon. */
export function sourceFromHttp<T>(name: string, options: PushOptions = {}): Source<T> {
  return pushSource('http', name, options);
}

function pushSource<T>(
  kind: IntakeOptions['kind'],
  intake: string,
  { partitions = 4, duplicates, keptMs = 7 * 24 * hourMs }: PushOptions,
): Source<T> {
  const { records: duplicateRecords = 65_536, withinMs: duplicateMs = 24 * hourMs } = duplicates ?? {};
  const options: IntakeOptions = { intake, kind, partitions, duplicateRecords, duplicateMs, keptMs };
  const problem = problemOf(options);
  return {
    name: `${kind} intake ${intake}`,
    connector: { connector: intakeConnector, options: { ...options }, guarantee: 'exactly-once' },
    decode: (taken) => parseRecord(textOf(taken as string | ConflictingRecord), { exact: true }) as T,
    onError: 'dead-letter',
    ...(problem === undefined ? {} : { problem }),
  };
}

/** Which of the two is right nobody here can know: the first has been counted. */
function textOf(taken: string | ConflictingRecord): string {
  if (typeof taken === 'string') return taken;
  throw new SluiceError('SLUICE-INTAKE-CONFLICT', 'a record of the same identity came before it, and says something else', {
    hint: 'Give a batch that says something else another Idempotency-Key, and send this record again under it.',
  });
}

function problemOf({ intake, partitions, duplicateRecords, duplicateMs, keptMs }: IntakeOptions): ConnectorProblem | undefined {
  if (!namePattern.test(intake))
    return {
      message: `the intake ${JSON.stringify(intake)} cannot be used`,
      hint: "Name it with lower-case letters, digits and '-', at most 30.",
    };
  const isWhole = (count: number, least: number, most: number): boolean => Number.isSafeInteger(count) && count >= least && count <= most;
  if (!isWhole(partitions, 1, partitionsMax))
    return { message: `its log has ${partitions} partitions`, hint: `Give a whole number from 1 to ${partitionsMax}.` };
  if (!isWhole(duplicateRecords, 0, duplicateRecordsMax))
    return { message: `it knows ${duplicateRecords} records again`, hint: `Give a whole number from 0 to ${duplicateRecordsMax}.` };
  if (![duplicateMs, keptMs].every((duration) => isWhole(duration, 0, Number.MAX_SAFE_INTEGER)))
    return { message: 'its durations are no whole numbers of milliseconds', hint: 'Use hours(…) or days(…).' };
  if (duplicateMs > keptMs)
    return { message: 'it forgets entries before it forgets their duplicates', hint: 'Give keptMs at least what duplicates.withinMs is.' };
  return undefined;
}
