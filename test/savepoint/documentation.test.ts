import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { createFsSavepointFolders } from '../../lib/adapters/fs/savepoint-folder.ts';
import { fileURLToPath } from 'node:url';
import { limits } from '../../lib/base/limits.ts';
import { openSavepoint } from '../../lib/savepoint/open-savepoint.ts';
import { decodeManifest } from '../../lib/checkpoint/manifest-codec.ts';

const text = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

test('the page about savepoints names every field of their metadata, every codec and every limit', async () => {
  const page = text('docs/formats/savepoint.md');
  const folder = createFsSavepointFolders().at(fileURLToPath(new URL('../golden/savepoint/v1/counting', import.meta.url)));
  const metadata = await openSavepoint(folder);
  for (const field of [...Object.keys(metadata), 'sha256']) expect(page, field).toContain(`\`${field}\``);
  for (const { codec } of metadata.files) expect(page).toContain(codec);
  expect(page).toContain(limits.savepointRowsPerFile.toLocaleString('en-US'));
  expect(limits.savepointCharactersPerFile).toBe(16 * 1024 * 1024);
});

test('the page about manifests names every field of a manifest and of a shard in it', () => {
  const page = text('docs/formats/manifest.md');
  const manifest = decodeManifest(readFileSync(new URL('../golden/manifest/v1/full.json', import.meta.url)), 'it');
  for (const field of [...Object.keys(manifest), ...Object.keys(manifest.shards[0]!)])
    expect(page, field).toMatch(new RegExp(`\`${field}\``));
});
