import { Readable } from 'node:stream';
import { S3Client } from '@aws-sdk/client-s3';
import { beforeEach, describe, expect, test } from 'vitest';
import { createS3ObjectStore } from '../../../lib/adapters/s3/object-store.ts';
import { systemRandom } from '../../../lib/adapters/system/random.ts';
import type { ObjectStore } from '../../../lib/ports/object-store.ts';
import { bytesOf, textOf } from '../../contract/fixture.ts';
import { clientConfig } from './fake-service.ts';
import { FakeS3, xmlError, type FakeS3Options } from './fake-s3.ts';

const mebibyte = 1024 * 1024;
const atOnce = { after: (_: number, wake: () => void) => (setImmediate(wake), () => undefined) };
let s3: FakeS3;
let objects: ObjectStore;

function open(options: FakeS3Options = {}, bucket = 'bucket'): void {
  s3 = new FakeS3(options);
  const large = { multipartAboveBytes: 11 * mebibyte, partBytes: 5 * mebibyte };
  objects = createS3ObjectStore({ client: new S3Client(clientConfig(s3.service)), bucket, timers: atOnce, random: systemRandom, ...large });
}

function held(key: string): string | undefined {
  return textOf(s3.objects.get(`bucket/${key}`)?.bytes);
}

beforeEach(() => open());

describe('creating an object in S3', () => {
  test('is one request, and says that it wants none to be there', async () => {
    await objects.createIfAbsent('jobs/a.b/c_d-1', bytesOf('x'));
    const [{ headers, operation }] = s3.service.requests as [(typeof s3.service.requests)[0]];
    expect([operation, headers['if-none-match']]).toEqual(['PutObject', '*']);
    expect(held('jobs/a.b/c_d-1')).toBe('x');
  });

  test('a conflict with another write says nothing, and is tried again', async () => {
    s3.service.inject(
      'PutObject',
      () => xmlError('ConditionalRequestConflict', 409),
      () => xmlError('ConditionalRequestConflict', 409),
    );
    expect(await objects.createIfAbsent('k', bytesOf('x'))).toBe('created');
    expect(s3.service.take()).toEqual(['PutObject', 'PutObject', 'PutObject']);
  });

  test('a conflict that does not end is told in the end', async () => {
    s3.service.inject('PutObject', ...Array.from({ length: 20 }, () => () => xmlError('ConditionalRequestConflict', 409)));
    await expect(objects.createIfAbsent('k', bytesOf('x'))).rejects.toMatchObject({ name: 'ConditionalRequestConflict' });
    expect(s3.service.take().length).toBe(8);
  });

  test('a lost answer is asked for again, and meets what was written', async () => {
    s3.service.inject('PutObject', 'lost-answer');
    expect(await objects.createIfAbsent('k', bytesOf('x'))).toBe('exists');
    s3.service.inject('PutObject', 'lost-request');
    expect(await objects.createIfAbsent('other', bytesOf('x'))).toBe('created');
    expect([held('k'), held('other')]).toEqual(['x', 'x']);
  });

  test('throttles and faults of the service are tried again, and told as passing when they stay', async () => {
    s3.service.inject(
      'PutObject',
      () => xmlError('SlowDown', 503),
      () => xmlError('InternalError', 500),
    );
    expect(await objects.createIfAbsent('k', bytesOf('x'))).toBe('created');
    s3.service.inject('PutObject', ...[1, 2, 3].map(() => () => xmlError('SlowDown', 503)));
    await expect(objects.createIfAbsent('l', bytesOf('x'))).rejects.toMatchObject({ code: 'SLUICE-AWS-THROTTLED', retryable: true });
    s3.service.inject('PutObject', ...[1, 2, 3].map(() => () => xmlError('InternalError', 500)));
    await expect(objects.createIfAbsent('m', bytesOf('x'))).rejects.toMatchObject({ code: 'SLUICE-AWS-UNREACHABLE', retryable: true });
  });
});

