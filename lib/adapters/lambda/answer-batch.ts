/**
 * The one place that answers Lambda's event source: which messages of a batch come again.
 *
 * AB1. Every id in the answer is one of the batch, once: Lambda takes a malformed answer for success, or fails everything.
 * AB2. Of a group everything from the first failed message on comes again, together: its order would be lost otherwise. Other groups are untouched.
 * AB3. What goes wrong outside any message (an error, an id that nobody knows) fails the whole batch.
 * AB4. What is no message of ours would fail its group for ever. It is told and put aside; only then it is gone from the queue.
 * AB5. Failed messages come again soon, instead of after the visibility timeout, which is for crashes: at once at first, then after pauses that double;
 *      where the function asks for a pause, after that. It is a convenience: when it fails the timeout does the same.
 */
import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { errorCode, errorMessage } from '../../base/errors.ts';
import { invariant } from '../../base/invariant.ts';
import { limits } from '../../base/limits.ts';
import type { ReceivedMessage } from '../../ports/message-queue.ts';
import type { Logger } from '../../ports/system.ts';
import { readSqsRecord, type EventMessage } from './sqs-event.ts';

export interface StrangeMessage {
  readonly messageId: string;
  readonly group: string;
  readonly sentAtMs: number;
  readonly text: string;
  readonly reason: string;
}

export interface BatchFunction {
  /** Ids of messages that failed. What it postpones rests for so long, if it fails. */
  readonly handle: (
    messages: readonly ReceivedMessage[],
    postpone: (messageIds: readonly string[], pauseMs: number) => void,
  ) => Promise<readonly string[]>;
  /** Throws `SLUICE-DATA-CORRUPT` for what is no message of ours. Any other error is the function's to meet, and to judge. */
  readonly recognise: (message: ReceivedMessage) => void;
  /** Keeps it where people find it. */
  readonly setAside: (message: StrangeMessage) => Promise<void>;
  /** Of the queue that the batch came from; ten receipts at most. */
  readonly changeVisibility: (receipts: readonly string[], visibilityMs: number) => Promise<void>;
  readonly logger: Logger;
  /** The longest pause between tries, where the function asks for none. */
  readonly pauseMsMax?: number;
}

const firstPauseMs = 1_000;
const pauseMsMaxDefault = 30_000;

export async function answerBatch(event: SQSEvent, work: BatchFunction): Promise<SQSBatchResponse> {
  const read = event.Records.map(readSqsRecord);
  const messages = read.map(({ message }) => message);
  const pauses = new Map<string, number>();
  const failed = await failedOf(read, work, pauses);
  await hurry(work, messages, failed, pauses);
  const known = new Set(messages.map(({ messageId }) => messageId));
  invariant([...failed].every((id) => known.has(id)), 'AB1', 'an answer names a message that is not of its batch'); // prettier-ignore
  return { batchItemFailures: [...failed].map((itemIdentifier) => ({ itemIdentifier })) };
}

async function failedOf(read: readonly EventMessage[], work: BatchFunction, pauses: Map<string, number>): Promise<ReadonlySet<string>> {
  const postpone = (ids: readonly string[], pauseMs: number): void => ids.forEach((id) => pauses.set(id, pauseMs));
  try {
    const { ours, kept } = await setStrangeAside(read, work);
    const failed = ours.length === 0 ? [] : await work.handle(ours, postpone);
    const unknown = failed.find((id) => !ours.some(({ messageId }) => messageId === id));
    if (unknown !== undefined) throw new Error(`the function names ${unknown}, which is not of its batch`);
    return new Set([...kept, ...withTails(ours, new Set(failed))]);
  } catch (error) {
    const facts = { messages: read.length, code: errorCode(error), error: errorMessage(error) };
    work.logger.log('error', 'a function failed outside any message: its whole batch comes again', facts);
    return new Set(read.map(({ message: { messageId } }) => messageId));
  }
}

/** AB4. `kept`: what could not be put aside, and stays in the queue. */
async function setStrangeAside(
  read: readonly EventMessage[],
  work: BatchFunction,
): Promise<{ readonly ours: readonly ReceivedMessage[]; readonly kept: readonly string[] }> {
  const ours: ReceivedMessage[] = [];
  const kept: string[] = [];
  for (const one of read) {
    const reason = strangenessOf(one, work);
    if (reason === undefined) ours.push(one.message);
    else if (!(await isSetAside(one, reason, work))) kept.push(one.message.messageId);
  }
  return { ours, kept };
}

function strangenessOf({ message, isReadable }: EventMessage, { recognise }: BatchFunction): string | undefined {
  if (!isReadable) return 'its text is not base64';
  try {
    recognise(message);
    return undefined;
  } catch (error) {
    return errorCode(error) === 'SLUICE-DATA-CORRUPT' ? errorMessage(error) : undefined;
  }
}

async function isSetAside({ message, text }: EventMessage, reason: string, { setAside, logger }: BatchFunction): Promise<boolean> {
  const { messageId, group, sentAtMs } = message;
  try {
    await setAside({ messageId, group, sentAtMs, text, reason });
    logger.log('error', 'a message that is not ours was taken out of the queue and kept', { messageId, group, reason });
    return true;
  } catch (error) {
    logger.log('error', 'a message that is not ours could not be put aside', { messageId, group, reason, error: errorMessage(error) });
    return false;
  }
}

/** AB2. */
function withTails(messages: readonly ReceivedMessage[], failed: ReadonlySet<string>): readonly string[] {
  const broken = new Set<string>();
  return messages.flatMap(({ messageId, group }) => {
    if (group !== '' && broken.has(group)) return [messageId];
    if (!failed.has(messageId)) return [];
    broken.add(group);
    return [messageId];
  });
}

/** AB5. A group's messages keep together: what the first one waits for, all do. */
async function hurry(
  { changeVisibility, logger, pauseMsMax = pauseMsMaxDefault }: BatchFunction,
  messages: readonly ReceivedMessage[],
  failed: ReadonlySet<string>,
  postponed: ReadonlyMap<string, number>,
): Promise<void> {
  const places = Map.groupBy(
    messages.filter(({ messageId }) => failed.has(messageId)),
    ({ group, messageId }) => (group === '' ? `/${messageId}` : group),
  );
  const byPause = new Map<number, string[]>();
  for (const place of places.values()) {
    const asked = place.flatMap(({ messageId }) => postponed.get(messageId) ?? []);
    const pauseMs = asked.length > 0 ? Math.max(...asked) : pauseAfter(place[0]!.receiveCount, pauseMsMax);
    byPause.set(pauseMs, [...(byPause.get(pauseMs) ?? []), ...place.map(({ receipt }) => receipt)]);
  }
  for (const [pauseMs, receipts] of byPause) {
    for (let from = 0; from < receipts.length; from += limits.messagesPerBatchMax) {
      try {
        await changeVisibility(receipts.slice(from, from + limits.messagesPerBatchMax), pauseMs);
      } catch (error) {
        logger.log('warn', 'failed messages come again after the visibility timeout only', { pauseMs, error: errorMessage(error) });
      }
    }
  }
}

function pauseAfter(receives: number, pauseMsMax: number): number {
  return receives <= 1 ? 0 : Math.min(firstPauseMs * 2 ** (receives - 2), pauseMsMax);
}
