import { describe, expect, test } from 'vitest';
import { SluiceError } from '../../lib/base/errors.ts';
import type { JobId } from '../../lib/base/ids.ts';
import { restoreSavepoint } from '../../lib/coordinator/restore-requests.ts';
import { stopWithSavepoint, takeSavepoint } from '../../lib/coordinator/savepoint-requests.ts';
import { canonicalKey } from '../../lib/model/canonical-key.ts';
import { keyGroupRange } from '../../lib/model/key-group-range.ts';
import { keyGroupOf } from '../../lib/model/key-group.ts';
import { encodeDelta } from '../../lib/state/delta-rows.ts';
import { validateSavepoint } from '../../lib/savepoint/validate-savepoint.ts';
import { job, settings } from '../checkpoint/fixture.ts';
import { counter, planOf, sink } from '../checkpoint/plans.ts';
import { CoordinatorWorld, type Crash } from './coordinator-world.ts';
import { baseTables } from '../setup/base-tables.ts';

const heir = 'beef'.repeat(8) as JobId;
const order = { job, trigger: 'trigger-1', directory: 'target' };

/** The base holds key-0 to key-9; every snapshot of shard 0 of the counter says how often it was taken. */
async function worldWithState(): Promise<CoordinatorWorld> {
  const world = new CoordinatorWorld({ plan: planOf({ counters: 1 }) });
  await world.start();
  const rows = [...Array(10).keys()].map((n) => row(`key-${n}`, n));
  await world.stores.base.write(job, 1, baseTables(rows));
  world.decorate = (uid, shard, checkpoint) => (uid === counter ? { deltas: [delta(checkpoint)] } : {});
  for (let epoch = 1; epoch < 12; epoch++) {
    const { value, ...address } = row('taken', String(epoch));
    await world.stores.objects.createIfAbsent(delta(epoch).key, encodeDelta([{ ...address, value: Number(value), deleted: false }]));
  }
  return world;
}

function row(key: string, value: unknown) {
  const text = canonicalKey(key);
  return { operator: counter, state: 'total', keyGroup: keyGroupOf(text, 128), key: text, namespace: '', value };
}

function delta(epoch: number) {
  return { epoch, key: `jobs/${job}/deltas/count/0/${epoch}`, rows: 1, bytes: 1, keyGroups: keyGroupRange(0, 1, 128) };
}

async function importedRows(world: CoordinatorWorld, space: JobId): Promise<readonly string[]> {
  const { rows } = await world.stores.base.scan(space, { operator: counter, keyGroups: { start: 0, end: 127 }, after: null, rowsMax: 100 });
  return rows.map(({ key, value }) => `${key}=${value}`).sort();
}

const expectedRows = (checkpoint: number): readonly string[] =>
  [...[...Array(10).keys()].map((n) => `"key-${n}"=${n}`), `"taken"=${checkpoint}`].sort();

async function operationOf(world: CoordinatorWorld, trigger: string, of: JobId = job) {
  return (await world.stores.operations.read(of, trigger))!;
}

async function restoreInto(world: CoordinatorWorld, location: string, plan = planOf({ counters: 4 })) {
  const newPlan = { plan, planHash: 'new', settings };
  await restoreSavepoint(world.deps, {
    job: heir,
    trigger: 'restore-1',
    location,
    newPlan,
    allowNonRestoredState: false,
    allowOtherJob: false,
  });
  await world.advance(2_000);
}

