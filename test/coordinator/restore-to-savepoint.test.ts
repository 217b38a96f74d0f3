import { describe, expect, test } from 'vitest';
import { requestCancel } from '../../lib/coordinator/cancel-job.ts';
import { failRestore } from '../../lib/coordinator/fail-restore.ts';
import { importSavepoint } from '../../lib/coordinator/import-savepoint.ts';
import { restoreCheckpoint, restoreToSavepoint } from '../../lib/coordinator/restore-requests.ts';
import { stopWithSavepoint, takeSavepoint } from '../../lib/coordinator/savepoint-requests.ts';
import { startImported } from '../../lib/coordinator/start-imported.ts';
import type { FlowStarter } from '../../lib/ports/system.ts';
import { canonicalKey } from '../../lib/model/canonical-key.ts';
import { keyGroupOf } from '../../lib/model/key-group.ts';
import { importIdOf } from '../../lib/savepoint/import-target.ts';
import { job } from '../checkpoint/fixture.ts';
import { counter, planOf } from '../checkpoint/plans.ts';
import { baseTables } from '../setup/base-tables.ts';
import { CoordinatorWorld, type Crash } from './coordinator-world.ts';

const strict = { allowNonRestoredState: false, allowOtherJob: false };
const space = `${job}.${importIdOf('back')}`;

function row(key: string, value: unknown) {
  const text = canonicalKey(key);
  return { operator: counter, state: 'total', keyGroup: keyGroupOf(text, 128), key: text, namespace: '', value };
}

/** A savepoint when the state was `then`, and two checkpoints after it; the base has gone on. */
async function worldWithSavepoint(): Promise<{ readonly world: CoordinatorWorld; readonly location: string }> {
  const world = new CoordinatorWorld({ plan: planOf({ counters: 1 }) });
  await world.start();
  await world.stores.base.write(job, 1, baseTables([row('key', 'then')]));
  await takeSavepoint(world.deps, { job, trigger: 'savepoint', directory: 'target' });
  await world.advance(1_000);
  const { location } = (await world.stores.operations.read(job, 'savepoint'))!;
  for (let checkpoint = 0; checkpoint < 2; checkpoint++) {
    await world.dirty();
    await world.advance(2_000);
  }
  await world.stores.base.write(job, 2, baseTables([row('key', 'now')]));
  return { world, location: location! };
}

const back = (world: Pick<CoordinatorWorld, 'deps'>, location: string, publishedSeen: number | null = null) =>
  restoreToSavepoint(world.deps, { job, trigger: 'back', location, publishedSeen, newPlan: null, ...strict });

async function stateIn(world: CoordinatorWorld, of: string): Promise<readonly string[]> {
  const { rows } = await world.stores.base.scan(of, { operator: counter, keyGroups: { start: 0, end: 127 }, after: null, rowsMax: 10 });
  return rows.map(({ key, value }) => `${key}=${value}`);
}

async function failureOf(world: CoordinatorWorld): Promise<string | undefined> {
  const operation = (await world.stores.operations.read(job, 'back'))!;
  expect(operation.status).toBe('COMPLETED');
  return operation.failure?.message;
}

describe('a job that goes back to a savepoint', () => {
  test('has its state in a namespace of its own, as its next checkpoint, and goes on from there', async () => {
    const { world, location } = await worldWithSavepoint();
    expect(await world.record()).toMatchObject({ attempt: 1, numbered: 3, published: 3 });
    await back(world, location);
    await world.advance(2_000);
    expect(await failureOf(world)).toBeUndefined();
    expect(await world.record()).toMatchObject({
      status: 'RUNNING',
      attempt: 2,
      numbered: 4,
      firstEpoch: 5,
      completed: 4,
      published: 4,
      floor: 4,
      retained: [{ id: 4, kind: 'savepoint' }],
      space,
    });
    expect(await stateIn(world, space)).toEqual(['"key"="then"']);
    await world.dirty();
    await world.advance(2_000);
    expect(await world.record()).toMatchObject({ attempt: 2, completed: 5, published: 5 });
    expect([...world.collect.published()].sort()).toEqual(['record of 1', 'record of 2', 'record of 3', 'record of 5']);
  });

  test('takes savepoints of the namespace that it has now', async () => {
    const { world, location } = await worldWithSavepoint();
    await back(world, location);
    await world.advance(2_000);
    await takeSavepoint(world.deps, { job, trigger: 'another', directory: 'target' });
    await world.advance(2_000);
    const { location: another } = (await world.stores.operations.read(job, 'another'))!;
    await restoreToSavepoint(world.deps, { job, trigger: 'again', location: another!, publishedSeen: null, newPlan: null, ...strict });
    await world.advance(2_000);
    expect(await stateIn(world, `${job}.${importIdOf('again')}`)).toEqual(['"key"="then"']);
    expect((await world.record()).leftSpaces?.map((left) => left.space)).toEqual([job, space]);
  });

  test('keeps what it left until no invocation is left that could read there', async () => {
    const { world, location } = await worldWithSavepoint();
    await back(world, location);
    await world.advance(2_000);
    const collect = (): Promise<unknown> => world.deps.flows.start('collect', `collect-${world.time.clock.now()}`, { job });
    await collect();
    await world.settle();
    expect(await stateIn(world, job)).toEqual(['"key"="now"']);
    await world.advance(61_000);
    await collect();
    await world.settle();
    expect(await stateIn(world, job)).toEqual([]);
    expect(await stateIn(world, space)).toEqual(['"key"="then"']);
    expect((await world.record()).leftSpaces).toBeUndefined();
  });

  test('may have been stopped with it', async () => {
    const { world } = await worldWithSavepoint();
    await stopWithSavepoint(world.deps, { job, trigger: 'stop', directory: 'target', stop: 'suspend' });
    await world.advance(2_000);
    expect(await world.record()).toMatchObject({ status: 'FINISHED' });
    const { location } = (await world.stores.operations.read(job, 'stop'))!;
    await back(world, location!);
    await world.advance(2_000);
    expect(await world.record()).toMatchObject({ status: 'RUNNING', attempt: 2, completed: 5, published: 5 });
    expect(await stateIn(world, space)).toEqual(['"key"="now"']);
  });

  test('which has FINISHED goes back to no checkpoint', async () => {
    const { world } = await worldWithSavepoint();
    await stopWithSavepoint(world.deps, { job, trigger: 'stop', directory: 'target', stop: 'suspend' });
    await world.advance(2_000);
    await restoreCheckpoint(world.deps, { job, trigger: 'back', checkpoint: 'newest', publishedSeen: null, newPlan: null, ...strict });
    await world.advance(2_000);
    expect(await failureOf(world)).toMatch(/status does not allow it/);
  });
});

