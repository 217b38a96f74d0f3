import { describe, expect, test } from 'vitest';
import { restoreCheckpoint } from '../../lib/coordinator/restore-requests.ts';
import { takeSavepoint } from '../../lib/coordinator/savepoint-requests.ts';
import { validateSavepoint } from '../../lib/savepoint/validate-savepoint.ts';
import { job } from '../checkpoint/fixture.ts';
import { CoordinatorWorld } from './coordinator-world.ts';

const chosen = { job, trigger: 'r', publishedSeen: null, newPlan: null, allowNonRestoredState: false, allowOtherJob: false } as const;
const order = { job, trigger: 'trigger-1', directory: 'target' };

async function started(): Promise<CoordinatorWorld> {
  const world = new CoordinatorWorld();
  await world.start();
  return world;
}

describe('a savepoint that is disturbed while its files are written', () => {
  test('is given up where the job is restored while its files are written: staged output is removed then', async () => {
    const world = await started();
    let open: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => (open = resolve));
    const { exportPart } = world.collect;
    world.collect.exportPart = async (...part) => {
      await gate;
      return exportPart(...part);
    };
    await world.boot();
    await world.dirty();
    await world.advance(1_100);
    await takeSavepoint(world.deps, order);
    await world.advance(100);
    await restoreCheckpoint(world.deps, { ...chosen, checkpoint: 'newest' });
    await world.advance(100);
    expect(world.collect.staged()).toEqual([]);
    open();
    await world.advance(1_000);
    expect((await world.stores.operations.read(job, 'trigger-1'))!.failure).toMatchObject({ code: 'SLUICE-REFUSED' });
  });

  test('whose files were written, but the answers lost, is whole', async () => {
    const world = await started();
    const { inside } = world.deps.savepoints;
    world.deps.savepoints.inside = (directory, name) => {
      const folder = inside(directory, name);
      return {
        ...folder,
        createIfAbsent: async (path, bytes) => {
          await folder.createIfAbsent(path, bytes);
          return folder.createIfAbsent(path, bytes);
        },
      };
    };
    await takeSavepoint(world.deps, order);
    await world.advance(1_000);
    const { failure, location } = (await world.stores.operations.read(job, 'trigger-1'))!;
    expect(failure).toBeNull();
    expect((await validateSavepoint(world.savepoints.at(location!))).reasons).toEqual([]);
  });
});