describe('a savepoint of a running job', () => {
  test('commits nothing, lets the job run on, and is whole', async () => {
    const world = await worldWithState();
    await takeSavepoint(world.deps, order);
    await world.advance(1_000);
    const record = await world.record();
    expect(record).toMatchObject({
      status: 'RUNNING',
      numbered: 1,
      completed: 0,
      published: 0,
      floor: 0,
      pins: [],
      retained: [],
      pending: [],
    });
    expect(world.collect.published()).toEqual([]);
    const operation = await operationOf(world, 'trigger-1');
    expect(operation).toMatchObject({ status: 'COMPLETED', failure: null });
    expect(operation.location).toMatch(/^target\/savepoint-012345-[0-9a-f]{12}$/);
    expect((await validateSavepoint(world.savepoints.at(operation.location!))).reasons).toEqual([]);
    expect(await world.stores.objects.list(`jobs/${job}/exports/`)).toEqual([]);
    await world.dirty();
    await world.advance(2_000);
    expect(await world.record()).toMatchObject({ completed: 2, published: 2 });
    expect(world.collect.published()).toEqual(['record of 1', 'record of 2']);
  });

  test('leaves what was due still due', async () => {
    const world = await worldWithState();
    await world.dirty();
    await takeSavepoint(world.deps, order);
    await world.advance(3_000);
    expect(await world.record()).toMatchObject({ numbered: 2, completed: 2 });
  });

  test('asked for twice under one trigger id is one', async () => {
    const world = await worldWithState();
    await takeSavepoint(world.deps, order);
    await takeSavepoint(world.deps, order);
    await world.advance(1_000);
    await takeSavepoint(world.deps, order);
    await world.advance(1_000);
    expect((await world.record()).numbered).toBe(1);
  });

  test('holds the floor while it is written', async () => {
    const world = await worldWithState();
    const { base } = world.stores;
    let open: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => (open = resolve));
    const scan = base.scan.bind(base);
    base.scan = async (...args) => {
      await gate;
      return scan(...args);
    };
    await world.dirty();
    await world.advance(1_100);
    await takeSavepoint(world.deps, order);
    await world.advance(100);
    for (let n = 0; n < 4; n++) {
      await world.dirty();
      await world.advance(1_100);
    }
    expect(await world.record()).toMatchObject({ pins: [{ checkpoint: 2, kind: 'savepoint' }], floor: 2, completed: 6 });
    world.stores.base.scan = scan;
    open();
    await world.advance(1_000);
    expect(await world.record()).toMatchObject({ pins: [], floor: 5 });
    expect(await operationOf(world, 'trigger-1')).toMatchObject({ failure: null });
  });

  test('becomes another job at another parallelism, whose output continues this one', async () => {
    const world = await worldWithState();
    await world.dirty();
    await world.advance(1_100);
    await takeSavepoint(world.deps, order);
    await world.advance(1_000);
    const { location } = await operationOf(world, 'trigger-1');
    await restoreInto(world, location!);
    expect(await operationOf(world, 'restore-1', heir)).toMatchObject({ status: 'COMPLETED', failure: null });
    const record = (await world.stores.jobs.read(heir))!;
    expect(record).toMatchObject({
      status: 'RUNNING',
      attempt: 1,
      completed: 2,
      published: 2,
      numbered: 2,
      firstEpoch: 3,
      floor: 2,
      planHash: 'new',
    });
    expect(await importedRows(world, heir)).toEqual(expectedRows(2));
    // The part of checkpoint 2 was staged and not visible: the heir shows it, the old job finds it there.
    expect([...world.collect.published()].sort()).toEqual(['record of 1', 'record of 2']);
    await world.dirty();
    await world.advance(2_000);
    expect([...world.collect.published()].sort()).toEqual(['record of 1', 'record of 2', 'record of 3']);
    expect([...world.publications.values()]).toEqual([1, 1, 1]);
  });

  test('is refused where it is damaged, with every reason, and the import leaves nothing behind', async () => {
    const world = await worldWithState();
    await takeSavepoint(world.deps, order);
    await world.advance(1_000);
    const { location } = await operationOf(world, 'trigger-1');
    const [first] = [...world.savepoints.files.keys()].filter((path) => path.endsWith('.zst'));
    world.savepoints.files.delete(first!);
    await restoreInto(world, location!, planOf({ name: 'another' }));
    const { failure } = await operationOf(world, 'restore-1', heir);
    expect(failure?.message).toMatch(/is missing.*job counting, this is job another/);
    expect(await world.stores.jobs.read(heir)).toBeUndefined();
    expect(await world.stores.objects.list(`jobs/${heir}/`)).toEqual([]);
  });
});

