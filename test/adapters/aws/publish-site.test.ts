import { S3Client } from '@aws-sdk/client-s3';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { publishSite, removeSite } from '../../../lib/adapters/s3/publish-site.ts';
import { systemRandom } from '../../../lib/adapters/system/random.ts';
import { clientConfig } from './fake-service.ts';
import { FakeS3, xmlError } from './fake-s3.ts';

const atOnce = { after: (_: number, wake: () => void) => (setImmediate(wake), () => undefined) };
let folder: string;
let s3: FakeS3;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-site-'));
  s3 = new FakeS3();
  write('index.html', '<!doctype html>');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function write(name: string, content: string): void {
  mkdirSync(join(folder, name, '..'), { recursive: true });
  writeFileSync(join(folder, name), content);
}

const access = () => ({ client: new S3Client(clientConfig(s3.service)), timers: atOnce, random: systemRandom });
const publish = () => publishSite(access(), { bucket: 'bucket', prefix: 'console/', folder, config: { api: 'https://api.example' } });
const kept = (): readonly string[] => [...s3.objects.keys()].sort();

describe('a page in a bucket', () => {
  test('comes after everything that it loads, and before what the one before has loaded goes', async () => {
    write('assets/main-Bx9kQ2fL.js', 'old');
    await publish();
    rmSync(join(folder, 'assets'), { recursive: true });
    write('assets/main-Zr41mWq0.js', 'new');
    s3.service.requests.length = 0;
    expect(await publish()).toEqual(['assets/main-Zr41mWq0.js', 'config.json', 'index.html']);
    expect(s3.service.requests.map(({ operation, path }) => `${operation} ${path}`)).toEqual([
      'PutObject /console/assets/main-Zr41mWq0.js',
      'PutObject /console/config.json',
      'PutObject /console/index.html',
      'ListObjectsV2 /',
      'DeleteObjects /',
    ]);
    expect(kept()).toEqual(['bucket/console/assets/main-Zr41mWq0.js', 'bucket/console/config.json', 'bucket/console/index.html']);
  });

  test('says of each file what it is, and of those with their digest in the name that they never change', async () => {
    write('assets/main-Bx9kQ2fL.js', '');
    write('apple-touch-icon.svg', '<svg/>');
    write('notes', '');
    await publish();
    const headers = new Map(s3.service.requests.map(({ path, headers: all }) => [path, [all['content-type'], all['cache-control']]]));
    expect(headers.get('/console/index.html')).toEqual(['text/html; charset=utf-8', 'no-cache']);
    expect(headers.get('/console/assets/main-Bx9kQ2fL.js')).toEqual([
      'text/javascript; charset=utf-8',
      'public, max-age=31536000, immutable',
    ]);
    expect(headers.get('/console/apple-touch-icon.svg')).toEqual(['image/svg+xml; charset=utf-8', 'no-cache']);
    expect(headers.get('/console/notes')).toEqual(['application/octet-stream', 'no-cache']);
  });

  test('is told where it is by a file of ours, whatever came with it', async () => {
    write('config.json', '{"api":"of somebody’s laptop"}');
    await publish();
    expect(JSON.parse(s3.objects.get('bucket/console/config.json')!.bytes.toString())).toEqual({ api: 'https://api.example' });
  });

  test('stays as it was where something that it loads could not be written', async () => {
    await publish();
    write('index.html', '<!doctype html><p>new');
    write('a.js', '');
    s3.service.inject('PutObject', () => xmlError('AccessDenied', 403));
    await expect(publish()).rejects.toMatchObject({ name: 'AccessDenied' });
    expect(s3.objects.get('bucket/console/index.html')!.bytes.toString()).toBe('<!doctype html>');
  });

  test('goes whole, and nothing beside it', async () => {
    await publish();
    s3.objects.set('bucket/console-of-others', s3.objects.get('bucket/console/index.html')!);
    await removeSite(access(), { bucket: 'bucket', prefix: 'console/' });
    expect(kept()).toEqual(['bucket/console-of-others']);
  });
});
