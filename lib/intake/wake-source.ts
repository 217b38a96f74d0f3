/** Tells a push source that entries are in its log: each shard by an arrival for each of its partitions. */
import { SluiceError } from '../base/errors.ts';
import type { JobId, OperatorUid } from '../base/ids.ts';
import { mutated } from '../base/mutated.ts';
import { limits } from '../base/limits.ts';
import { isWorking } from '../checkpoint/job-status.ts';
import { shardOfSplit } from '../checkpoint/redistribution.ts';
import { decodeStoredPlan } from '../checkpoint/stored-plan.ts';
import { encodeControl } from '../model/envelope-codec.ts';
import { partitionIds } from '../model/intake.ts';
import type { JobPlan } from '../model/job-plan.ts';
import type { JobRecord } from '../model/job-record.ts';
import { operatorQueue, shardGroup } from '../model/queue-names.ts';
import type { IntakeLog } from '../ports/intake-log.ts';
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

const sendTries = 3;
/** Plan objects never change; of a job one is in use. */
const plans = new WeakMap<IntakeDeps['objects'], { readonly key: string; readonly plan: JobPlan }>();

/**
 * `last`: by partition, its newest entry. `job`: as it was read after these were written. A job that does not run is not told: its shards find the entries
 * when they begin.
 */
export async function wakeSource(deps: IntakeDeps, intake: Intake, job: JobRecord, last: ReadonlyMap<string, number>): Promise<void> {
  if (!isWorking(job.status)) return;
  const plan = await readPlan(deps, job.plan);
  const vertex = plan.vertices.find(({ uid }) => uid === intake.uid);
  if (vertex === undefined) return;
  const ids = partitionIds(intake.partitions);
  const messages = [...last].map(([split, number]): OutgoingMessage => ({
    group: shardGroup(shardOfSplit(ids, split, vertex.parallelism), job.attempt),
    deduplicationId: `arrived-${job.attempt}-${split}-${number}`,
    body: encodeControl({ kind: 'arrived', job: intake.job, attempt: job.attempt, number, split }),
  }));
  const sent = sendAll(deps, operatorQueue(intake.job, intake.uid), messages);
  await (mutated('arrival-unsent') ? sent.catch(() => undefined) : sent);
}

async function readPlan({ objects }: IntakeDeps, key: string): Promise<JobPlan> {
  const known = plans.get(objects);
  if (known?.key === key) return known.plan;
  const bytes = await objects.read(key);
  if (bytes !== undefined) {
    const { plan } = decodeStoredPlan(bytes, key);
    plans.set(objects, { key, plan });
    return plan;
  }
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
