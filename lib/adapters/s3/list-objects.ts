import { ListObjectsV2Command, type ListObjectsV2CommandOutput } from '@aws-sdk/client-s3';
import type { S3Access } from './s3-access.ts';

export interface ListedObject {
  readonly name: string;
  readonly bytes: number;
  /** In whole seconds. */
  readonly createdAtMs: number;
}

/** Everything whose name begins so, a page of 1,000 per request. */
export async function listObjects({ client }: Pick<S3Access, 'client'>, bucket: string, prefix: string): Promise<readonly ListedObject[]> {
  const found: ListedObject[] = [];
  let token: string | undefined;
  do {
    const page: ListObjectsV2CommandOutput = await client.send(
      new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix, ...(token === undefined ? {} : { ContinuationToken: token }) }),
    );
    for (const { Key: name, Size: bytes, LastModified: at } of page.Contents ?? [])
      found.push({ name: name!, bytes: bytes ?? 0, createdAtMs: at?.getTime() ?? 0 });
    token = page.IsTruncated === true ? page.NextContinuationToken : undefined;
  } while (token !== undefined);
  return found;
}