describe('a stop with savepoint', () => {
  test.each(['suspend', 'drain'] as const)('(%s) commits after its export and ends the job', async (stop) => {
    const world = await worldWithState();
    await world.dirty();
    await stopWithSavepoint(world.deps, { ...order, stop });
    await world.advance(2_000);
    expect(await world.record()).toMatchObject({ status: 'FINISHED', completed: 1, published: 1, numbered: 1, pins: [], floor: 1 });
    expect(world.collect.published()).toEqual(['record of 1']);
    const { location, failure } = await operationOf(world, 'trigger-1');
    expect(failure).toBeNull();
    await restoreInto(world, location!);
    expect(await importedRows(world, heir)).toEqual(expectedRows(1));
    expect(world.collect.published()).toEqual(['record of 1']);
    expect([...world.publications.values()]).toEqual([1]);
  });

  test('whose checkpoint never completes goes back to the newest one and runs on', async () => {
    const world = await worldWithState();
    await world.dirty();
    await world.advance(1_100);
    world.mute.add(sink);
    await stopWithSavepoint(world.deps, { ...order, stop: 'suspend' });
    await world.advance(700_000);
    expect(await world.record()).toMatchObject({ status: 'RUNNING', attempt: 2, completed: 1, pending: [], firstEpoch: 3, failures: 0 });
    expect(await operationOf(world, 'trigger-1')).toMatchObject({
      status: 'COMPLETED',
      location: null,
      failure: { code: 'CHECKPOINT_EXPIRED' },
    });
    world.mute.clear();
    await world.dirty();
    await world.advance(2_000);
    expect(await world.record()).toMatchObject({ completed: 3, published: 3 });
    // What the given-up attempt had staged for its stop never shows.
    expect(world.collect.published()).toEqual(['record of 1', 'record of 3']);
  });

  test.each([
    ['suspend', 2],
    ['drain', 1],
  ] as const)('(%s) whose export fails goes back to checkpoint %i', async (stop, checkpoint) => {
    const world = await worldWithState();
    await world.dirty();
    await world.advance(1_100);
    const scan = world.stores.base.scan.bind(world.stores.base);
    world.stores.base.scan = async () => {
      throw new Error('the disk is full');
    };
    await stopWithSavepoint(world.deps, { ...order, stop });
    await world.advance(60_000);
    world.stores.base.scan = scan;
    const record = await world.record();
    expect(record).toMatchObject({ status: 'RUNNING', attempt: 2, completed: checkpoint, published: checkpoint, pins: [], firstEpoch: 3 });
    expect(world.collect.published()).toEqual(checkpoint === 2 ? ['record of 1', 'record of 2'] : ['record of 1']);
    expect(world.collect.staged()).toEqual([]);
    expect(await operationOf(world, 'trigger-1')).toMatchObject({ location: null, failure: { message: 'the disk is full' } });
    expect([...world.savepoints.files.keys()]).toEqual([]);
  });

  test('lets nothing periodic start before its outcome', async () => {
    const world = await worldWithState();
    world.mute.add(sink);
    await world.dirty();
    await stopWithSavepoint(world.deps, { ...order, stop: 'suspend' });
    await world.settle();
    await world.advance(60_000);
    expect(await world.record()).toMatchObject({ numbered: 1, pending: [{ kind: 'stop-savepoint' }] });
  });
});

