/**
 * Whether what a queue of a job brings was sent by that job: whoever may send to the queue can write anything, and what is well made and of somebody else would
 * stand at the head of its group for ever, or be taken for what it is not.
 */
import type { JobId } from '../base/ids.ts';
import { corrupt } from './byte-buffer.ts';
import { decodeCoordinatorMessage } from './coordinator-message.ts';
import { readMessage } from './envelope-codec.ts';

interface Received {
  readonly group: string;
  readonly body: Uint8Array;
}

/** The group says for which shard and attempt it was sent. @throws SluiceError `SLUICE-DATA-CORRUPT`, or what readMessage throws */
export function checkOperatorMessage(job: JobId, { group, body }: Received): void {
  const message = readMessage(body);
  const { job: from, attempt } = message.kind === 'data' ? message.header : message.control;
  assertOwn(job, from);
  if (!/^\d+\.\d+$/.test(group) || Number(group.split('.')[1]) !== attempt)
    throw corrupt('a message', `it is of attempt ${attempt}, and stands in the group ${group}`);
}

/** @throws SluiceError `SLUICE-DATA-CORRUPT` */
export function checkCoordinatorMessage(job: JobId, { body }: Received): void {
  assertOwn(job, decodeCoordinatorMessage(body).job);
}

function assertOwn(job: JobId, from: string): void {
  if (from !== job) throw corrupt('a message', `it is of the job ${from}`);
}
