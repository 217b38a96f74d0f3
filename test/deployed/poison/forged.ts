/** Rows of reliability.md §4 that come past everybody: into queues of the job, and to its functions. On AWS a policy refuses most of them; here nobody does. */
import { randomBytes } from 'node:crypto';
import { encodeControl, encodeEnvelope } from '../../../lib/model/envelope-codec.ts';
import type { Envelope } from '../../../lib/model/envelope.ts';
import { packRecords } from '../../../lib/model/packed-records.ts';

/** Of shard 0, where it is at work. */
const liveGroup = '0.1';

export interface ForgedMessage {
  readonly row: number;
  readonly what: string;
  /** `#coordinator` and `#delay` are the job's own. */
  readonly queue: string;
  readonly group: string;
  readonly text: (job: string) => string;
  readonly says: RegExp;
}

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
const json = (value: unknown): string => base64(Buffer.from(JSON.stringify(value)));
const other = '0123456789abcdef'.repeat(2);

function envelope(job: string, changes: object = {}): Uint8Array {
  const header = {
    job,
    attempt: 1,
    channel: '0/0>0',
    sequence: 99,
    epoch: 1,
    segment: 'none',
    index: 0,
    records: 1,
    events: [],
    ...changes,
  };
  return encodeEnvelope(header as unknown as Envelope['header'], packRecords([{ key: 'forged', n: 1 }], [0], { compressAbove: Infinity }));
}

const control = (job: string, attempt: number) => encodeControl({ kind: 'wake', job: job as never, attempt, number: 1 });

export const forgedMessages: readonly ForgedMessage[] = [
  [1, 'a text', 'work', liveGroup, () => 'hello, who reads this?', /base64/],
  [1, 'random bytes', 'work', liveGroup, () => base64(randomBytes(60)), /./],
  [1, 'an envelope that breaks off', 'work', liveGroup, (job: string) => base64(envelope(job).subarray(0, 30)), /./],
  [1, 'an envelope without a sequence number', 'work', liveGroup, (job: string) => base64(envelope(job, { sequence: undefined })), /header/],
  [36, 'an envelope of another job', 'work', liveGroup, () => base64(envelope(other)), /of the job 0123/],
  [36, 'an envelope of an attempt that is not there yet', 'work', liveGroup, (job: string) => base64(envelope(job, { attempt: 99 })), /attempt 99/],
  [36, 'a control message of another job', 'work', liveGroup, () => base64(control(other, 1)), /of the job 0123/],
  [36, 'a control message of another attempt', 'work', liveGroup, (job: string) => base64(control(job, 7)), /attempt 7/],
  [36, 'nothing that the coordinator is told', '#coordinator', 'any', () => json(null), /./],
  [36, 'a failure of another job', '#coordinator', 'any', () => json({ kind: 'failed', job: other, attempt: 1, uid: 'work', shard: 0, failure: { code: 'X' } }), /of the job 0123/],
  [36, 'an acknowledgement of nothing', '#coordinator', 'any', (job: string) => json({ kind: 'acknowledgement', job, attempt: 1, uid: 'work', shard: 0 }), /missing/],
  [36, 'nothing that could be delayed', '#delay', '', () => json({ version: 2 }), /version/],
].map(([row, what, queue, group, text, says]) => ({ row, what, queue, group, text, says }) as ForgedMessage); // prettier-ignore

export interface ForgedEvent {
  readonly row: number;
  readonly what: string;
  /** An output of the app. */
  readonly function: string;
  readonly event: unknown;
  readonly answers: RegExp;
}

const sqsRecord = {
  eventSourceARN: 'arn:aws:sqs:us-east-1:000000000000:forged.fifo',
  messageId: 'm',
  receiptHandle: 'r',
  body: 'x',
  attributes: { MessageGroupId: liveGroup, ApproximateReceiveCount: '1' },
};

/** Whoever may call a function of the job, which on AWS its event sources alone may. */
export const forgedEvents: readonly ForgedEvent[] = [
  [36, 'nothing, to an operator', 'Operatorwork', {}, /error/],
  [36, 'no messages, to an operator', 'Operatorwork', { Records: [] }, /"batchItemFailures": ?\[\]/],
  [36, 'a message that never was, to an operator', 'Operatorwork', { Records: [sqsRecord] }, /"batchItemFailures": ?\[\]/],
  [36, 'a step that no flow has', 'Tasks', { task: '__proto__', input: {} }, /error/],
  [36, 'a change past the gateway', 'Changes', { version: '2.0', rawPath: '/jobs', headers: {}, requestContext: { http: { method: 'GET', path: '/jobs' } } }, /401/],
].map(([row, what, name, event, answers]) => ({ row, what, function: name, event, answers }) as ForgedEvent); // prettier-ignore

/** A producer that is ahead of this version: nobody takes it before the deployment has ended. It stands in a group of its own here, so that nobody waits for it. */
export const newerEnvelope = (job: string): string => {
  const bytes = envelope(job);
  bytes[1] = 9;
  return base64(bytes);
};
