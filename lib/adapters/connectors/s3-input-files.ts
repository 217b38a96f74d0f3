/**
 * Input files on S3: objects, read by ranges of one version.
 *
 * SI1. Every byte of an open file is of the object as it was when its version was learned: GETs carry If-Match, and an object that was changed is told.
 * SI2. The bytes around the place that was read last stay in memory, of the objects that were read last, so that the next call finds its place without a
 *      request. All of them together are bounded; of many objects each has a smaller block.
 * SI3. What is opened without a version is asked for anew: it may have changed since.
 */
import { createHash } from 'node:crypto';
import { inputCorrupt } from './input-file.ts';
import type { InputFile, InputFiles, OpenInput } from './input-files.ts';
import type { S3Connection } from './s3-connection.ts';
import { s3InputError } from './s3-errors.ts';
import type { S3Content, S3Range } from './s3-requests.ts';
import { s3Place, s3Text } from '../../model/s3-uri.ts';

interface KnownObject {
  readonly path: string;
  readonly bytes: number;
  readonly etag: string;
  block: { readonly from: number; readonly content: Buffer };
}

interface Objects {
  readonly connection: S3Connection;
  /** The one that was used last stands last. */
  readonly known: Map<string, KnownObject>;
}

const blocksBytesMax = 67_108_864;
const blockBytesMax = 8_388_608;
const blockBytesMin = 1_048_576;
const knownMax = 256;
/** As much of the end of a Parquet file as its reader asks for. */
const endBytes = 524_288;
/** A request costs as much as the time in which a megabyte is transferred. */
const gapBytesMax = 1_048_576;
const nothing = { from: 0, content: Buffer.alloc(0) };

export function createS3InputFiles(connection: S3Connection): InputFiles {
  const objects: Objects = { connection, known: new Map() };
  return {
    gapBytesMax,
    open: async (path, options) => openFile(objects, await openObject(objects, path, options)),
    list: (path) => list(objects, path),
    join: (folder, name) => (folder.endsWith('/') ? folder : `${folder}/`) + name,
  };
}

/** One request where nothing of that version is known, none else. */
async function openObject(objects: Objects, path: string, { near, version }: OpenInput): Promise<KnownObject> {
  const wanted = etagOf(path, version);
  const known = objects.known.get(path);
  if (known !== undefined && known.etag === wanted) return remember(objects, known);
  const range = near === 'end' ? { last: endBytes } : { from: near, to: near + blockBytes(objects) };
  const { connection } = objects;
  try {
    const found = await fetchRange(objects, path, range, wanted);
    if (found !== undefined) return remember(objects, { path, bytes: found.bytes, etag: found.etag, block: found });
    // It is empty, or reading had come to its end.
    const facts = await (await connection()).head(s3Place(path), wanted);
    if (facts !== undefined) return remember(objects, { path, bytes: facts.bytes, etag: facts.etag, block: nothing });
  } catch (error) {
    throw s3InputError(path, error);
  }
  throw s3InputError(path, Object.assign(new Error('it is gone'), { $metadata: { httpStatusCode: 404 } }));
}

function openFile(objects: Objects, known: KnownObject): InputFile {
  const { path, bytes, etag } = known;
  const fetch = async (from: number, to: number): Promise<Buffer> => {
    const found = await fetchRange(objects, path, { from, to }, etag);
    if (found !== undefined && found.content.length === to - from) return found.content;
    throw inputCorrupt(path, `S3 has no bytes ${from} to ${to} of its ${bytes}`, { byte: from });
  };
  return {
    path,
    bytes,
    stamp: etag,
    version: versionOf(path, etag),

    async read(target, at) {
      if (at >= bytes) return 0;
      if (!holds(known, at, at + 1)) {
        known.block = { from: at, content: await fetch(at, Math.min(bytes, at + blockBytes(objects))) };
        remember(objects, known);
      }
      const { from, content } = known.block;
      return content.copy(target, 0, at - from);
    },

    async slice(from, to) {
      if (from === to) return new Uint8Array(0);
      const { block } = known;
      const content = holds(known, from, to) ? block.content.subarray(from - block.from, to - block.from) : await fetch(from, to);
      return Uint8Array.from(content);
    },

    close: () => Promise.resolve(),
  };
}

function holds({ block }: KnownObject, from: number, to: number): boolean {
  return from >= block.from && to <= block.from + block.content.length;
}

async function fetchRange(objects: Objects, path: string, range: S3Range, etag: string | undefined): Promise<S3Content | undefined> {
  try {
    const requests = await objects.connection();
    return await requests.get(s3Place(path), range, etag);
  } catch (error) {
    // Gone or changed: what is remembered of it is of no use any more.
    objects.known.delete(path);
    throw s3InputError(path, error);
  }
}

function remember({ known }: Objects, object: KnownObject): KnownObject {
  known.delete(object.path);
  known.set(object.path, object);
  let bytes = 0;
  for (const { block } of known.values()) bytes += block.content.length;
  for (const [path, oldest] of known) {
    if (known.size > knownMax) known.delete(path);
    else if (bytes <= blocksBytesMax) break;
    bytes -= oldest.block.content.length;
    if (oldest !== object) oldest.block = nothing;
  }
  return object;
}

function blockBytes({ known }: Objects): number {
  const share = Math.floor(blocksBytesMax / (known.size + 1));
  return Math.min(blockBytesMax, Math.max(blockBytesMin, share));
}

async function list(objects: Objects, path: string): Promise<readonly string[] | undefined> {
  const isFolder = path.endsWith('/') || s3Place(path).key === '';
  try {
    const requests = await objects.connection();
    if (!isFolder && (await requests.head(s3Place(path))) !== undefined) return undefined;
    const { bucket, key } = s3Place(path);
    const prefix = isFolder ? key : `${key}/`;
    const { keys, anything } = await requests.list({ bucket, key: prefix }, true);
    if (anything) return keys.map((found) => found.slice(prefix.length)).filter((name) => name !== '');
  } catch (error) {
    throw s3InputError(path, error);
  }
  throw s3InputError(path, Object.assign(new Error('nothing begins with it'), { name: 'NoSuchKey', $metadata: { httpStatusCode: 404 } }));
}

/** The same job may go on with another copy of its input: a version counts for its own place only. */
function versionOf(path: string, etag: string): string {
  return `${placeDigest(path)}-${etag}`;
}

function etagOf(path: string, version: string | undefined): string | undefined {
  const prefix = `${placeDigest(path)}-`;
  return version?.startsWith(prefix) ? version.slice(prefix.length) : undefined;
}

function placeDigest(path: string): string {
  return createHash('sha256')
    .update(s3Text(s3Place(path)))
    .digest('hex')
    .slice(0, 8);
}
