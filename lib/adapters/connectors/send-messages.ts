/**
 * Messages to a queue of SQS.
 *
 * SM1. A message's id says job, operator, checkpoint, shard and number, whoever sends it and however often: an attribute of the message, and of a FIFO queue
 *      its deduplication id.
 * SM2. Of one group one message is under way, and the next follows when it is taken: the service may refuse the first of a call and take the second.
 * SM3. What the service names neither as taken nor as refused was not taken.
 */
import {
  type BatchResultErrorEntry,
  SendMessageBatchCommand,
  type SendMessageBatchRequestEntry,
  type SendMessageBatchResult,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import { createHash } from 'node:crypto';
import { SluiceError } from '../../base/errors.ts';
import { limits } from '../../base/limits.ts';
import { awsQueue } from '../../model/aws-resources.ts';
import { messageIdAttribute, type QueueMessage } from '../../model/delivered-records.ts';
import type { ConnectorSpec } from '../../model/job-plan.ts';
import { isThrottle } from '../aws-sdk/call-failed.ts';
import { inParallel } from '../dynamodb/in-parallel.ts';
import { deliveryFailed, deliveryTriesMax, pauseBefore, type DeliveryTools } from './delivery.ts';
import { textOption } from './option.ts';
import type { PartSlice } from './stored-part-sink.ts';

export interface MessageTools extends DeliveryTools {
  readonly client: (region: string | undefined) => Promise<SQSClient>;
}

type Entry = Omit<SendMessageBatchRequestEntry, 'Id'> & { readonly MessageBody: string };

/** Messages that must not overtake each other. */
interface Line {
  readonly entries: readonly Entry[];
  taken: number;
}

interface Target {
  readonly client: SQSClient;
  readonly url: string;
  /** For people. */
  readonly place: string;
}

const callsAtOnce = 8;
const action = 'sqs:SendMessage on the queue';

export async function sendMessages(tools: MessageTools, sink: ConnectorSpec, slice: PartSlice): Promise<void> {
  const text = textOption(sink, 'queue');
  const queue = awsQueue(text);
  const target = { client: await tools.client(queue?.region), url: queue?.url ?? text, place: `the queue ${text}` };
  let waiting = linesOf(slice);
  for (let tries = 0; waiting.length > 0;) {
    const taken = (await inParallel(callsOf(waiting), callsAtOnce, (call) => send(target, call))).reduce((sum, count) => sum + count, 0);
    // Where something was taken the queue is slow, not stuck.
    tries = taken === waiting.length ? 0 : taken > 0 ? 1 : tries + 1;
    waiting = waiting.filter((line) => line.taken < line.entries.length);
    if (tries >= deliveryTriesMax) throw deliveryFailed({ ...target, action }, throttled);
    if (tries > 0) await pauseBefore(tries, tools);
  }
}

const throttled = Object.assign(new Error('messages are refused again and again'), { name: 'ThrottlingException' });

function linesOf({ records, from, part }: PartSlice): Line[] {
  const lines = new Map<string, Entry[]>();
  records.forEach((record, index) => {
    const { body, group } = record as QueueMessage;
    const id = createHash('sha256')
      .update(`${part.target}/${from + index}`)
      .digest('hex');
    const ids = group === undefined ? {} : { MessageGroupId: group, MessageDeduplicationId: id };
    const entry = { MessageBody: body, MessageAttributes: { [messageIdAttribute]: { DataType: 'String', StringValue: id } }, ...ids };
    // Without a group nothing is in order.
    const line = group ?? `#${index}`;
    const known = lines.get(line);
    if (known === undefined) lines.set(line, [entry]);
    else known.push(entry);
  });
  return [...lines.values()].map((entries) => ({ entries, taken: 0 }));
}

/** The next message of each line: ten to a call, and one message's worth of text at most. */
function callsOf(waiting: readonly Line[]): Line[][] {
  const calls: Line[][] = [];
  let bytes = 0;
  for (const line of waiting) {
    const size = Buffer.byteLength(line.entries[line.taken]!.MessageBody) + limits.messageIdAttributeBytes;
    const call = calls.at(-1);
    bytes += size;
    if (call !== undefined && call.length < limits.messagesPerBatchMax && bytes <= limits.messageTextBytesMax) {
      call.push(line);
      continue;
    }
    calls.push([line]);
    bytes = size;
  }
  return calls;
}

/** How many were taken. */
async function send({ client, url, place }: Target, call: readonly Line[]): Promise<number> {
  const entries = call.map(({ entries: waiting, taken }, index) => ({ Id: String(index), ...waiting[taken]! }));
  const { Successful: successful = [], Failed: refused = [] } = await answerTo(client, url, entries, place);
  const ids = new Set(successful.map(({ Id }) => Id));
  call.forEach((line, index) => (line.taken += ids.has(String(index)) ? 1 : 0));
  const hopeless = refused.find(isHopeless);
  if (hopeless !== undefined) throw refusedFor(place, hopeless);
  return ids.size;
}

async function answerTo(
  client: SQSClient,
  url: string,
  entries: SendMessageBatchRequestEntry[],
  place: string,
): Promise<Partial<SendMessageBatchResult>> {
  try {
    return await client.send(new SendMessageBatchCommand({ QueueUrl: url, Entries: entries }));
  } catch (error) {
    if (isThrottle(error)) return {};
    throw deliveryFailed({ place, action }, error);
  }
}

/** A throttle comes as the sender's fault too. */
function isHopeless({ SenderFault: isOurs, Code: code = '' }: BatchResultErrorEntry): boolean {
  return isOurs === true && !/thrott|toomany|slowdown/i.test(code);
}

function refusedFor(place: string, { Code: code, Message: message }: BatchResultErrorEntry): SluiceError {
  return new SluiceError('SLUICE-OUTPUT-FAILED', `${place} refuses a message: ${message ?? code}`, {
    hint: 'Look at the settings of the queue, above all its maximum message size, and at its key. The message is sent when the job is run again.',
    facts: { place, code },
  });
}