describe('a job that does not go back to a savepoint', () => {
  const untouched = { status: 'RUNNING', attempt: 1, numbered: 3, completed: 3, published: 3 };

  test('where more has been published since somebody looked, runs on as it was', async () => {
    const { world, location } = await worldWithSavepoint();
    await back(world, location, 2);
    await world.advance(2_000);
    expect(await failureOf(world)).toMatch(/more output has been published since the preview/);
    const record = await world.record();
    expect(record).toMatchObject(untouched);
    expect(record.space).toBeUndefined();
    expect(record.leftSpaces).toMatchObject([{ space }]);
    await world.dirty();
    await world.advance(2_000);
    expect(await world.record()).toMatchObject({ completed: 4, published: 4 });
    expect(await stateIn(world, job)).toEqual(['"key"="now"']);
  });

  test('where the savepoint is damaged, leaves nothing of the import behind in the end', async () => {
    const { world, location } = await worldWithSavepoint();
    const [file] = [...world.savepoints.files.keys()].filter((path) => path.endsWith('.zst'));
    world.savepoints.files.set(file!, new Uint8Array([1, 2, 3]));
    await back(world, location);
    await world.advance(2_000);
    expect(await failureOf(world)).toMatch(/cannot be restored/);
    expect(await world.record()).toMatchObject(untouched);
    await world.advance(61_000);
    await world.deps.flows.start('collect', 'collect', { job });
    await world.settle();
    expect((await world.record()).leftSpaces).toBeUndefined();
    const objects = await world.stores.objects.list(`jobs/${job}/`);
    expect(objects.filter(({ key }) => key.includes(importIdOf('back')))).toEqual([]);
  });

  test('because another restore came first, gives the import up, and no later try of it changes anything', async () => {
    const { world, location } = await worldWithSavepoint();
    const input = { job, trigger: 'back', flow: 'by hand' };
    const flows: FlowStarter = { start: async () => 'started', isRunning: async () => true };
    await back({ deps: { ...world.deps, flows } }, location);
    expect(await importSavepoint(world.deps, input)).toEqual({ done: true });
    await restoreCheckpoint(world.deps, { job, trigger: 'other', checkpoint: 'newest', publishedSeen: null, newPlan: null, ...strict });
    await world.advance(2_000);
    await expect(startImported(world.deps, input)).rejects.toThrow('another restore came first');
    await failRestore(world.deps, { ...input, error: { Error: 'SLUICE-REFUSED', Cause: 'another restore came first' } });
    expect(await failureOf(world)).toBe('another restore came first');
    await expect(startImported(world.deps, input)).rejects.toThrow('another restore came first');
    expect(await world.record()).toMatchObject({ status: 'RUNNING', attempt: 2 });
  });

  test('while it is being canceled, may still when it is', async () => {
    const { world, location } = await worldWithSavepoint();
    await requestCancel(world.deps, job);
    await world.advance(2_000);
    expect(await world.record()).toMatchObject({ status: 'CANCELED' });
    await back(world, location);
    await world.advance(2_000);
    expect(await world.record()).toMatchObject({ status: 'RUNNING', attempt: 2 });
  });
});

describe.each(['before', 'after'] as const)('a process that dies %s any of its port calls', (when) => {
  test('while a job goes back to a savepoint leaves it there, once', async () => {
    let calls = 0;
    for (; ; calls++) {
      const crash: Crash = { atCall: calls, when };
      const { world, location } = await worldWithSavepoint();
      await world.boot(crash);
      await Promise.race([back(world, location), world.process.death]);
      await world.advance(2_000);
      const { dead } = world.process;
      await world.boot();
      await back(world, location);
      await world.advance(30_000);
      const at = `call ${calls}`;
      expect(await failureOf(world), at).toBeUndefined();
      expect(await world.record(), at).toMatchObject({ status: 'RUNNING', attempt: 2, completed: 4, published: 4, space });
      expect(await stateIn(world, space), at).toEqual(['"key"="then"']);
      expect([...world.publications.values()], at).toEqual([1, 1, 1]);
      if (!dead) break;
    }
    expect(calls).toBeGreaterThan(40);
  });
});

test('jobs that never went back to a savepoint have records and manifests as before', async () => {
  const { world } = await worldWithSavepoint();
  const { retained, space: none } = await world.record();
  expect(none).toBeUndefined();
  const manifest = Buffer.from((await world.stores.objects.read(retained.at(-1)!.manifest))!).toString('utf8');
  expect(manifest).not.toContain('"space"');
});
