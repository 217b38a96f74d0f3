/**
 * Creates an object unless there is one.
 *
 * PA1. S3 decides, by `If-None-Match: *`: 412 = there is one; 409 = another write or delete of that key was under way, which says nothing: again.
 * PA2. `exists` may be our own: the SDK repeats a request whose answer was lost, and the repetition meets what the first one wrote.
 */
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { errorName } from '../../base/error-name.ts';
import { pauseBeforeTry, type S3Access } from './s3-access.ts';
import { statusOf } from './s3-error.ts';
import { uploadInParts } from './upload-in-parts.ts';

/** A whole upload has to fit into the time of one request. */
const multipartAboveBytesDefault = 16 * 1024 * 1024;
const conflictTriesMax = 8;

export interface NewObject {
  readonly bucket: string;
  readonly name: string;
  readonly bytes: Uint8Array;
}

export async function putIfAbsent(access: S3Access, object: NewObject): Promise<'created' | 'exists'> {
  const isLarge = object.bytes.length > (access.multipartAboveBytes ?? multipartAboveBytesDefault);
  for (let tries = 1; ; tries++) {
    try {
      return await (isLarge ? uploadInParts(access, object) : putWhole(access, object));
    } catch (error) {
      if (statusOf(error) === 412) return 'exists';
      if (!mayBegin(error) || tries >= conflictTriesMax) throw error;
    }
    await pauseBeforeTry(access, tries);
  }
}

/** A conflict; or an upload in parts that is gone without having become an object. */
function mayBegin(error: unknown): boolean {
  return statusOf(error) === 409 || errorName(error) === 'NotFound';
}

async function putWhole({ client }: S3Access, { bucket, name, bytes }: NewObject): Promise<'created'> {
  await client.send(new PutObjectCommand({ Bucket: bucket, Key: name, Body: bytes, IfNoneMatch: '*' }));
  return 'created';
}
