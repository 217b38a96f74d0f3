/**
 * A folder with a web page into a bucket, such that whoever loads the page at any moment gets one that is whole.
 *
 * SI1. What the page loads is there before the page is, and what it loaded before goes after that.
 * SI2. What has its digest in its name is kept for ever by browsers; anything else is asked for again each time.
 */
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { getMimeType } from 'hono/utils/mime';
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
/** As bundlers name what they make: `assets/main-Bx9kQ2fL.js`. */
const digestNamed = /^assets\/.*[-.][A-Za-z0-9_-]{8,}\.[a-z0-9]+$/;
const forEver = 'public, max-age=31536000, immutable';
const askedAgain = 'no-cache';

/** Names of what is there now, without the prefix. */
export async function publishSite(access: S3Access, { bucket, prefix, folder, config }: Site): Promise<readonly string[]> {
  const files = await namesOf(folder);
  const put = (name: string, body: Uint8Array): Promise<unknown> => access.client.send(new PutObjectCommand({ Bucket: bucket, Key: `${prefix}${name}`, Body: body, ...headersOf(name) })); // prettier-ignore
  for (const name of files) if (name !== page && name !== configName) await put(name, await readFile(join(folder, name)));
  await put(configName, Buffer.from(JSON.stringify(config), 'utf8'));
  await put(page, await readFile(join(folder, page)));
  const names = [...new Set([...files, configName])].sort();
  const old = (await listObjects(access, bucket, prefix))
    .map(({ name }) => name.slice(prefix.length))
    .filter((name) => !names.includes(name));
  await removeObjects(access, bucket, old.map((name) => `${prefix}${name}`)); // prettier-ignore
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
