import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { expect, test } from 'vitest';
import { emulatorForContract } from './emulator.ts';

const emulator = await emulatorForContract();

if (emulator !== undefined) {
  test('a contract suite reaches the emulator by the SDK, and finds the conditional create that object stores need', async () => {
    const s3 = new S3Client({ ...emulator.client, forcePathStyle: true });
    await s3.send(new CreateBucketCommand({ Bucket: 'contract' }));
    const create = (body: string) => s3.send(new PutObjectCommand({ Bucket: 'contract', Key: 'once', Body: body, IfNoneMatch: '*' }));
    await create('first');
    await expect(create('second')).rejects.toMatchObject({ name: 'PreconditionFailed', $metadata: { httpStatusCode: 412 } });
  });
}