describe('a large object', () => {
  const large = Uint8Array.from({ length: 12 * mebibyte }, (_, i) => (i * 31) & 0xff);

  test('goes up in parts, and is created once', async () => {
    expect(await objects.createIfAbsent('large', large)).toBe('created');
    expect(s3.service.take().sort()).toEqual([
      'CompleteMultipartUpload',
      'CreateMultipartUpload',
      'UploadPart',
      'UploadPart',
      'UploadPart',
    ]);
    expect(Buffer.from((await objects.read('large'))!).equals(large)).toBe(true);
    expect(await objects.createIfAbsent('large', new Uint8Array(12 * mebibyte))).toBe('exists');
    expect(Buffer.from((await objects.read('large'))!).equals(large)).toBe(true);
    expect(s3.uploads.size).toBe(0);
  });

  test('a conflict at its completion begins it again, and leaves no part behind', async () => {
    s3.service.inject('CompleteMultipartUpload', () => xmlError('ConditionalRequestConflict', 409));
    expect(await objects.createIfAbsent('large', large)).toBe('created');
    expect(s3.service.take().filter((operation) => operation === 'CreateMultipartUpload').length).toBe(2);
    expect(s3.uploads.size).toBe(0);
  });

  test('a lost answer to its completion is recognised by the object', async () => {
    s3.service.inject('CompleteMultipartUpload', 'lost-answer');
    expect(await objects.createIfAbsent('large', large)).toBe('exists');
    expect(s3.service.take()).toContain('HeadObject');
    expect((await objects.read('large'))?.length).toBe(large.length);
  });

  test('an upload that is gone without an object begins again', async () => {
    s3.service.inject('CompleteMultipartUpload', () => xmlError('NoSuchUpload', 404));
    expect(await objects.createIfAbsent('large', large)).toBe('created');
  });

  test('one that fails is taken back', async () => {
    s3.service.inject('UploadPart', () => xmlError('AccessDenied', 403));
    await expect(objects.createIfAbsent('large', large)).rejects.toMatchObject({ code: 'SLUICE-AWS-REFUSED' });
    // Behind the last of its parts: what came in later would stay.
    expect(s3.service.take().indexOf('AbortMultipartUpload')).toBe(4);
    expect(s3.uploads.size).toBe(0);
    expect(await objects.read('large')).toBeUndefined();
  });
});

describe('reading an object of S3', () => {
  test('a body that breaks off is read again', async () => {
    await objects.createIfAbsent('k', bytesOf('whole'));
    s3.service.take();
    const breaking = () => ({ status: 200, headers: { 'content-length': '5' }, body: Readable.from(breakingBytes()) });
    const short = () => ({ status: 200, headers: { 'content-length': '5' }, body: Readable.from([Buffer.from('who')]) });
    s3.service.inject('GetObject', breaking, short);
    expect(textOf(await objects.read('k'))).toBe('whole');
    expect(s3.service.take()).toEqual(['GetObject', 'GetObject', 'GetObject']);
  });

  test('a bucket that is not there, or not ours, is not taken for a missing object', async () => {
    s3.service.inject('GetObject', () => xmlError('AccessDenied', 403));
    await expect(objects.read('k')).rejects.toMatchObject({ code: 'SLUICE-AWS-REFUSED' });
    open({}, 'elsewhere');
    await expect(objects.read('k')).rejects.toMatchObject({ name: 'NoSuchBucket' });
  });
});

async function* breakingBytes(): AsyncGenerator<Buffer> {
  yield Buffer.from('wh');
  throw Object.assign(new Error('aborted'), { code: 'ECONNRESET' });
}

describe('listing and removing in S3', () => {
  test('all pages are read, one request for each', async () => {
    open({ pageSize: 3 });
    const keys = ['p/a', 'p/b', 'p/.hidden', 'p/100%', 'p/ä', 'p/\u{1f600}', 'p/z'].sort();
    for (const key of [...keys, 'q/x']) await objects.createIfAbsent(key, bytesOf(key));
    s3.service.take();
    expect((await objects.list('p/')).map(({ key }) => key)).toEqual(keys);
    expect(s3.service.take().length).toBe(3);
    expect((await objects.list('p/.hid')).map(({ key }) => key)).toEqual(['p/.hidden']);
    expect(await objects.list('p/.')).toHaveLength(1);
  });

  test('a thousand go with one request, and none costs none', async () => {
    const keys = Array.from({ length: 1_001 }, (_, i) => `k${i}`);
    for (const key of keys.slice(0, 3)) await objects.createIfAbsent(key, bytesOf('x'));
    s3.service.take();
    await objects.remove(keys);
    expect(s3.service.take()).toEqual(['DeleteObjects', 'DeleteObjects']);
    await objects.remove([]);
    expect(s3.service.take()).toEqual([]);
    expect(s3.objects.size).toBe(0);
  });

  test('what was not removed is tried again by itself', async () => {
    let refusals = 1;
    open({ undeletable: (key) => (key === 'b' && refusals-- > 0 ? 'InternalError' : undefined) });
    for (const key of ['a', 'b']) await objects.createIfAbsent(key, bytesOf('x'));
    s3.service.take();
    await objects.remove(['a', 'b']);
    expect([s3.service.take().length, s3.objects.size]).toEqual([2, 0]);
  });

  test('what cannot be removed is told, and the rest is removed', async () => {
    open({ undeletable: (key) => (key === 'locked' ? 'AccessDenied' : undefined) });
    for (const key of ['a', 'locked', 'z']) await objects.createIfAbsent(key, bytesOf('x'));
    await expect(objects.remove(['a', 'locked', 'z'])).rejects.toMatchObject({
      code: 'SLUICE-OBJECTS-NOT-REMOVED',
      facts: { count: 1, name: 'locked', code: 'AccessDenied' },
    });
    expect([...s3.objects.keys()]).toEqual(['bucket/locked']);
  });
});
