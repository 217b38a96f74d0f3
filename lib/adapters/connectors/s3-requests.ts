/**
 * The few requests to S3 that sources and sinks make, and what their answers mean.
 *
 * Owns: conditions, ranges, paging, tries that the SDK does not make itself (a body that breaks off, a lost race).
 * Does not own: the client with its time-outs and retries, and what an error means to people.
 *
 * SR1. A body is as long as its answer says, or it is asked for again: the SDK's own tries end where the body begins.
 * SR2. A create or copy whose answer was lost is found to exist by the SDK's next try: "exists" does not say whose it is.
 */
import {
  CopyObjectCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  type GetObjectCommandOutput,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { setTimeout } from 'node:timers/promises';
import { s3Problem } from './s3-errors.ts';
import type { S3Place } from '../../model/s3-uri.ts';

export interface S3Facts {
  /** Of the whole object. */
  readonly bytes: number;
  readonly etag: string;
  readonly metadata: Readonly<Record<string, string>>;
}

export interface S3Content extends S3Facts {
  readonly from: number;
  readonly content: Buffer;
}

/** The end not included. */
export type S3Range = { readonly from: number; readonly to: number } | { readonly last: number };

export interface S3Requests {
  /** Undefined where the object ends before the range begins. @throws the SDK's error, of status 412 where the object is another one than `etag` */
  get(place: S3Place, range: S3Range | undefined, etag?: string): Promise<S3Content | undefined>;
  head(place: S3Place, etag?: string): Promise<S3Facts | undefined>;
  /** `exists`: perhaps by an earlier try of this very call. */
  create(place: S3Place, content: Uint8Array, metadata: Readonly<Record<string, string>>): Promise<'created' | 'exists'>;
  /** Of one bucket, with the metadata. */
  copyIfAbsent(bucket: string, from: string, to: string): Promise<'copied' | 'exists' | 'missing'>;
  remove(bucket: string, keys: readonly string[]): Promise<void>;
  /** Keys in the order of UTF-8; `isFlat`: only those without a slash after the prefix. `anything`: whether something is there at all. */
  list(place: S3Place, isFlat: boolean): Promise<{ readonly keys: readonly string[]; readonly anything: boolean }>;
}

const triesMax = 5;
const pauseMs = 50;
const keysPerRemoval = 1_000;
const brokenOff = 'AnswerBrokenOff';

export function createS3Requests(client: S3Client): S3Requests {
  return {
    get: (place, range, etag) => get(client, place, range, etag),
    head: (place, etag) => head(client, place, etag),

    create: (place, content, metadata) =>
      again(async () => {
        try {
          await client.send(
            new PutObjectCommand({ Bucket: place.bucket, Key: place.key, Body: content, Metadata: { ...metadata }, IfNoneMatch: '*' }),
          );
          return 'created';
        } catch (error) {
          if (s3Problem(error).status === 412) return 'exists';
          throw error;
        }
      }, isLostRace),

    copyIfAbsent: (bucket, from, to) =>
      again(async () => {
        const source = `${bucket}/${from.split('/').map(encodeURIComponent).join('/')}`;
        try {
          await client.send(new CopyObjectCommand({ Bucket: bucket, Key: to, CopySource: source, IfNoneMatch: '*' }));
          return 'copied';
        } catch (error) {
          const { status, name } = s3Problem(error);
          if (status === 412) return 'exists';
          if (status === 404 && name !== 'NoSuchBucket') return 'missing';
          throw error;
        }
      }, isLostRace),

    async remove(bucket, keys) {
      for (let at = 0; at < keys.length; at += keysPerRemoval) await removeSome(client, bucket, keys.slice(at, at + keysPerRemoval));
    },

    async list({ bucket, key: prefix }, isFlat) {
      const keys = new Set<string>();
      let anything = false;
      for (let token: string | undefined; ;) {
        const page = await client.send(
          new ListObjectsV2Command({
            Bucket: bucket,
            Prefix: prefix,
            ...(isFlat ? { Delimiter: '/' } : {}),
            ...(token === undefined ? {} : { ContinuationToken: token }),
          }),
        );
        for (const { Key } of page.Contents ?? []) if (Key !== undefined) keys.add(Key);
        anything ||= (page.Contents?.length ?? 0) + (page.CommonPrefixes?.length ?? 0) > 0;
        if (page.IsTruncated !== true || page.NextContinuationToken === undefined) return { keys: [...keys], anything };
        token = page.NextContinuationToken;
      }
    },
  };
}

async function get(client: S3Client, place: S3Place, range: S3Range | undefined, etag: string | undefined): Promise<S3Content | undefined> {
  const input = {
    Bucket: place.bucket,
    Key: place.key,
    ...(range === undefined ? {} : { Range: 'last' in range ? `bytes=-${range.last}` : `bytes=${range.from}-${range.to - 1}` }),
    ...(etag === undefined ? {} : { IfMatch: etag }),
  };
  try {
    return await again(async () => {
      const answer = await client.send(new GetObjectCommand(input));
      const content = await bodyOf(answer);
      const [, from, bytes] = /^bytes (\d+)-\d+\/(\d+)$/.exec(answer.ContentRange ?? '') ?? [];
      return {
        content,
        from: Number(from ?? 0),
        bytes: Number(bytes ?? content.length),
        etag: answer.ETag ?? '',
        metadata: answer.Metadata ?? {},
      };
    }, isBrokenOff);
  } catch (error) {
    if (s3Problem(error).status === 416) return undefined;
    throw error;
  }
}

async function head(client: S3Client, { bucket, key }: S3Place, etag: string | undefined): Promise<S3Facts | undefined> {
  try {
    const answer = await client.send(new HeadObjectCommand({ Bucket: bucket, Key: key, ...(etag === undefined ? {} : { IfMatch: etag }) }));
    return { bytes: answer.ContentLength ?? 0, etag: answer.ETag ?? '', metadata: answer.Metadata ?? {} };
  } catch (error) {
    if (s3Problem(error).status === 404) return undefined;
    throw error;
  }
}

/** What is not there counts as removed. A removal of one object costs nothing. */
async function removeSome(client: S3Client, bucket: string, keys: readonly string[]): Promise<void> {
  if (keys.length === 1) {
    await client.send(new DeleteObjectCommand({ Bucket: bucket, Key: keys[0] }));
    return;
  }
  const { Errors: refused = [] } = await client.send(
    new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects: keys.map((Key) => ({ Key })), Quiet: true } }),
  );
  const [first] = refused;
  if (first === undefined) return;
  const status = first.Code === 'AccessDenied' ? 403 : 503;
  const error = new Error(`${refused.length} of ${keys.length} objects were not removed, ${first.Key}: ${first.Message ?? first.Code}`);
  throw Object.assign(error, { name: first.Code ?? 'Error', $metadata: { httpStatusCode: status } });
}

/** Somebody else's write or removal of the same key was under way. */
function isLostRace(error: unknown): boolean {
  return s3Problem(error).status === 409;
}

/** After the answer had begun: what fails before is tried again by the SDK. */
async function bodyOf({ Body, ContentLength }: GetObjectCommandOutput): Promise<Buffer> {
  let why: unknown;
  try {
    const body = await Body!.transformToByteArray();
    if (body.length === (ContentLength ?? body.length)) return Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  } catch (error) {
    why = error;
  }
  throw Object.assign(new Error('the answer broke off', { cause: why }), { name: brokenOff });
}

function isBrokenOff(error: unknown): boolean {
  return s3Problem(error).name === brokenOff;
}

async function again<T>(attempt: () => Promise<T>, isWorthIt: (error: unknown) => boolean): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await attempt();
    } catch (error) {
      if (tries >= triesMax || !isWorthIt(error)) throw error;
      await setTimeout(Math.random() * pauseMs * 2 ** tries);
    }
  }
}
