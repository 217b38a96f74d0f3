import { describe, expect, test } from 'vitest';
import type { JobId } from '../../lib/base/ids.ts';
import { decodeManifest, encodeManifest } from '../../lib/checkpoint/manifest-codec.ts';
import { limits } from '../../lib/base/limits.ts';
import { decodeValue } from '../../lib/model/value-json.ts';
import type { KeyedBase } from '../../lib/ports/keyed-base.ts';
import { exportUnit, exportUnits, type Receipt } from '../../lib/savepoint/export-savepoint.ts';
import { abandonExport, finishExport } from '../../lib/savepoint/finish-export.ts';
import { intoNewJob } from '../../lib/savepoint/import-target.ts';
import { importedManifest, importUnit, importUnits } from '../../lib/savepoint/import-savepoint.ts';
import { openSavepoint } from '../../lib/savepoint/open-savepoint.ts';
import { validateSavepoint } from '../../lib/savepoint/validate-savepoint.ts';
import { counter, planOf, source } from '../checkpoint/plans.ts';
import { MemorySavepointFolders } from '../../lib/adapters/memory/savepoint-folders.ts';
import { StateWorld } from './fixture.ts';

const other = 'f'.repeat(32) as JobId;

async function stateOf(base: KeyedBase, space: string): Promise<Map<string, unknown>> {
  const found = new Map<string, unknown>();
  for (let after: string | null = null; ;) {
    const page: Awaited<ReturnType<KeyedBase['scan']>> = await base.scan(space, {
      operator: counter,
      keyGroups: { start: 0, end: 127 },
      after,
      rowsMax: 7,
    });
    for (const { state, key, namespace, value } of page.rows)
      if (value !== undefined) found.set(`${state}|${key}|${namespace}`, decodeValue(value));
    if (page.next === null) return found;
    after = page.next;
  }
}

async function importAll(world: StateWorld, folders: MemorySavepointFolders, times = 1): Promise<void> {
  const folder = folders.at('target');
  const metadata = await openSavepoint(folder);
  const ports = { folder, base: world.stores.base, objects: world.stores.objects, stagePart: async () => undefined };
  for (let time = 0; time < times; time++)
    for (const unit of importUnits(metadata)) await importUnit(ports, intoNewJob(other), metadata, unit);
}

