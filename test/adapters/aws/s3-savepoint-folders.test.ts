import { beforeEach, describe, expect, test } from 'vitest';
import type { SavepointFolders } from '../../../lib/ports/savepoint-folder.ts';
import { bytesOf, textOf } from '../../contract/fixture.ts';
import { FakeS3, xmlError } from './fake-s3.ts';
import { openS3Folders } from './s3-folders.ts';

let s3: FakeS3;
let folders: SavepointFolders;
beforeEach(() => {
  s3 = new FakeS3();
  folders = openS3Folders(s3);
});

describe('a savepoint folder in S3', () => {
  test('is the same with a slash at its end, by the path of its metadata, and from the folder above it', async () => {
    await folders.at('s3://bucket/a/one').createIfAbsent('_metadata.json', bytesOf('{}'));
    const same = ['s3://bucket/a/one', 's3://bucket/a/one/', 's3://bucket//a/one', 's3://bucket/a/one/_metadata.json'].map((location) =>
      folders.at(location),
    );
    for (const folder of [...same, folders.inside('s3://bucket/a/', 'one')]) {
      expect(folder.location).toBe('s3://bucket/a/one');
      expect(textOf(await folder.read('_metadata.json'))).toBe('{}');
    }
    expect([...s3.objects.keys()]).toEqual(['bucket/a/one/_metadata.json']);
  });

  test('may be a whole bucket', async () => {
    const folder = folders.at('s3://bucket');
    await folder.prepare();
    await folder.createIfAbsent('x/y', bytesOf('1'));
    expect(await folder.list()).toEqual([{ path: 'x/y', bytes: 1 }]);
    await folder.remove(['x/y']);
    expect(s3.objects.size).toBe(0);
  });

  test('that is prepared proves that it can be written to, twice too, and is empty', async () => {
    const folder = folders.inside('s3://bucket/a', 'one');
    await folder.prepare();
    await folder.prepare();
    expect([...s3.objects.keys()]).toEqual(['bucket/a/one/']);
    expect(await folder.list()).toEqual([]);
  });

  test('that is given up leaves nothing, and what else is in it stays', async () => {
    const folder = folders.inside('s3://bucket/a', 'one');
    await folder.prepare();
    await folder.createIfAbsent('state-x/a', bytesOf('1'));
    await folder.createIfAbsent('mine', bytesOf('2'));
    await folder.remove(['state-x/a']);
    expect([...s3.objects.keys()]).toEqual(['bucket/a/one/', 'bucket/a/one/mine']);
    await folder.remove(['mine']);
    expect(s3.objects.size).toBe(0);
  });

  test('does not list its neighbour whose name begins alike', async () => {
    await folders.at('s3://bucket/one-more').createIfAbsent('x', bytesOf('1'));
    expect(await folders.at('s3://bucket/one').list()).toEqual([]);
  });

  test('cannot be left', async () => {
    const folder = folders.at('s3://bucket/one');
    for (const path of ['../secret', 'a/../../secret', '/etc', '', 'a//b', 'a/.']) {
      await expect(folder.read(path), path).rejects.toMatchObject({ code: 'SLUICE-SAVEPOINT-CORRUPT' });
      await expect(folder.createIfAbsent(path, bytesOf('x')), path).rejects.toMatchObject({ code: 'SLUICE-SAVEPOINT-CORRUPT' });
    }
    expect(s3.service.take()).toEqual([]);
  });

  test.each(['/var/savepoints', 'file:///var/savepoints', 's3://', 'savepoints', 's3://bucket/a/../b'])(
    '%s is no place for one',
    (location) => {
      expect(() => folders.at(location)).toThrowError(
        expect.objectContaining({ code: 'SLUICE-FOLDER-UNUSABLE', retryable: false }) as Error,
      );
    },
  );

  test('that can never be written to is refused at once, with the reason and what to do', async () => {
    const refusal = { code: 'SLUICE-FOLDER-UNUSABLE', retryable: false, hint: expect.stringContaining('s3://bucket/path') };
    await expect(folders.at('s3://nobodys/one').prepare()).rejects.toMatchObject(refusal);
    for (const [code, status] of [['AccessDenied', 403], ['PermanentRedirect', 301], ['InvalidBucketName', 400]] as const) {
      s3.service.inject('PutObject', () => xmlError(code, status));
      await expect(folders.at('s3://bucket/one').createIfAbsent('x', bytesOf('1')), code).rejects.toMatchObject(refusal);
    }
  }); // prettier-ignore

  test('that cannot be written to now may be later', async () => {
    for (const [code, status] of [
      ['SlowDown', 503],
      ['InternalError', 500],
      ['ExpiredToken', 400],
    ] as const) {
      s3.service.inject('PutObject', ...[1, 2, 3].map(() => () => xmlError(code, status)));
      const written = folders.at('s3://bucket/one').createIfAbsent(`x-${code}`, bytesOf('1'));
      await expect(written, code).rejects.toMatchObject({ code: 'SLUICE-SAVEPOINT-FAILED', retryable: true });
    }
  });

  test('that is not there is empty, and one that cannot be read says so', async () => {
    const nobodys = folders.at('s3://nobodys/one');
    expect([await nobodys.read('x'), await nobodys.list()]).toEqual([undefined, []]);
    const folder = folders.at('s3://bucket/one');
    s3.service.inject('GetObject', () => xmlError('AccessDenied', 403));
    await expect(folder.read('x')).rejects.toMatchObject({ code: 'SLUICE-SAVEPOINT-UNREADABLE', retryable: false });
    s3.service.inject('ListObjectsV2', ...[1, 2, 3].map(() => () => xmlError('InternalError', 500)));
    await expect(folder.list()).rejects.toMatchObject({ code: 'SLUICE-SAVEPOINT-UNREADABLE', retryable: true });
  });
});
