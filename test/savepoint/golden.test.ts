import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { createFsSavepointFolders } from '../../lib/adapters/fs/savepoint-folder.ts';
import { decodeValue } from '../../lib/model/value-json.ts';
import type { SavepointFolder } from '../../lib/ports/savepoint-folder.ts';
import { decodeKeyedRows } from '../../lib/savepoint/keyed-file.ts';
import { encodeMetadata, metadataFile } from '../../lib/savepoint/metadata-codec.ts';
import { openSavepoint } from '../../lib/savepoint/open-savepoint.ts';
import { validateSavepoint } from '../../lib/savepoint/validate-savepoint.ts';
import { MemorySavepointFolders } from '../../lib/adapters/memory/savepoint-folders.ts';
import { planOf } from '../checkpoint/plans.ts';
import { StateWorld } from './fixture.ts';

/** A savepoint as version 1 wrote it: read for ever. Written anew only by `SLUICE_WRITE_GOLDEN=1`, where it does not exist. */
const recorded = fileURLToPath(new URL('../golden/savepoint/v1/counting', import.meta.url));
const plan = planOf({ sources: 2, counters: 2 });

async function rowsOf(folder: SavepointFolder): Promise<Map<string, unknown>> {
  const rows = new Map<string, unknown>();
  for (const file of (await openSavepoint(folder)).files) {
    for (const { state, key, namespace, value } of decodeKeyedRows(file, (await folder.read(file.path))!, 128)) {
      rows.set(`${state}|${key}|${namespace}`, decodeValue(value));
    }
  }
  return rows;
}

describe('the recorded savepoint of version 1', () => {
  const folder = createFsSavepointFolders().at(recorded);

  test('is whole, and holds what it held', async () => {
    const world = new StateWorld(plan);
    await world.fill();
    if (process.env['SLUICE_WRITE_GOLDEN'] === '1' && !existsSync(recorded)) await world.export(folder);
    expect(await validateSavepoint(folder)).toMatchObject({ reasons: [], metadata: { format: 1, checkpoint: 3 } });
    expect(await rowsOf(folder)).toEqual(world.model);
  });

  test('has metadata that would be written the same today', async () => {
    const bytes = (await folder.read(metadataFile))!;
    expect(Buffer.from(encodeMetadata(await openSavepoint(folder))).toString('utf8')).toBe(Buffer.from(bytes).toString('utf8'));
  });

  test('is what an export writes today, but for how it is compressed', async () => {
    const world = new StateWorld(plan);
    await world.fill();
    const today = new MemorySavepointFolders().at('it');
    await world.export(today);
    const contents = async (of: SavepointFolder) => {
      const { files, parts, operators, ...rest } = await openSavepoint(of);
      const free = <T extends object>(value: T) => ({ ...value, bytes: 0, sha256: '' });
      return {
        ...rest,
        files: files.map(free),
        parts: parts.map(free),
        operators: operators.map((operator) => ({ ...operator, bytes: 0 })),
      };
    };
    expect(await contents(today)).toEqual(await contents(folder));
  });

  test('can be opened by the path of its metadata too', async () => {
    expect((await openSavepoint(createFsSavepointFolders().at(`${recorded}/${metadataFile}`))).job.name).toBe('counting');
  });
});
