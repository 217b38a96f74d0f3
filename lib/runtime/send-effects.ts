/**
 * What a commit makes happen: staged parts, output envelopes, messages to itself, and last what the coordinator is told.
 *
 * SE1. Everything here may be done twice, by anybody who has the segment; receivers and stores recognise it.
 * SE2. The acknowledgement comes after every effect of its epoch: a restore to it drops the message that would have redone them.
 * SE3. One outstanding batch call per queue, never with two messages of one group: the service may refuse the first and take the second, and behind the
 *      gap that this leaves no receiver ever gets on.
 */
import { mutated } from '../base/mutated.ts';
import { limits } from '../base/limits.ts';
import { encodeCoordinatorMessage, type CoordinatorMessage } from '../model/coordinator-message.ts';
import { claimCheck, encodeControl } from '../model/envelope-codec.ts';
import { coordinatorQueue, shardGroup } from '../model/queue-names.ts';
import type { Attempt } from '../base/ids.ts';
import type { OutgoingMessage } from '../ports/message-queue.ts';
import { deduplicationId } from './commit.ts';
import { NotNowError } from './errors.ts';
import { expandSegments, readNamed } from './named-objects.ts';
import type { Runtime } from './runtime-deps.ts';
import type { SegmentContent, SelfMessage, StageOrder } from './segment-content.ts';
import { decodeSegment, readSegmentSinkRecords } from './segment.ts';
import type { ShardTopology } from './topology.ts';

const sendTries = 5;

export async function sendEffects(runtime: Runtime, topology: ShardTopology, attempt: Attempt, content: SegmentContent): Promise<void> {
  if (mutated('acknowledged-first')) await tellCoordinator(runtime, topology, attempt, content);
  for (const order of content.stage) await stagePart(runtime, topology, attempt, order, content);
  await sendEnvelopes(runtime, content);
  for (const message of content.self) await sendToSelf(runtime, topology, attempt, message);
  await tellCoordinator(runtime, topology, attempt, content);
}

/** The resend rule: the last commit's effects once more. */
export async function resendEffects(runtime: Runtime, topology: ShardTopology, attempt: Attempt, segment: string): Promise<void> {
  const bytes = await readNamed(runtime.deps.objects, segment);
  runtime.deps.metrics.count('resentSegments', 1);
  await sendEffects(runtime, topology, attempt, decodeSegment(bytes, segment));
}

async function stagePart(
  runtime: Runtime,
  topology: ShardTopology,
  attempt: Attempt,
  order: StageOrder,
  content: SegmentContent,
): Promise<void> {
  const { deps } = runtime;
  const { job, shard } = topology.address;
  const { connector } = topology.vertex.operators.find(({ uid }) => uid === order.operator)!;
  const records: unknown[] = [];
  for (const segment of await expandSegments(deps.objects, order.segments)) {
    const bytes = await readNamed(deps.objects, segment);
    for (const record of readSegmentSinkRecords(bytes, order.operator, segment)) records.push(record);
  }
  for (const record of content.sinks.get(order.operator) ?? []) records.push(record);
  const name = { job, attempt, operator: order.operator, checkpoint: order.checkpoint, shard, number: order.number };
  await deps.connectors.sinks[connector!.connector]!.stage(connector!, name, records);
}

async function sendEnvelopes(runtime: Runtime, content: SegmentContent): Promise<void> {
  const byQueue = new Map<string, OutgoingMessage[]>();
  for (const { queue, group, deduplicationId: dedup, body } of content.envelopes) {
    let messages = byQueue.get(queue);
    if (messages === undefined) byQueue.set(queue, (messages = []));
    messages.push({ group, deduplicationId: dedup, body: body.length > limits.envelopeBytesMax ? claimCheck(body) : body });
  }
  await Promise.all([...byQueue].map(([queue, messages]) => sendInOrder(runtime, queue, messages)));
}

/** One group's messages, and how many of them have been taken. */
interface Line {
  readonly messages: OutgoingMessage[];
  taken: number;
}

async function sendInOrder(runtime: Runtime, queue: string, messages: readonly OutgoingMessage[]): Promise<void> {
  let failures = 0;
  for (let waiting = linesOf(messages); waiting.length > 0; waiting = waiting.filter((line) => line.taken < line.messages.length)) {
    const batch = nextBatch(waiting);
    const results = await runtime.deps.messages.sendBatch(
      queue,
      batch.map((line) => line.messages[line.taken]!),
    );
    batch.forEach((line, i) => (line.taken += results[i] === true || mutated('refusal-ignored') ? 1 : 0));
    if (results.every((taken) => taken)) continue;
    failures++;
    if (failures >= sendTries) throw new NotNowError(`queue ${queue} refuses messages`);
  }
}

function linesOf(messages: readonly OutgoingMessage[]): Line[] {
  const lines = new Map<string, Line>();
  for (const message of messages) {
    const line = lines.get(message.group);
    if (mutated('group-in-one-call')) lines.set(`${lines.size}`, { messages: [message], taken: 0 });
    else if (line === undefined) lines.set(message.group, { messages: [message], taken: 0 });
    else line.messages.push(message);
  }
  return [...lines.values()];
}

/** The next message of each group (SE3): ten and one message's worth of text at most, base64 counted. */
function nextBatch(waiting: readonly Line[]): Line[] {
  const batch: Line[] = [];
  let bytes = 0;
  for (const line of waiting) {
    bytes += Math.ceil(line.messages[line.taken]!.body.length / 3) * 4;
    if (batch.length > 0 && (bytes > limits.messageTextBytesMax || batch.length === limits.messagesPerBatchMax)) break;
    batch.push(line);
  }
  return batch;
}

async function sendToSelf(runtime: Runtime, { address, queue }: ShardTopology, attempt: Attempt, message: SelfMessage): Promise<void> {
  const body = encodeControl({ kind: message.kind, job: address.job, attempt, number: message.number });
  const group = shardGroup(address.shard, attempt);
  const dedup = deduplicationId(address.job, attempt, `self-${message.kind}-${address.uid}-${address.shard}`, message.number);
  if (message.kind === 'continue') await sendInOrder(runtime, queue, [{ group, deduplicationId: dedup, body }]);
  else await runtime.deps.delay.schedule({ queue, group, deduplicationId: dedup, body, dueAtMs: message.dueAtMs });
}

async function tellCoordinator(runtime: Runtime, { address }: ShardTopology, attempt: Attempt, content: SegmentContent): Promise<void> {
  const outgoing = content.coordinator.map((message) => ({
    group: address.job,
    deduplicationId: deduplicationId(address.job, attempt, `${message.kind}-${address.uid}-${address.shard}`, numberOf(message)),
    body: encodeCoordinatorMessage(message),
  }));
  await sendInOrder(runtime, coordinatorQueue(address.job), outgoing);
}

/** With its kind it names a message for good: of one attempt a shard tells everything once. */
function numberOf(message: CoordinatorMessage): number {
  switch (message.kind) {
    case 'dirty':
      return message.epoch;
    case 'acknowledgement':
      return message.snapshot.checkpoint;
    case 'declined':
      return message.checkpoint;
    case 'ended':
    case 'failed':
      return 0;
  }
}
