/**
 * Which modules a job consists of, and what they say: the job's file and what it imports, one from another. Packages and Sluice itself are not the job's
 * own; what is imported only while the job runs is not seen.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

const sluice = new URL('../', import.meta.url).href;
const packages = '/node_modules/';

const importsOf = new Map<string, Set<string>>();

/** To be called for every module that the loader resolves. */
export function noteImport(from: string | undefined, to: string): void {
  if (from === undefined || !to.startsWith('file:') || to.startsWith(sluice) || to.includes(packages)) return;
  const known = importsOf.get(from);
  if (known === undefined) importsOf.set(from, new Set([to]));
  else known.add(to);
}

/** Of a module that has been imported: the same wherever its folder stands. */
export function moduleDigest(entry: string): string {
  const found = new Set([entry]);
  for (const url of found) for (const next of importsOf.get(url) ?? []) found.add(next);
  const folder = fileURLToPath(new URL('.', entry));
  const files = [...found].map((url) => fileURLToPath(url)).map((file) => ({ name: relative(folder, file).replaceAll(sep, '/'), file }));
  const hash = createHash('sha256');
  for (const { name, file } of files.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const content = readFileSync(file);
    hash.update(`${name}\0${content.length}\0`).update(content);
  }
  return hash.digest('hex').slice(0, 32);
}
