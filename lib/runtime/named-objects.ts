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

/** All segment names of a list, oldest first. */
export function expandSegments(objects: ObjectStore, list: SegmentList): Promise<string[]> {
  return segmentNames(list, (key) => readNamed(objects, key));
}
