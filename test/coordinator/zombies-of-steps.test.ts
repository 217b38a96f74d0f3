/** Steps of flows of which an earlier try still goes on: each the shortest run of what crash coverage has found, and the rule that was missing (ADR 33). */
import { describe, expect, test } from 'vitest';
import { readOperation, updateOperation } from '../../lib/coordinator/operation-log.ts';
import { newestOf } from '../../lib/coordinator/restore-request.ts';
import { takeSavepoint } from '../../lib/coordinator/savepoint-requests.ts';
import { switchTo } from '../../lib/coordinator/switch-restore.ts';
import type { OperationRecord } from '../../lib/ports/records.ts';
import { job } from '../checkpoint/fixture.ts';
import { CoordinatorWorld } from './coordinator-world.ts';

const asked = { job, trigger: 'asked' };

async function started(): Promise<CoordinatorWorld> {
  const world = new CoordinatorWorld();
  await world.start();
  return world;
}

const begun: OperationRecord = {
  ...asked,
  kind: 'savepoint',
  status: 'IN_PROGRESS',
  request: {},
  progress: { next: 0 },
  location: null,
  failure: null,
  createdAtMs: 1,
  changedAtMs: 1,
};

describe('an operation', () => {
  test('that has ended stays as it is, whatever an earlier step still writes', async () => {
    const world = await started();
    await takeSavepoint(world.deps, { ...asked, directory: 'target' });
    await world.advance(5_000);
    const ended = await readOperation(world.deps, asked);
    expect(ended).toMatchObject({ status: 'COMPLETED', failure: null });
    expect(ended.location).not.toBeNull();
    expect(await updateOperation(world.deps, asked, { progress: { next: 0 }, status: 'IN_PROGRESS', location: null })).toEqual(ended);
    expect(await readOperation(world.deps, asked)).toEqual(ended);
  });

  test('keeps its place where a later step has written it, and its progress where that has got further', async () => {
    const world = await started();
    await world.stores.operations.create(begun);
    await updateOperation(world.deps, asked, { progress: { next: 3, units: 3 }, location: 'here' });
    await updateOperation(world.deps, asked, { progress: { next: 1, units: 3 } });
    expect(await readOperation(world.deps, asked)).toMatchObject({ progress: { next: 3, units: 3 }, location: 'here' });
  });

  test('loses no change of two that are made at once', async () => {
    const world = await started();
    await world.stores.operations.create(begun);
    await Promise.all([
      updateOperation(world.deps, asked, { location: 'here' }),
      updateOperation(world.deps, asked, { progress: { next: 2 } }),
    ]);
    expect(await readOperation(world.deps, asked)).toMatchObject({ progress: { next: 2 }, location: 'here', version: 2 });
  });
});

describe('a switch to another attempt', () => {
  test('is done where an earlier try of the same step has come first: it is no other restore', async () => {
    const world = await started();
    await world.dirty();
    await world.advance(1_100);
    const record = await world.record();
    const request = newestOf(record);
    const { promise: open, resolve } = Promise.withResolvers<void>();
    const { objects } = world.stores;
    const late = {
      read: objects.read.bind(objects),
      list: objects.list.bind(objects),
      remove: objects.remove.bind(objects),
      createIfAbsent: async (key: string, bytes: Uint8Array) => {
        await open;
        return objects.createIfAbsent(key, bytes);
      },
    };
    const zombie = switchTo({ ...world.deps, objects: late }, record, request, 'asked');
    expect(await switchTo(world.deps, record, request, 'asked')).toEqual({ attempt: 2 });
    resolve();
    expect(await zombie).toEqual({ attempt: 2 });
    expect((await world.record()).attempt).toBe(2);
  });

  test('is finished by a sweep where whoever made it is gone, although nothing was unfinished before', async () => {
    const world = await started();
    await world.dirty();
    await world.advance(2 * 3_600_000);
    const record = await world.record();
    expect(record).toMatchObject({ sweepAtMs: 0, status: 'RUNNING' });
    await switchTo(world.deps, record, newestOf(record), 'asked');
    expect(await world.record()).toMatchObject({ status: 'RESTARTING', attempt: 2 });
    await world.advance(2 * 3_600_000);
    expect(await world.record()).toMatchObject({ status: 'RUNNING', attempt: 2 });
  });
});
