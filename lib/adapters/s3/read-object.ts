/** Reads an object whole. The SDK repeats requests, and not what goes wrong while an answer's body comes in: that is repeated here. */
import { GetObjectCommand } from '@aws-sdk/client-s3';
import { pauseBeforeTry, type S3Access } from './s3-access.ts';
import { isMissing, statusOf } from './s3-error.ts';

const bodyTriesMax = 3;

/** Undefined where there is no such object. */
export async function readObject(access: S3Access, bucket: string, name: string): Promise<Uint8Array | undefined> {
  for (let tries = 1; ; tries++) {
    const answer = await getObject(access, bucket, name);
    if (answer === undefined) return undefined;
    try {
      const bytes = await answer.Body!.transformToByteArray();
      if (answer.ContentLength === undefined || bytes.length === answer.ContentLength) return bytes;
      throw new Error(`${bytes.length} of ${answer.ContentLength} bytes of s3://${bucket}/${name} came in`);
    } catch (error) {
      if (tries >= bodyTriesMax || statusOf(error) !== undefined) throw error;
    }
    await pauseBeforeTry(access, tries);
  }
}

async function getObject({ client }: S3Access, bucket: string, name: string) {
  try {
    return await client.send(new GetObjectCommand({ Bucket: bucket, Key: name }));
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}
