import { S3Client } from '@aws-sdk/client-s3';
import { clientSettings, type AwsClientOptions } from './client-settings.ts';

export function createS3Client(options: AwsClientOptions = {}): S3Client {
  const client = new S3Client({
    ...clientSettings(options),
    // Our own formats carry checksums, and S3 adds one by itself: one more over every body is a sixth of the call's CPU.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    // An emulator has no names of buckets in its host name.
    forcePathStyle: (options.endpoint ?? process.env['AWS_ENDPOINT_URL_S3'] ?? process.env['AWS_ENDPOINT_URL']) !== undefined,
  });
  options.meter?.attach(client);
  return client;
}
