import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createFsSavepointFolders } from '../../lib/adapters/fs/savepoint-folder.ts';
import { exportRetained, parseRetained, savepointAt } from '../../lib/local/retained-checkpoint.ts';
import type { LocalSystem } from '../../lib/local/local-engine.ts';
import { inspectSavepoint } from '../../lib/savepoint/inspect-savepoint.ts';
import { validateSavepoint } from '../../lib/savepoint/validate-savepoint.ts';
import { encodeManifest } from '../../lib/checkpoint/manifest-codec.ts';
import { job, recordOf } from '../checkpoint/fixture.ts';
import { counter } from '../checkpoint/plans.ts';
import { StateWorld } from '../savepoint/fixture.ts';

let root = '';
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'sluice-retained-'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

const random = { hex: (digits: number) => '7'.repeat(digits), fraction: () => 0 };
const manifest = `jobs/${job}/manifests/chk-3-1`;

async function worldWithCheckpoint(): Promise<StateWorld> {
  const world = new StateWorld();
  await world.fill();
  await world.stores.objects.createIfAbsent(manifest, encodeManifest({ ...world.manifest, kind: 'checkpoint' }));
  const record = recordOf({ numbered: 3, completed: 3, published: 2, floor: 1, retained: [{ id: 3, kind: 'checkpoint', manifest }] });
  await world.stores.jobs.create(record);
  return world;
}

describe('a retained checkpoint', () => {
  test('becomes a savepoint beside its data directory, once', async () => {
    const world = await worldWithCheckpoint();
    const options = { connectors: { sources: {}, sinks: { collect: world.collect } }, random };
    const location = await exportRetained(world.stores, options, { dataDir: root, manifest: null });
    expect(location).toMatch(/savepoints\/savepoint-012345-[0-9a-f]{12}$/);
    const folder = createFsSavepointFolders().at(location);
    expect((await validateSavepoint(folder)).reasons).toEqual([]);
    const inspection = await inspectSavepoint(folder, { samplesPerState: 0 });
    expect(inspection).toMatchObject({ rows: 43, parts: { count: 1 }, metadata: { kind: 'checkpoint', checkpoint: 3 } });
    expect(inspection.operators.find(({ uid }) => uid === counter)?.rows).toBe(43);
    expect(await exportRetained(world.stores, options, { dataDir: root, manifest })).toBe(location);
    expect(await readdir(join(root, 'savepoints'))).toHaveLength(1);
  });

  test('that is not held by a job record is none', async () => {
    const world = await worldWithCheckpoint();
    const options = { connectors: { sources: {}, sinks: {} }, random };
    const other = `jobs/${job}/manifests/chk-2-1`;
    await expect(exportRetained(world.stores, options, { dataDir: root, manifest: other })).rejects.toMatchObject({
      code: 'SLUICE-SAVEPOINT-MISSING',
    });
  });

  test('is named by its data directory, or by the path that the API shows inside it', async () => {
    await mkdir(join(root, 'data'));
    await writeFile(join(root, 'data', 'base.sqlite'), '');
    const dataDir = join(root, 'data');
    expect(parseRetained(dataDir)).toEqual({ dataDir, manifest: null });
    expect(parseRetained(`${dataDir}/${manifest}`)).toEqual({ dataDir, manifest });
    for (const other of [root, join(root, 'nothing'), `${root}/${manifest}`, 's3://bucket/savepoint', `file://${dataDir}`])
      expect(parseRetained(other)).toBeUndefined();
  });

  test('leaves a savepoint`s own path alone, and refuses the directory that the job itself uses', async () => {
    const system = { random, connectors: { sources: {}, sinks: {} } } as unknown as LocalSystem & { connectors: never };
    expect(await savepointAt(join(root, 'savepoint-x'), system)).toBe(join(root, 'savepoint-x'));
    await writeFile(join(root, 'base.sqlite'), '');
    await expect(savepointAt(root, { ...system, dataDir: `${root}/` })).rejects.toMatchObject({ code: 'SLUICE-JOB-EXISTS' });
  });
});