describe('a place that cannot be written', () => {
  const unusable = new SluiceError('SLUICE-FOLDER-UNUSABLE', 'it is a file', { hint: 'h' });
  const full = new SluiceError('SLUICE-SAVEPOINT-FAILED', 'no space left', { hint: 'h', retryable: true });
  const untouched = { status: 'RUNNING', attempt: 1, numbered: 0, pending: [], pins: [] };

  test('is found out before a savepoint, or the stop of a job, has asked anything of it', async () => {
    const world = await worldWithState();
    world.savepoints.failures.set('prepare', unusable);
    await takeSavepoint(world.deps, order);
    await stopWithSavepoint(world.deps, { ...order, trigger: 'stop-1', stop: 'drain' });
    await world.settle();
    for (const trigger of ['trigger-1', 'stop-1']) {
      expect(await operationOf(world, trigger)).toMatchObject({
        status: 'COMPLETED',
        location: null,
        failure: { code: 'SLUICE-FOLDER-UNUSABLE', message: 'it is a file', hint: expect.stringContaining('Name a folder') },
      });
    }
    expect(await world.record()).toMatchObject(untouched);
  });

  test('fails the savepoint at once where it shows later, lets its checkpoint go, and the job runs on', async () => {
    const world = await worldWithState();
    world.savepoints.failures.set('createIfAbsent', unusable);
    // Nor can it be told whether anything is there.
    world.savepoints.failures.set('read', new Error('permission denied'));
    await takeSavepoint(world.deps, order);
    await world.settle();
    expect(await operationOf(world, 'trigger-1')).toMatchObject({
      status: 'COMPLETED',
      location: null,
      failure: { code: 'SLUICE-FOLDER-UNUSABLE' },
    });
    expect(await world.record()).toMatchObject({ ...untouched, numbered: 1 });
    await world.dirty();
    await world.advance(2_000);
    expect(await world.record()).toMatchObject({ completed: 2, published: 2 });
  });

  test('for now is tried again until it can be, or a few times', async () => {
    const world = await worldWithState();
    world.savepoints.failures.set('createIfAbsent', full);
    await takeSavepoint(world.deps, order);
    await world.advance(4_000);
    expect(await operationOf(world, 'trigger-1')).toMatchObject({ status: 'IN_PROGRESS' });
    world.savepoints.failures.clear();
    await world.advance(10_000);
    expect(await operationOf(world, 'trigger-1')).toMatchObject({ status: 'COMPLETED', failure: null });
    world.savepoints.failures.set('createIfAbsent', full);
    await takeSavepoint(world.deps, { ...order, trigger: 'trigger-2' });
    await world.advance(20_000);
    expect(await operationOf(world, 'trigger-2')).toMatchObject({ status: 'COMPLETED', failure: { code: 'SLUICE-SAVEPOINT-FAILED' } });
    expect(await world.record()).toMatchObject({ status: 'RUNNING', attempt: 1, pins: [] });
  });
});

describe.each(['before', 'after'] as const)('a process that dies %s any of its port calls', (when) => {
  async function eachCrash(
    act: (world: CoordinatorWorld) => Promise<unknown>,
    check: (world: CoordinatorWorld, at: string) => Promise<void>,
  ): Promise<number> {
    for (let atCall = 0; ; atCall++) {
      const crash: Crash = { atCall, when };
      const world = await worldWithState();
      await world.boot(crash);
      await Promise.race([act(world), world.process.death]);
      await world.advance(2_000);
      const { dead } = world.process;
      await world.boot();
      // Whoever asked and got no answer asks again, under the same trigger id.
      await act(world);
      await world.advance(30_000);
      await check(world, `call ${atCall}`);
      if (!dead) return atCall;
    }
  }

  test('while it takes a savepoint leaves one that is whole', async () => {
    const calls = await eachCrash(
      (world) => takeSavepoint(world.deps, order),
      async (world, at) => {
        const operation = await operationOf(world, 'trigger-1');
        expect(operation, at).toMatchObject({ status: 'COMPLETED', failure: null });
        const { reasons, metadata } = await validateSavepoint(world.savepoints.at(operation.location!));
        expect(reasons, at).toEqual([]);
        expect(metadata?.operators.find(({ uid }) => uid === counter)?.rows, at).toBe(11);
        expect(await world.record(), at).toMatchObject({ numbered: 1, completed: 0, pins: [] });
      },
    );
    expect(calls).toBeGreaterThan(40);
  });

  test('while it stops a job leaves it stopped, with its output visible once', async () => {
    const calls = await eachCrash(
      (world) => stopWithSavepoint(world.deps, { ...order, stop: 'suspend' }),
      async (world, at) => {
        const operation = await operationOf(world, 'trigger-1');
        expect(operation, at).toMatchObject({ status: 'COMPLETED', failure: null });
        expect((await validateSavepoint(world.savepoints.at(operation.location!))).reasons, at).toEqual([]);
        expect(await world.record(), at).toMatchObject({ status: 'FINISHED', completed: 1, published: 1, pins: [] });
        expect([...world.publications.values()], at).toEqual([1]);
      },
    );
    expect(calls).toBeGreaterThan(45);
  });
});
