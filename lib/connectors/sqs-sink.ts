/** Messages to a queue of SQS: what a message may be is asked here, before anything is committed, so that none can stand in the way of the others. */
import { createHash } from 'node:crypto';
import { SluiceError } from '../base/errors.ts';
import type { OperatorUid } from '../base/ids.ts';
import { limits } from '../base/limits.ts';
import { awsQueue } from '../model/aws-resources.ts';
import { canonicalKey } from '../model/canonical-key.ts';
import type { QueueMessage } from '../model/delivered-records.ts';
import { plainJsonProblemText, plainJsonText } from '../model/plain-json.ts';
import type { OperatorContext, StreamOperator } from '../operators/operator.ts';
import type { Sink } from './sink.ts';
import type { ConnectorProblem } from './source.ts';

export interface SqsSinkOptions<T> {
  /** URL or ARN. */
  readonly queue: string;
  /** FIFO queues, and only they: messages of one group are received in the order of the records. */
  readonly groupBy?: (record: T) => unknown;
  /** The text of a message. Default: the record as plain JSON. */
  readonly body?: (record: T) => string;
  /** Of one message, as the queue is set. Default: 1 MiB, which SQS takes at most. */
  readonly maximumMessageBytes?: number;
}

/**
 * Messages to a queue of SQS, sent when the checkpoint that covers them is complete: **at least once, with an id that stays the same** however often a message
 * is sent (attribute `sluice-id`). Nothing is sent that no checkpoint covers. A FIFO queue drops the second one within its five minutes, so that there a
 * message appears twice only where a process died between sending and noting it and nothing went on for so long, or where somebody restored a savepoint.
 * Messages of one group of a FIFO queue are in order.
 */
export function sqsSink<T>({ queue, groupBy, body, maximumMessageBytes = limits.messageTextBytesMax }: SqsSinkOptions<T>): Sink<T> {
  const rules: MessageRules = {
    groupBy: groupBy as MessageRules['groupBy'],
    body: body as MessageRules['body'],
    bytesMax: Math.min(maximumMessageBytes, limits.messageTextBytesMax),
  };
  const problem = problemOf(queue, groupBy !== undefined);
  return {
    name: `queue ${awsQueue(queue)?.name ?? queue}`,
    states: [],
    connector: { connector: 'sqs', options: { queue }, guarantee: 'at-least-once' },
    target: `sqs ${awsQueue(queue)?.url ?? queue}`,
    ...(rules.groupBy === undefined ? {} : { keyOf: rules.groupBy }),
    create: () => new MessageSinkOperator(rules),
    ...(problem === undefined ? {} : { problem }),
  };
}

interface MessageRules {
  readonly groupBy: ((record: unknown) => unknown) | undefined;
  readonly body: ((record: unknown) => string) | undefined;
  readonly bytesMax: number;
}

function problemOf(text: string, hasGroups: boolean): ConnectorProblem | undefined {
  const queue = awsQueue(text);
  if (queue === undefined) return { message: `${text} names no queue`, hint: 'Give the URL of the queue, or its ARN.' };
  if (queue.isFifo === hasGroups) return undefined;
  return queue.isFifo
    ? { message: `${queue.name} is a FIFO queue, and nothing says what is to be in order`, hint: 'Give groupBy: (record) => record.id.' }
    : {
        message: `${queue.name} is a standard queue, which knows no groups`,
        hint: 'Leave groupBy out, or name a queue that ends in .fifo.',
      };
}

class MessageSinkOperator implements StreamOperator {
  readonly #rules: MessageRules;
  #part!: { write(message: QueueMessage): void };
  #uid!: OperatorUid;

  constructor(rules: MessageRules) {
    this.#rules = rules;
  }

  open(context: OperatorContext): void {
    this.#part = context.sink();
    this.#uid = context.uid;
  }

  process(_input: number, value: unknown): void {
    const { groupBy, bytesMax } = this.#rules;
    const body = this.#textOf(value);
    const bytes = Buffer.byteLength(body) + limits.messageIdAttributeBytes;
    if (bytes > bytesMax) throw this.#tooLarge(bytes);
    this.#part.write(groupBy === undefined ? { body } : { body, group: groupOf(groupBy(value)) });
  }

  #textOf(value: unknown): string {
    const { body } = this.#rules;
    if (body === undefined) {
      const made = plainJsonText(value);
      if ('problem' in made) throw this.#unsupported(plainJsonProblemText(made.problem), made.problem);
      // JSON leaves these two as they are, and SQS takes neither.
      return made.text.replace(/[\ufffe\uffff]/g, (character) => `\\u${character.charCodeAt(0).toString(16)}`);
    }
    const text: unknown = body(value);
    if (typeof text !== 'string') throw this.#unsupported(`a body that is no text but a ${typeof text}`);
    if (text === '' || refusedCharacters.test(text) || !text.isWellFormed())
      throw this.#unsupported('a body that is empty, or has control characters or halves of a character, which SQS does not take');
    return text;
  }

  #unsupported(what: string, facts: object = {}): SluiceError {
    return new SluiceError('SLUICE-SINK-RECORD-UNSUPPORTED', `a record at the sink ${this.#uid} holds ${what}`, {
      hint: 'Map the records before the sink to plain data, or give the sink a function `body` that makes a text of them.',
      facts: { operator: this.#uid, ...facts },
    });
  }

  #tooLarge(bytes: number): SluiceError {
    const { bytesMax } = this.#rules;
    return new SluiceError('SLUICE-SINK-RECORD-TOO-LARGE', `a record at the sink ${this.#uid} is a message of ${bytes} bytes`, {
      hint: `The queue takes ${bytesMax} bytes: send less, put what is large elsewhere, or set such records aside with onError('dead-letter').`,
      facts: { operator: this.#uid, bytes, bytesMax },
    });
  }
}

const refusedCharacters = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/;
const groupPattern = /^[A-Za-z0-9!"#$%&'()*+,\-./:;<=>?@[\\\]^_`{|}~]{1,128}$/;

/** The key itself where it can be one: for people who look into the queue. */
function groupOf(key: unknown): string {
  if (typeof key === 'string' && groupPattern.test(key)) return key;
  const text = canonicalKey(key);
  return groupPattern.test(text) ? text : createHash('sha256').update(text).digest('hex');
}
