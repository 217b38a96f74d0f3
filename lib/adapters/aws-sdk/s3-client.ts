import { S3Client } from '@aws-sdk/client-s3';
import { clientSettings, type AwsClientOptions } from './client-settings.ts';

export interface S3ClientOptions extends AwsClientOptions {
  /** S3 refuses (403) what is asked of the bucket where its owner is another: bucket names are everybody's, and a name that was given up may be taken by anybody. */
  readonly owned?: { readonly bucket: string; readonly account: string };
}

export function createS3Client(options: S3ClientOptions = {}): S3Client {
  const client = new S3Client({
    ...clientSettings(options),
    // Our own formats carry checksums, and S3 adds one by itself: one more over every body is a sixth of the call's CPU.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    // An emulator has no names of buckets in its host name.
    forcePathStyle: (options.endpoint ?? process.env['AWS_ENDPOINT_URL_S3'] ?? process.env['AWS_ENDPOINT_URL']) !== undefined,
  });
  options.meter?.attach(client);
  if (options.owned !== undefined) expectOwner(client, options.owned);
  return client;
}

/** Every operation on a bucket that the SDK has takes it. */
function expectOwner(client: S3Client, { bucket, account }: NonNullable<S3ClientOptions['owned']>): void {
  client.middlewareStack.add(
    (next) => (call) => {
      const input = call.input as { readonly Bucket?: string };
      return next(input.Bucket === bucket ? { ...call, input: { ...input, ExpectedBucketOwner: account } as typeof call.input } : call);
    },
    { step: 'initialize', name: 'expectedBucketOwner' },
  );
}
