/** Removes objects, a thousand per request. S3 answers per object, with status 200: what was not removed is tried again, and told where that did not help. */
import { DeleteObjectsCommand, type _Error as S3Refusal } from '@aws-sdk/client-s3';
import { SluiceError } from '../../base/errors.ts';
import { pauseBeforeTry, type S3Access } from './s3-access.ts';

/** DeleteObjects takes no more. */
const objectsPerCall = 1_000;
const triesMax = 3;

/** @throws SluiceError `SLUICE-OBJECTS-NOT-REMOVED`, when all that could be removed is */
export async function removeObjects(access: S3Access, bucket: string, names: readonly string[]): Promise<void> {
  let waiting: readonly string[] = [...new Set(names)];
  for (let tries = 1; waiting.length > 0; tries++) {
    const refusals: S3Refusal[] = [];
    for (let from = 0; from < waiting.length; from += objectsPerCall)
      refusals.push(...(await removeOnce(access, bucket, waiting.slice(from, from + objectsPerCall))));
    if (refusals.length === 0) return;
    if (tries >= triesMax) throw notRemoved(bucket, refusals);
    waiting = refusals.map(({ Key: name }) => name!);
    await pauseBeforeTry(access, tries);
  }
}

async function removeOnce({ client }: S3Access, bucket: string, names: readonly string[]): Promise<readonly S3Refusal[]> {
  const objects = { Objects: names.map((name) => ({ Key: name })), Quiet: true };
  const { Errors: refusals = [] } = await client.send(new DeleteObjectsCommand({ Bucket: bucket, Delete: objects }));
  return refusals;
}

function notRemoved(bucket: string, refusals: readonly S3Refusal[]): SluiceError {
  const { Key: name, Code: code, Message: message } = refusals[0]!;
  return new SluiceError(
    'SLUICE-OBJECTS-NOT-REMOVED',
    `S3 has not removed ${refusals.length} objects of ${bucket}, the first ${name}: ${message ?? code}`,
    {
      hint: 'Nothing is lost, and they are tried again. Where it lasts, look at the permissions to delete, and at object locks.',
      facts: { bucket, count: refusals.length, name, code },
      retryable: true,
    },
  );
}
