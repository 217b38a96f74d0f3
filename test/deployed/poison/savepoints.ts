/** Rows of reliability.md §4 that come as a savepoint that somebody has got at in the bucket. Each is a copy of a whole one, with one thing wrong. */
import { decodeMetadata, encodeMetadata, metadataFile } from '../../../lib/savepoint/metadata-codec.ts';
import type { PoisonWorld } from './poison-world.ts';
import type { SavepointMetadata } from '../../../lib/savepoint/savepoint-metadata.ts';

/** Files by their paths in the folder; `undefined` removes one. */
type Files = Readonly<Record<string, Buffer>>;

export interface BadSavepoint {
  readonly row: number;
  readonly what: string;
  readonly damage: (files: Files) => Readonly<Record<string, Buffer | undefined>>;
  /** What the check of a restore says. */
  readonly says: RegExp;
}

type Change = (metadata: SavepointMetadata) => Partial<SavepointMetadata>;

/** Of an operator's state. */
function stateFile(files: Files): string {
  return Object.keys(files).find((path) => path.startsWith('state-'))!;
}

function flipped(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[at]! ^= 1;
  return copy;
}

/** A copy of a savepoint in the bucket with what is wrong; says where. */
export async function damagedCopy(world: PoisonWorld, savepoint: string, name: string, damage: BadSavepoint['damage']): Promise<string> {
  const files = await world.readFolder(`${savepoint.slice(`s3://${world.bucket}/`.length)}/`);
  for (const [path, bytes] of Object.entries({ ...files, ...damage(files) }))
    if (bytes !== undefined && path !== '') await world.writeObject(`savepoints/damaged/${name}/${path}`, bytes);
  return `s3://${world.bucket}/savepoints/damaged/${name}`;
}

/** As somebody edits it who knows of checksums. */
const edited =
  (change: Change) =>
  (files: Files): Record<string, Buffer> => {
    const metadata = decodeMetadata(files[metadataFile]!, 'the savepoint');
    return { [metadataFile]: Buffer.from(encodeMetadata({ ...metadata, ...change(metadata) })) };
  };

/** As somebody edits it who does not. */
const replaced =
  (what: string | RegExp, by: string) =>
  (files: Files): Record<string, Buffer> => {
    const text = files[metadataFile]!.toString('utf8');
    if (text.replace(what, by) === text) throw new Error(`${String(what)} is not in the metadata`);
    return { [metadataFile]: Buffer.from(text.replace(what, by)) };
  };

const plan = (change: (text: string) => string): Change => ({ plan }) => ({ plan: JSON.parse(change(JSON.stringify(plan))) as typeof plan }); // prettier-ignore

export const badSavepoints: readonly BadSavepoint[] = [
  [20, 'a file that is cut off', (files: Files) => ({ [stateFile(files)]: files[stateFile(files)]!.subarray(0, -1) }), /state-.*bytes, not/],
  [20, 'one bit of a file', (files: Files) => ({ [stateFile(files)]: flipped(files[stateFile(files)]!, 9) }), /state-.*checksum/],
  [20, 'a file that is gone', (files: Files) => ({ [stateFile(files)]: undefined }), /state-.*missing/],
  [20, 'the contents of another file', (files: Files) => ({ [stateFile(files)]: files[metadataFile]! }), /state-.*bytes, not/],
  [21, 'an edit by hand', replaced('"name": "poisoned"', '"name": "poisoned "'), /checksum/],
  [22, 'that of another job', edited(({ job, plan: of }) => ({ job: { ...job, name: 'another' }, plan: { ...of, name: 'another' } })), /of job another, this is job poisoned/],
  [23, 'state of an operator that the job does not have', edited(plan((text) => text.replaceAll('"work"', '"labour"'))), /labour/],
  [24, 'a newer format', replaced('"format": 1', '"format": 2'), /format 2/],
  [24, 'a field that nobody knows', replaced('"kind":', '"kin": 1,\n "kind":'), /kin/],
  [24, 'a codec that nobody knows', edited(({ files }) => ({ files: files.map((file) => ({ ...file, codec: 'rot13' })) })), /rot13/],
  [25, 'state of another kind', edited(plan((text) => text.replace('"name":"seen","kind":"value"', '"name":"seen","kind":"list"').replace('"kind":"value","name":"seen"', '"kind":"list","name":"seen"'))), /seen/],
  [28, 'nothing, because it was deleted', (files: Files) => Object.fromEntries(Object.keys(files).map((path) => [path, undefined])), /./],
].map(([row, what, damage, says]) => ({ row, what, damage, says }) as BadSavepoint); // prettier-ignore
