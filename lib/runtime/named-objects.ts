/** Objects that a record names: they exist, or the record was stale, or the job must stop. */
import { segmentNames } from '../model/segment-envelopes.ts';
import type { SegmentList } from '../model/shard-record.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import { objectMissing } from './errors.ts';

/** @throws SluiceError `SLUICE-OBJECT-MISSING`, which counts only after the record has been read again and still names it */
export async function readNamed(objects: ObjectStore, key: string): Promise<Uint8Array> {
  const bytes = await objects.read(key);
  if (bytes === undefined) throw objectMissing(key);
  return bytes;
}

/** What a service of AWS takes from one function without a word, and not more in memory than is worked off at once. */
const readsAtOnce = 16;

/** In their order, several at once: who opens a shard waits for hundreds of them, and a batch whose shard is opened for too long has been given to another. */
export async function* readAllNamed<T extends { readonly key: string }>(
  objects: ObjectStore,
  named: readonly T[],
): AsyncGenerator<T & { readonly bytes: Uint8Array }> {
  for (let from = 0; from < named.length; from += readsAtOnce) {
    const some = named.slice(from, from + readsAtOnce);
    const read = await Promise.all(some.map(({ key }) => readNamed(objects, key)));
    for (const [i, bytes] of read.entries()) yield { ...some[i]!, bytes };
  }
}

/** All segment names of a list, oldest first. */
export function expandSegments(objects: ObjectStore, list: SegmentList): Promise<string[]> {
  return segmentNames(list, (key) => readNamed(objects, key));
}
