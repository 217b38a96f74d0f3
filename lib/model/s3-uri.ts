/** Places on S3 as jobs name them: `s3://bucket/key`. Keys are taken literally: nothing in them is escaped. */
import { SluiceError } from '../base/errors.ts';

export interface S3Place {
  readonly bucket: string;
  readonly key: string;
}

const pattern = /^[sS]3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(.*))?$/s;
/** S3's own limit, in bytes of UTF-8. */
const keyBytesMax = 1_024;

export function isS3Uri(uri: string): boolean {
  return /^s3:/i.test(uri);
}

/**
 * Slashes that follow each other count as one: `${output}/daily` is the same place whether `output` ends in a slash or not.
 * @throws SluiceError `SLUICE-CONNECTOR-OPTION`
 */
export function s3Place(uri: string): S3Place {
  const [, bucket, key = ''] = pattern.exec(uri) ?? [];
  const plain = key.replace(/\/{2,}/g, '/').replace(/^\//, '');
  if (bucket !== undefined && Buffer.byteLength(plain) <= keyBytesMax) return { bucket, key: plain };
  throw new SluiceError('SLUICE-CONNECTOR-OPTION', `${uri} names no place on S3`, {
    hint: 'Write s3://bucket/key, with a slash at the end for all objects below a prefix. The ARN of an access point is none; its alias is.',
    facts: { uri },
  });
}

export function s3Text({ bucket, key }: S3Place): string {
  return `s3://${bucket}/${key}`;
}
