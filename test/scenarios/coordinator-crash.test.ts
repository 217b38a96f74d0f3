/**
 * Scenario 21: the coordinator dies while a savepoint is made: when the trigger has just been written, while acknowledgements come in, and when the savepoint's
 * metadata are written and nobody has been told. test/coordinator/crash-at-every-call.test.ts has every other moment.
 */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { LocalStores } from '../../lib/adapters/memory/memory-stores.ts';
import { createFsSavepointFolders } from '../../lib/adapters/fs/savepoint-folder.ts';
import { systemRandom } from '../../lib/adapters/system/random.ts';
import { takeSavepoint } from '../../lib/coordinator/savepoint-requests.ts';
import type { OperationRecord } from '../../lib/ports/records.ts';
import { validateSavepoint } from '../../lib/savepoint/validate-savepoint.ts';
import { countingJob, expectWhole, numbersInput } from './counting-job.ts';
import { memoryStoresWith } from './faulty-stores.ts';
import { scenario } from './scenario.ts';
import { until, useWorld } from './support.ts';

const world = useWorld();
const moments = ['the trigger is written', 'an acknowledgement is stored', 'completeness is tested', 'the metadata are written'] as const;

type Moment = (typeof moments)[number];

interface Mortal {
  readonly stores: LocalStores;
  /** From now on whoever works on a savepoint dies once at each of them. */
  readonly arm: () => void;
  readonly died: readonly Moment[];
}

function mortal(): Mortal {
  const died: Moment[] = [];
  let isArmed = false;
  const dieOnce = (moment: Moment): void => {
    if (!isArmed || died.includes(moment)) return;
    died.push(moment);
    throw new Error(`the coordinator dies when ${moment}`);
  };
  let savepoint = 0;
  const stores = memoryStoresWith(({ jobs, acknowledgements, operations }) => ({
    jobs: {
      replace: async (record, version) => {
        const outcome = await jobs.replace(record, version);
        const pending = record.pending.find(({ kind }) => kind === 'savepoint');
        savepoint = pending?.id ?? savepoint;
        if (pending !== undefined && outcome === 'stored') dieOnce('the trigger is written');
        return outcome;
      },
    },
    acknowledgements: {
      put: async (snapshot) => {
        const outcome = await acknowledgements.put(snapshot);
        if (snapshot.checkpoint === savepoint) dieOnce('an acknowledgement is stored');
        return outcome;
      },
      present: async (job, attempt, checkpoint) => {
        if (checkpoint === savepoint && died.includes('an acknowledgement is stored')) dieOnce('completeness is tested');
        return acknowledgements.present(job, attempt, checkpoint);
      },
    },
    operations: {
      replace: async (record, version) => {
        if (record.location !== null) dieOnce('the metadata are written');
        return operations.replace(record, version);
      },
    },
  }));
  return { stores, arm: () => (isArmed = true), died };
}

scenario(
  21,
  'one savepoint comes of one trigger id, its status can be read all the while, and nothing half-written counts as whole',
  async () => {
    const input = numbersInput();
    const { stores, arm, died } = mortal();
    const run = await world.start(countingJob(input), { stores });
    await run.twoCheckpoints([input], 0.4);
    const { engine, job } = run.running;
    const order = { job, trigger: systemRandom.hex(32), directory: world.folder };
    arm();
    input.open(0.6);
    const asked: OperationRecord[] = [await takeSavepoint(engine.coordinator, order)];
    const folders = createFsSavepointFolders();
    let operation = asked[0]!;
    await until(async () => {
      operation = (await stores.operations.read(job, order.trigger))!;
      // Asked for again and again, as by a client that has heard nothing.
      asked.push(await takeSavepoint(engine.coordinator, order));
      expect(['IN_PROGRESS', 'COMPLETED']).toContain(operation.status);
      if (operation.status === 'COMPLETED') return true;
      return false;
    });
    expect(died.toSorted()).toEqual(moments.toSorted());
    expect(operation.failure).toBeNull();
    expect((await validateSavepoint(folders.at(operation.location!))).reasons).toEqual([]);
    expect(new Set(asked.map(({ trigger, createdAtMs }) => `${trigger} ${createdAtMs}`)).size).toBe(1);
    const made = (await readdir(world.folder)).filter((name) => name.startsWith('savepoint-'));
    expect(made.map((name) => join(world.folder, name))).toEqual([operation.location]);
    // One checkpoint was numbered for it.
    const history = await engine.coordinator.history.read(job);
    expect(history.filter((entry) => entry.kind === 'checkpoint' && entry.checkpointKind === 'savepoint')).toHaveLength(1);
    input.open(1);
    await run.finished();
    expectWhole(world.collect.published('all'));
    world.emptySinks();
    const again = await world.start(countingJob(input), { fromSavepoint: operation.location! });
    await again.finished();
    expect(world.collect.published('all').length).toBeGreaterThan(0);
  },
);

scenario(21, 'the whole process ends while a savepoint is being made, and the next one completes it', async () => {
  const input = numbersInput();
  const run = await world.start(countingJob(input), { dataDir: 'data' });
  await run.twoCheckpoints([input], 0.4);
  const { engine, job } = run.running;
  const order = { job, trigger: systemRandom.hex(32), directory: world.folder };
  input.open(0.6);
  await takeSavepoint(engine.coordinator, order);
  await run.close();
  const next = await world.start(countingJob(input), { dataDir: 'data' });
  const { coordinator } = next.running.engine;
  expect(await takeSavepoint(coordinator, order)).toMatchObject({ trigger: order.trigger });
  await until(async () => (await coordinator.operations.read(job, order.trigger))?.status === 'COMPLETED');
  const { location, failure } = (await coordinator.operations.read(job, order.trigger))!;
  expect(failure).toBeNull();
  expect((await validateSavepoint(createFsSavepointFolders().at(location!))).reasons).toEqual([]);
  input.open(1);
  await next.finished();
  expectWhole(world.collect.published('all'));
});
