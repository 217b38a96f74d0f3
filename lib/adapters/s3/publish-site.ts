/**
 * A folder with a web page into a bucket, such that whoever loads the page at any moment gets one that is whole.
 *
 * SI1. What the page loads is there before the page is. What the page before has loaded stays, and what earlier ones have for a week: tabs that are open,
 *      and edges, still ask for it.
 * SI2. What has its digest in its name is kept for ever by browsers; anything else is asked for again each time.
 */
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { getMimeType } from 'hono/utils/mime';
import type { Clock } from '../../ports/system.ts';
import { listObjects } from './list-objects.ts';
import { removeObjects } from './remove-objects.ts';
import type { S3Access } from './s3-access.ts';

export interface Site {
  readonly bucket: string;
  /** What all names begin with, `console/`; nothing else of the bucket is touched. */
  readonly prefix: string;
  readonly folder: string;
  /** `config.json` beside the page: what it has to know of where it is. */
  readonly config: Readonly<Record<string, string>>;
}

const page = 'index.html';
const configName = 'config.json';
/** As bundlers name what they make: `assets/main-Bx9kQ2fL.js`. A word of eight letters, as in `inter-variable.woff2`, is no digest. */
const digestNamed = /^assets\/.*[-.](?=[a-z_-]*[A-Z0-9])[A-Za-z0-9_-]{8}\.[a-z0-9]+$/;
const forEver = 'public, max-age=31536000, immutable';
const askedAgain = 'no-cache';
const oldKeptMs = 7 * 24 * 60 * 60 * 1_000;
/** Longer than putting a page takes: its files are so much older than itself at most. */
const puttingMs = 60 * 60 * 1_000;

/** Names of what the page now consists of, without the prefix. */
export async function publishSite(
  access: S3Access & { readonly clock: Clock },
  { bucket, prefix, folder, config }: Site,
): Promise<readonly string[]> {
  const files = await namesOf(folder);
  const before = await listObjects(access, bucket, prefix);
  const put = (name: string, body: Uint8Array): Promise<unknown> => access.client.send(new PutObjectCommand({ Bucket: bucket, Key: `${prefix}${name}`, Body: body, ...headersOf(name) })); // prettier-ignore
  for (const name of files) if (name !== page && name !== configName) await put(name, await readFile(join(folder, name)));
  await put(configName, Buffer.from(JSON.stringify(config), 'utf8'));
  await put(page, await readFile(join(folder, page)));
  const names = [...new Set([...files, configName])].sort();
  const wanted = new Set(names.map((name) => `${prefix}${name}`));
  const pageBeforeAtMs = before.find(({ name }) => name === `${prefix}${page}`)?.createdAtMs ?? 0;
  const cutoffMs = Math.min(access.clock.now() - oldKeptMs, pageBeforeAtMs - puttingMs);
  const old = before.filter(({ name, createdAtMs }) => !wanted.has(name) && createdAtMs < cutoffMs);
  await removeObjects(access, bucket, old.map(({ name }) => name)); // prettier-ignore
  return names;
}

export async function removeSite(access: S3Access, { bucket, prefix }: Pick<Site, 'bucket' | 'prefix'>): Promise<void> {
  const all = await listObjects(access, bucket, prefix);
  await removeObjects(access, bucket, all.map(({ name }) => name)); // prettier-ignore
}

async function namesOf(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name).slice(join(folder, '/').length)).sort(); // prettier-ignore
}

function headersOf(name: string): { readonly ContentType: string; readonly CacheControl: string } {
  return {
    ContentType: getMimeType(name) ?? 'application/octet-stream',
    CacheControl: digestNamed.test(name) ? forEver : askedAgain,
  };
}
