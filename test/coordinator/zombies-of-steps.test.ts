/** Steps of flows of which an earlier try still goes on: each the shortest run of what crash coverage has found, and the rule that was missing (ADR 33). */
import { describe, expect, test } from 'vitest';
import { readOperation, updateOperation, type OperationInput } from '../../lib/coordinator/operation-log.ts';
import type { JobId } from '../../lib/base/ids.ts';
import { failRestore } from '../../lib/coordinator/fail-restore.ts';
import { importSavepoint } from '../../lib/coordinator/import-savepoint.ts';
import { startImported } from '../../lib/coordinator/start-imported.ts';
import { restoreSavepoint } from '../../lib/coordinator/restore-requests.ts';
import { newestOf } from '../../lib/coordinator/restore-request.ts';
import { takeSavepoint } from '../../lib/coordinator/savepoint-requests.ts';
import { switchTo } from '../../lib/coordinator/switch-restore.ts';
import type { OperationRecord } from '../../lib/ports/records.ts';
import { job } from '../checkpoint/fixture.ts';
import { settle } from '../contract/manual-time.ts';
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

/** A restore of a savepoint that has imported everything, and is about to make the job. */
async function imported(): Promise<{ world: CoordinatorWorld; input: OperationInput }> {
  const world = await started();
  await takeSavepoint(world.deps, { ...asked, directory: 'target' });
  await world.advance(5_000);
  const { location } = await readOperation(world.deps, asked);
  const plan = { plan: world.plan, planHash: 'hash', settings: world.settings };
  const restore = { trigger: 'restore', location: location!, newPlan: plan, allowNonRestoredState: false, allowOtherJob: false };
  await restoreSavepoint(world.deps, { ...restore, job: 'aaaa'.repeat(8) as JobId });
  await world.advance(5_000);
  const { version: _, ...ended } = await readOperation(world.deps, { job: 'aaaa'.repeat(8) as JobId, trigger: 'restore' });
  const input = { job: 'bbbb'.repeat(8) as JobId, trigger: 'restore', flow: 'by hand' };
  await world.stores.operations.create({ ...ended, job: input.job, status: 'IN_PROGRESS', progress: {} });
  expect(await importSavepoint(world.deps, input)).toEqual({ done: true });
  return { world, input };
}

/** The same store, in which calls of one method wait until they are let through. */
function slow<T extends object>(store: T, method: keyof T & string): { store: T; open: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  const waiting = new Proxy(store, {
    get: (target, name) => {
      const member = Reflect.get(target, name) as unknown;
      if (typeof member !== 'function') return member;
      const call = (...args: unknown[]): unknown => Reflect.apply(member, target, args);
      return name === method ? async (...args: unknown[]) => promise.then(() => call(...args)) : call;
    },
  });
  return { store: waiting, open: resolve };
}

const error = { Error: 'SLUICE-SIMULATED-FAULT', Cause: 'five tries have failed' };

describe('a restore that is given up while an earlier try of its start goes on', () => {
  test('makes no job afterwards, of what has been removed', async () => {
    const { world, input } = await imported();
    const objects = slow(world.stores.objects, 'createIfAbsent');
    const zombie = startImported({ ...world.deps, objects: objects.store }, input);
    await failRestore(world.deps, { ...input, error });
    objects.open();
    await expect(zombie).rejects.toThrow('given up');
    expect(await world.stores.jobs.read(input.job)).toBeUndefined();
    expect(await readOperation(world.deps, input)).toMatchObject({ status: 'COMPLETED', failure: { code: error.Error } });
  });

  test('is not given up where that try has said that it makes the job', async () => {
    const { world, input } = await imported();
    const jobs = slow(world.stores.jobs, 'create');
    const zombie = startImported({ ...world.deps, jobs: jobs.store }, input);
    await settle();
    await failRestore(world.deps, { ...input, error });
    expect(await readOperation(world.deps, input)).toMatchObject({ status: 'COMPLETED', failure: null });
    jobs.open();
    expect(await zombie).toEqual({ attempt: 1 });
    expect(await world.stores.jobs.read(input.job)).toMatchObject({ status: 'RUNNING', attempt: 1 });
  });
});
