/**
 * Uploads a large object in parts; it appears whole, or not at all.
 *
 * UP1. The condition is on the completion: an upload under way hinders nobody.
 * UP2. An upload that does not complete is taken back, because its parts are stored, and billed, and seen by no listing of objects. Where even that fails
 *      a lifecycle rule of the bucket removes it.
 * UP3. A completion whose answer was lost has removed the upload: what the repetition finds missing has become an object, and nobody knows whose.
 */
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  HeadObjectCommand,
  UploadPartCommand,
  type CompletedPart,
} from '@aws-sdk/client-s3';
import { errorName } from '../../base/error-name.ts';
import type { NewObject } from './put-if-absent.ts';
import type { S3Access } from './s3-access.ts';

const partBytesDefault = 8 * 1024 * 1024;
const partsAtOnce = 4;

/** @throws the SDK's error of status 412 where there is an object, of 409 or named NotFound where the upload has to begin again */
export async function uploadInParts(access: S3Access, object: NewObject): Promise<'created' | 'exists'> {
  const { client } = access;
  const place = { Bucket: object.bucket, Key: object.name };
  const { UploadId: uploadId } = await client.send(new CreateMultipartUploadCommand(place));
  const upload = { ...place, UploadId: uploadId };
  try {
    const parts = await uploadParts(access, upload, object.bytes);
    return await complete(access, upload, parts);
  } catch (error) {
    await client.send(new AbortMultipartUploadCommand(upload)).catch(() => undefined);
    throw error;
  }
}

interface Upload {
  readonly Bucket: string;
  readonly Key: string;
  readonly UploadId: string | undefined;
}

async function uploadParts(
  { client, partBytes = partBytesDefault }: S3Access,
  upload: Upload,
  bytes: Uint8Array,
): Promise<CompletedPart[]> {
  const count = Math.ceil(bytes.length / partBytes);
  const parts: CompletedPart[] = [];
  let next = 0;
  const failures: unknown[] = [];
  const worker = async (): Promise<void> => {
    while (next < count && failures.length === 0) {
      const index = next++;
      const body = bytes.subarray(index * partBytes, (index + 1) * partBytes);
      const { ETag } = await client.send(new UploadPartCommand({ ...upload, PartNumber: index + 1, Body: body }));
      parts[index] = { PartNumber: index + 1, ...(ETag === undefined ? {} : { ETag }) };
    }
  };
  const workers = Array.from({ length: Math.min(partsAtOnce, count) }, () => worker().catch((error: unknown) => failures.push(error)));
  // All of them: a part that comes in behind the abortion stays.
  await Promise.all(workers);
  if (failures.length > 0) throw failures[0];
  return parts;
}

async function complete({ client }: S3Access, upload: Upload, parts: CompletedPart[]): Promise<'created' | 'exists'> {
  try {
    await client.send(new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts: parts }, IfNoneMatch: '*' }));
    return 'created';
  } catch (error) {
    if (errorName(error) !== 'NoSuchUpload') throw error;
    // UP3: throws where there is nothing.
    await client.send(new HeadObjectCommand({ Bucket: upload.Bucket, Key: upload.Key }));
    return 'exists';
  }
}
