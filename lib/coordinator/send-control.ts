/** Control messages to shards: orders to sources, kicks to all. Numbers rise, gaps and repetitions are legal, so sending again is always safe. */
import { SluiceError } from '../base/errors.ts';
import { limits } from '../base/limits.ts';
import type { JobId, OperatorUid } from '../base/ids.ts';
import type { ShardOfPlan } from '../checkpoint/completeness.ts';
import type { ControlMessage } from '../model/envelope.ts';
import { encodeControl } from '../model/envelope-codec.ts';
import { operatorQueue, shardGroup } from '../model/queue-names.ts';
import type { MessageSender, OutgoingMessage } from '../ports/message-queue.ts';

const roundsMax = 5;

/** @throws SluiceError, retryable, where the queue keeps refusing */
export async function sendControl(messages: MessageSender, control: ControlMessage, shards: readonly ShardOfPlan[]): Promise<void> {
  const body = encodeControl(control);
  const byQueue = Map.groupBy(shards, ({ uid }) => uid);
  await Promise.all([...byQueue].map(([uid, group]) => sendToVertex(messages, control, uid, group, body)));
}

async function sendToVertex(
  messages: MessageSender,
  control: ControlMessage,
  uid: OperatorUid,
  shards: readonly ShardOfPlan[],
  body: Uint8Array,
): Promise<void> {
  const queue = operatorQueue(control.job, uid);
  let left: readonly OutgoingMessage[] = shards.map(({ shard }) => ({
    group: shardGroup(shard, control.attempt),
    deduplicationId: `${control.kind}-${control.attempt}-${control.number}-${shard}`,
    body,
  }));
  for (let round = 0; left.length > 0; round++) {
    if (round === roundsMax) throw sendFailed(control.job, queue, left.length);
    const failed: OutgoingMessage[] = [];
    for (let at = 0; at < left.length; at += limits.messagesPerBatchMax) {
      const batch = left.slice(at, at + limits.messagesPerBatchMax);
      const taken = await messages.sendBatch(queue, batch);
      failed.push(...batch.filter((_, index) => taken[index] !== true));
    }
    left = failed;
  }
}

function sendFailed(job: JobId, queue: string, count: number): SluiceError {
  return new SluiceError('SLUICE-SEND-FAILED', `${count} messages could not be sent to ${queue}`, {
    hint: 'It is tried again. If it lasts, look at the queue: its existence, permissions and throttling.',
    facts: { job, queue, count },
    retryable: true,
  });
}