describe('a savepoint', () => {
  test('holds base and deltas as they add up, and brings them to another job, however often a file is imported', async () => {
    const world = new StateWorld();
    await world.fill();
    const folders = new MemorySavepointFolders();
    await world.export(folders.at('target'));
    expect(await validateSavepoint(folders.at('target'))).toMatchObject({ reasons: [] });
    await importAll(world, folders, 2);
    expect(await stateOf(world.stores.base, other)).toEqual(world.model);
    expect(world.model.size).toBe(43);
  });

  test('shows its checkpoint even where the base has advanced to it, half-way or wholly, before or while it is written', async () => {
    const world = new StateWorld();
    await world.fill();
    const folders = new MemorySavepointFolders();
    const model = new Map(world.model);
    const ports = world.ports(folders.at('target'));
    let scans = 0;
    const base: KeyedBase = Object.assign(Object.create(world.stores.base) as KeyedBase, {
      scan: async (...args: Parameters<KeyedBase['scan']>) => {
        // The second delta reaches the base after the export has begun to read.
        if (scans++ === 1)
          await world.writeBase([world.row('key-3', 'total', 0, { deleted: true }), world.row('new', 'total', new Map([[1, 'one']]))], 3);
        const [space, query] = args;
        return world.stores.base.scan(space, { ...query, rowsMax: 2 });
      },
    });
    const receipts: Receipt[] = [];
    for (const unit of exportUnits(world.manifest)) receipts.push(await exportUnit({ ...ports, base }, unit));
    await finishExport(folders.at('target'), world.manifest, receipts);
    await importAll(world, folders);
    expect(await stateOf(world.stores.base, other)).toEqual(model);
    expect(scans).toBeGreaterThan(10);
  });

  test('is not one before its metadata is there, and what no receipt names is gone then', async () => {
    const world = new StateWorld();
    await world.fill();
    const folder = new MemorySavepointFolders().at('target');
    const ports = world.ports(folder);
    const units = exportUnits(world.manifest);
    const receipts: Receipt[] = [];
    for (const unit of units) {
      await exportUnit(ports, unit);
      receipts.push(await exportUnit(ports, unit));
    }
    await folder.createIfAbsent('notes.txt', Buffer.from('of the user'));
    await expect(openSavepoint(folder)).rejects.toMatchObject({ code: 'SLUICE-SAVEPOINT-MISSING' });
    const metadata = await finishExport(folder, world.manifest, receipts);
    const named = [...metadata.files, ...metadata.parts].map(({ path }) => path);
    expect((await folder.list()).map(({ path }) => path).sort()).toEqual([...named, '_metadata.json', 'notes.txt'].sort());
    expect(await abandonExport(folder)).toBe('whole');
  });

  test('that is given up leaves nothing behind but what was not its own', async () => {
    const world = new StateWorld();
    await world.fill();
    const folder = new MemorySavepointFolders().at('target');
    await folder.createIfAbsent('notes.txt', Buffer.from('of the user'));
    for (const unit of exportUnits(world.manifest)) await exportUnit(world.ports(folder), unit);
    expect(await abandonExport(folder)).toBe('removed');
    expect(await folder.list()).toMatchObject([{ path: 'notes.txt' }]);
  });

  test('is written in pieces of key groups that fit into memory, and in files of bounded size', async () => {
    const world = new StateWorld(planOf({ counters: 1 }));
    await world.fill();
    const [shard] = world.manifest.shards.filter(({ uid }) => uid === counter);
    const large = shard!.deltas.map((delta) => ({ ...delta, rows: limits.savepointRowsPerUnit }));
    const manifest = {
      ...world.manifest,
      shards: world.manifest.shards.map((snapshot) => (snapshot === shard ? { ...snapshot, deltas: large } : snapshot)),
    };
    const keyed = exportUnits(manifest).filter((unit) => unit.kind === 'keyed');
    expect(keyed.map(({ keyGroups }) => keyGroups)).toEqual([
      { start: 0, end: 63 },
      { start: 64, end: 127 },
    ]);
    const folders = new MemorySavepointFolders();
    const receipts: Receipt[] = [];
    for (const unit of exportUnits(manifest)) receipts.push(await exportUnit(world.ports(folders.at('target')), unit));
    await finishExport(folders.at('target'), manifest, receipts);
    await importAll(world, folders);
    expect(await stateOf(world.stores.base, other)).toEqual(world.model);
  });

  test('makes a manifest without deltas for the job that goes on from it, with everything that is not keyed', async () => {
    const world = new StateWorld();
    await world.fill();
    const folder = new MemorySavepointFolders().at('target');
    await world.export(folder);
    const metadata = await openSavepoint(folder);
    const manifest = importedManifest(metadata, intoNewJob(other), {
      checkpoint: metadata.checkpoint,
      place: (part) => ({ ...part, staged: 'elsewhere' }),
      nowMs: 77,
    });
    expect(decodeManifest(encodeManifest(manifest), 'it')).toEqual(manifest);
    expect(manifest).toMatchObject({ job: other, checkpoint: 3, kind: 'savepoint', plan: world.plan });
    expect(manifest.shards.flatMap(({ deltas }) => deltas)).toEqual([]);
    expect(manifest.shards.flatMap(({ parts }) => parts)).toMatchObject([{ staged: 'elsewhere', records: 1 }]);
    const [first] = manifest.shards.filter(({ uid }) => uid === source);
    expect(first?.splits).toEqual(world.manifest.shards.find(({ uid, shard }) => uid === source && shard === 0)?.splits);
  });
});
