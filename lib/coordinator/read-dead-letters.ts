/** What a job's operators have set aside, as far as checkpoints have completed. */
import type { CheckpointId, JobId } from '../base/ids.ts';
import type { DeadLetter } from '../model/dead-letter.ts';
import { deadLettersPrefix } from '../model/dead-letter-keys.ts';
import type { JobRecord } from '../model/job-record.ts';
import { decodeValue } from '../model/value-json.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import { readObject } from './coordinator-deps.ts';

/** Objects never change, so how many letters each holds is read once. New ones come with a publication: between two, nothing is listed either. */
interface Counted {
  readonly byObject: Map<string, number>;
  readonly byJob: Map<JobId, { readonly published: CheckpointId; readonly total: number }>;
}

const counts = new WeakMap<ObjectStore, Counted>();

export async function readDeadLetters(objects: ObjectStore, job: JobId): Promise<readonly DeadLetter[]> {
  const letters: DeadLetter[] = [];
  for (const key of await keysOf(objects, job))
    for (const line of await linesOf(objects, key)) letters.push(decodeValue(line) as DeadLetter);
  return letters;
}

export async function countDeadLetters(objects: ObjectStore, { job, published }: Pick<JobRecord, 'job' | 'published'>): Promise<number> {
  const counted: Counted = counts.get(objects) ?? { byObject: new Map(), byJob: new Map() };
  counts.set(objects, counted);
  const { byObject: known, byJob } = counted;
  const last = byJob.get(job);
  if (last?.published === published) return last.total;
  let total = 0;
  for (const key of await keysOf(objects, job)) {
    let count = known.get(key);
    if (count === undefined) known.set(key, (count = (await linesOf(objects, key)).length));
    total += count;
  }
  byJob.set(job, { published, total });
  return total;
}

/** By operator, and then in the order of checkpoints. */
async function keysOf(objects: ObjectStore, job: JobId): Promise<readonly string[]> {
  const stored = await objects.list(deadLettersPrefix(job, 'published'));
  return stored.map(({ key }) => key).sort();
}

async function linesOf(objects: ObjectStore, key: string): Promise<readonly string[]> {
  const text = Buffer.from(await readObject({ objects }, key)).toString('utf8');
  return text.split('\n').filter((line) => line !== '');
}
