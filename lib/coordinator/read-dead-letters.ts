/** What a job's operators have set aside, as far as checkpoints have completed. */
import type { JobId } from '../base/ids.ts';
import type { DeadLetter } from '../model/dead-letter.ts';
import { deadLettersPrefix } from '../model/dead-letter-keys.ts';
import { decodeValue } from '../model/value-json.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import { readObject } from './coordinator-deps.ts';

/** Objects never change, so how many letters each holds is read once. */
const counts = new WeakMap<ObjectStore, Map<string, number>>();

export async function readDeadLetters(objects: ObjectStore, job: JobId): Promise<readonly DeadLetter[]> {
  const letters: DeadLetter[] = [];
  for (const key of await keysOf(objects, job))
    for (const line of await linesOf(objects, key)) letters.push(decodeValue(line) as DeadLetter);
  return letters;
}

export async function countDeadLetters(objects: ObjectStore, job: JobId): Promise<number> {
  const known = counts.get(objects) ?? new Map<string, number>();
  counts.set(objects, known);
  let total = 0;
  for (const key of await keysOf(objects, job)) {
    let count = known.get(key);
    if (count === undefined) known.set(key, (count = (await linesOf(objects, key)).length));
    total += count;
  }
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
