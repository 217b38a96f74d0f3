/**
 * What the parts of a job are called on AWS: made by infra, and used by whoever finds them by name. All of one job begin with its prefix.
 *
 * SQS: letters, digits, `-` and `_`, 80 characters in all, FIFO queues end in `.fifo`. Step Functions: 80 characters.
 */
import { murmur3 } from '../base/murmur3.ts';
import type { JobId, OperatorUid } from '../base/ids.ts';

const queueNameMax = 80;
const ending = '.fifo';
/** No uid can be so: a name made of one has no two hyphens in a row behind the prefix. */
const coordinator = '-coordinator';

export function awsPrefix(job: JobId): string {
  return `sluice-${job.slice(0, 16)}`;
}

/** Of a vertex; what does not fit, or has other characters, is told apart by a hash. */
export function awsQueueName(job: JobId, vertex: OperatorUid): string {
  const start = `${awsPrefix(job)}-`;
  const plain = vertex.replace(/[^A-Za-z0-9_-]/g, '_');
  const room = queueNameMax - start.length - ending.length;
  if (plain === vertex && plain.length <= room && !plain.startsWith('-')) return `${start}${plain}${ending}`;
  const mark = murmur3(vertex).toString(16).padStart(8, '0');
  return `${start}${plain.replace(/^-+/, '').slice(0, room - mark.length - 1)}-${mark}${ending}`;
}

export function awsCoordinatorQueueName(job: JobId): string {
  return `${awsPrefix(job)}-${coordinator}${ending}`;
}

export function awsStateMachineName(job: JobId, flow: string): string {
  return `${awsPrefix(job)}-${flow}`;
}

/** A standard queue. */
export function awsDelayQueueName(job: JobId): string {
  return `${awsPrefix(job)}--delay`;
}
