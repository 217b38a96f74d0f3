/**
 * The keys of every item in the table (docs/formats/dynamodb.md).
 *
 * IK1. Different things have different keys, whatever they are called: parts are escaped (key-text.ts), and the first letter says what it is.
 * IK2. No key is longer than DynamoDB takes: the parts' bounds add up to less.
 */
import type { Attempt, CheckpointId, JobId, KeyGroup, OperatorUid } from '../../base/ids.ts';
import { invariant } from '../../base/invariant.ts';
import type { ShardAddress } from '../../model/shard-record.ts';
import { timerStates, type StateAddress } from '../../model/state-row.ts';
import { behindSeparator, keyPart, keySeparator, textOfPart } from './key-text.ts';

export interface ItemKey {
  readonly pk: string;
  readonly sk: string;
}

/** Bytes of each part; DynamoDB: 2,048 of a partition key, 1,024 of a sort key. */
const bytesMax = { job: 200, space: 400, operator: 1_000, state: 200, key: 400, namespace: 400, timer: 480, trigger: 900 } as const;

/** Key groups of one timer partition: few queries find what is due in a range, and still many partitions share the load. */
const keyGroupsPerBucketBits = 5;

export const recordKeys = {
  job: (job: JobId): ItemKey => ({ pk: joined('j', jobPart(job)), sk: 'record' }),
  jobs: 'jobs',
  listedJob: (job: JobId): ItemKey => ({ pk: 'jobs', sk: jobPart(job) }),
  shard: ({ job, uid, shard }: ShardAddress): ItemKey => ({
    pk: joined('s', jobPart(job), operatorPart(uid), String(shard)),
    sk: 'record',
  }),
  acknowledgements: (job: JobId, attempt: Attempt, checkpoint: CheckpointId): string =>
    joined('a', jobPart(job), String(attempt), String(checkpoint)),
  /** In order of the shard's number. */
  subtask: (uid: OperatorUid, shard: number): string => joined(keyPart(uid, bytesMax.trigger), hex(shard, 8)),
  operations: (job: JobId): string => joined('o', jobPart(job)),
  trigger: (trigger: string): string => keyPart(trigger, bytesMax.trigger),
  history: (job: JobId): string => joined('h', jobPart(job)),
  historyEntry: (kind: string, id: number): string => joined(kind, hex(id, 14)),
  intake: (scope: string, intake: string, partition: string): string =>
    joined('i', keyPart(scope, bytesMax.job), keyPart(intake, bytesMax.state), keyPart(partition, bytesMax.state)),
  intakeEntry: (number: number): string => hex(number, 14),
  audit: (job: JobId): string => joined('u', jobPart(job)),
  auditRecord: (number: number): string => hex(number, 14),
  /** Behind all numbers. */
  auditHead: 'head',
} as const;

/** A partition of rows, or a stretch of one: inclusive at both ends. */
export interface ItemRange {
  readonly pk: string;
  readonly from?: string;
  readonly to?: string;
}

type RowPlace = Omit<StateAddress, 'operator'>;

export const rowKeys = {
  bucketOf: (keyGroup: KeyGroup): number => keyGroup >> keyGroupsPerBucketBits,
  firstOfBucket: (bucket: number): KeyGroup => bucket << keyGroupsPerBucketBits,
  keyGroupsPerBucket: 1 << keyGroupsPerBucketBits,

  rows: (space: string, operator: OperatorUid, keyGroup: KeyGroup): string =>
    joined('b', keyPart(space, bytesMax.space), operatorPart(operator), String(keyGroup)),
  timers: (space: string, operator: OperatorUid, state: string, bucket: number): string =>
    joined('t', keyPart(space, bytesMax.space), operatorPart(operator), keyPart(state, bytesMax.state), String(bucket)),
  register: (space: string): string => joined('r', keyPart(space, bytesMax.space)),
  registered: (operator: OperatorUid, bucket: number): string => joined(operatorPart(operator), hex(bucket, 4)),

  row: (space: string, { operator, state, keyGroup, key, namespace }: StateAddress): ItemKey =>
    isTimerState(state)
      ? { pk: rowKeys.timers(space, operator, state, rowKeys.bucketOf(keyGroup)), sk: rowKeys.timer({ namespace, keyGroup, key }) }
      : {
          pk: rowKeys.rows(space, operator, keyGroup),
          sk: joined(keyPart(state, bytesMax.state), keyPart(key, bytesMax.key), keyPart(namespace, bytesMax.namespace)),
        },
  /** By time: it stands first in a timer's namespace. */
  timer: ({ namespace, keyGroup, key }: Pick<StateAddress, 'namespace' | 'keyGroup' | 'key'>): string =>
    joined(keyPart(namespace, bytesMax.timer), hex(keyGroup, 4), keyPart(key, bytesMax.timer)),
  /** All rows of one key in one state, by namespace. */
  key: (space: string, { operator, state, keyGroup, key }: Omit<StateAddress, 'namespace'>): Required<ItemRange> => {
    invariant(!isTimerState(state), 'keyed-base', 'timers are read by time, not by key', { operator, state });
    const prefix = joined(keyPart(state, bytesMax.state), keyPart(key, bytesMax.key));
    return { pk: rowKeys.rows(space, operator, keyGroup), from: prefix + keySeparator, to: prefix + behindSeparator };
  },
  isTimerState,

  /** What a row's key says; undefined where a part was cut. */
  placeOfRow(sk: string, keyGroup: KeyGroup): RowPlace | undefined {
    const [state, key, namespace] = sk.split(keySeparator).map(textOfPart);
    return state === undefined || key === undefined || namespace === undefined ? undefined : { state, keyGroup, key, namespace };
  },
  placeOfTimer(sk: string, state: string): RowPlace | undefined {
    const [namespacePart, , keyText] = sk.split(keySeparator);
    const [namespace, key] = [textOfPart(namespacePart!), textOfPart(keyText!)];
    return namespace === undefined || key === undefined ? undefined : { state, keyGroup: rowKeys.keyGroupOfTimer(sk), key, namespace };
  },
  keyGroupOfTimer: (sk: string): KeyGroup => Number.parseInt(sk.slice(sk.indexOf(keySeparator) + 1), 16),
} as const;

const allTimerStates: readonly string[] = Object.values(timerStates);

/** Only these are kept by time, and a scan has to know them all. */
function isTimerState(state: string): boolean {
  const isTimer = state.startsWith('#');
  invariant(!isTimer || allTimerStates.includes(state), 'keyed-base', 'a state that begins with # is one of the timers', { state });
  return isTimer;
}

function jobPart(job: JobId): string {
  return keyPart(job, bytesMax.job);
}

function operatorPart(uid: OperatorUid): string {
  return keyPart(uid, bytesMax.operator);
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0');
}

function joined(...parts: readonly string[]): string {
  return parts.join(keySeparator);
}
