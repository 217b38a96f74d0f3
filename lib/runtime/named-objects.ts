/** Objects that a record names: they exist, or the record was stale, or the job must stop. */
import type { SegmentIndex, SegmentList } from '../model/shard-record.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import { objectMissing } from './errors.ts';
import { parseJson } from '../base/parse-json.ts';

/** @throws SluiceError `SLUICE-OBJECT-MISSING`, which counts only after the record has been read again and still names it */
export async function readNamed(objects: ObjectStore, key: string): Promise<Uint8Array> {
  const bytes = await objects.read(key);
  if (bytes === undefined) throw objectMissing(key);
  return bytes;
}

/** All segment names of a list, oldest first. */
export async function expandSegments(objects: ObjectStore, list: SegmentList): Promise<string[]> {
  const pages: (readonly string[])[] = [list.recent];
  for (let key = list.chained; key !== null;) {
    const bytes = await readNamed(objects, key);
    const index = parseJson(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')) as SegmentIndex;
    pages.push(index.segments);
    key = index.previous;
  }
  return pages.reverse().flat();
}
