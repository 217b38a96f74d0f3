/**
 * The way to S3, opened when the first `s3://` URI is used.
 *
 * SC1. Nothing of the AWS SDK is loaded before that: a run on files never loads it.
 */
import type { S3Client } from '@aws-sdk/client-s3';
import type { S3Requests } from './s3-requests.ts';

/** Until an answer begins: a part of hundreds of megabytes is sent, or copied, before it. */
export const transferTimeoutMs = 30_000;

export type S3Connection = () => Promise<S3Requests>;

/** `makeClient` is called once, at the first use. */
export function connectS3(makeClient: () => Promise<S3Client> = defaultClient): S3Connection {
  let connecting: Promise<S3Requests> | undefined;
  return () => {
    connecting ??= connect(makeClient);
    // What failed is tried again by the next call.
    connecting.catch(() => (connecting = undefined));
    return connecting;
  };
}

async function connect(makeClient: () => Promise<S3Client>): Promise<S3Requests> {
  const [{ createS3Requests }, client] = await Promise.all([import('./s3-requests.ts'), makeClient()]);
  return createS3Requests(client);
}

/** Region, credentials and endpoint as for every program of AWS: environment, profile, role. */
async function defaultClient(): Promise<S3Client> {
  const { createS3Client } = await import('../aws-sdk/s3-client.ts');
  return createS3Client({ requestTimeoutMs: transferTimeoutMs });
}
