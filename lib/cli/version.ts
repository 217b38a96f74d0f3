import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

/** By the package's own name: what is built lies deeper than its sources. */
export function packageVersion(): string {
  const manifest = createRequire(import.meta.url).resolve('sluice/package.json');
  return (JSON.parse(readFileSync(manifest, 'utf8')) as { readonly version: string }).version;
}
