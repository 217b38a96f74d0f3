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
let nowMs: number;
const clock = { now: () => nowMs, monotonic: () => nowMs };
const dayMs = 24 * 60 * 60 * 1_000;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-site-'));
  nowMs = 1_700_000_000_000;
  s3 = new FakeS3({ now: clock.now });
  write('index.html', '<!doctype html>');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function write(name: string, content: string): void {
  mkdirSync(join(folder, name, '..'), { recursive: true });
  writeFileSync(join(folder, name), content);
}

const access = () => ({ client: new S3Client(clientConfig(s3.service)), timers: atOnce, random: systemRandom, clock });
const publish = () => publishSite(access(), { bucket: 'bucket', prefix: 'console/', folder, config: { api: 'https://api.example' } });
const cachedAs = async (name: string): Promise<string | undefined> => {
  write(name, '');
  await publish();
  return s3.service.requests.find(({ path }) => path === `/console/${name}`)?.headers['cache-control'];
};
const kept = (): readonly string[] => [...s3.objects.keys()].sort();

describe('a page in a bucket', () => {
  test('comes after everything that it loads, and what the one before has loaded stays for tabs that are open', async () => {
    write('assets/main-Bx9kQ2fL.js', 'old');
    await publish();
    rmSync(join(folder, 'assets'), { recursive: true });
    write('assets/main-Zr41mWq0.js', 'new');
    s3.service.requests.length = 0;
    expect(await publish()).toEqual(['assets/main-Zr41mWq0.js', 'config.json', 'index.html']);
    expect(s3.service.requests.map(({ operation, path }) => `${operation} ${path}`)).toEqual([
      'ListObjectsV2 /',
      'PutObject /console/assets/main-Zr41mWq0.js',
      'PutObject /console/config.json',
      'PutObject /console/index.html',
    ]);
    expect(kept()).toEqual([
      'bucket/console/assets/main-Bx9kQ2fL.js',
      'bucket/console/assets/main-Zr41mWq0.js',
      'bucket/console/config.json',
      'bucket/console/index.html',
    ]);
  });

  test('leaves what the page before has loaded, however long ago that was put there', async () => {
    write('assets/main-Bx9kQ2fL.js', 'old');
    await publish();
    rmSync(join(folder, 'assets'), { recursive: true });
    nowMs += 30 * dayMs;
    await publish();
    expect(kept()).toContain('bucket/console/assets/main-Bx9kQ2fL.js');
    nowMs += 1;
    await publish();
    expect(kept()).not.toContain('bucket/console/assets/main-Bx9kQ2fL.js');
  });

  test('is rid of what earlier ones have loaded once that is older than a week, behind the page, and of nothing that is its own', async () => {
    write('assets/logo.svg', '<svg/>');
    write('assets/main-Bx9kQ2fL.js', 'old');
    await publish();
    rmSync(join(folder, 'assets/main-Bx9kQ2fL.js'));
    nowMs += 7 * dayMs;
    await publish();
    expect(kept()).toContain('bucket/console/assets/main-Bx9kQ2fL.js');
    nowMs += 1;
    s3.service.requests.length = 0;
    await publish();
    expect(s3.service.requests.slice(-2).map(({ operation, path }) => `${operation} ${path}`)).toEqual([
      'PutObject /console/index.html',
      'DeleteObjects /',
    ]);
    expect(kept()).toEqual(['bucket/console/assets/logo.svg', 'bucket/console/config.json', 'bucket/console/index.html']);
    nowMs += 8 * dayMs;
    await publish();
    expect(kept()).toContain('bucket/console/assets/logo.svg');
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

  test.each(['assets/logo-horizontal.svg', 'assets/apple-touch-icon.png', 'assets/inter-variable.woff2'])(
    'has words in the name %s, and no digest',
    async (name) => expect(await cachedAs(name)).toBe('no-cache'),
  );

  test.each(['assets/main-Bx9kQ2fL.js', 'assets/chunk-24B66SOQ.js'])('has a digest in the name %s', async (name) =>
    expect(await cachedAs(name)).toBe('public, max-age=31536000, immutable'),
  );

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
