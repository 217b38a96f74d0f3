import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { operatorUid } from '../../lib/base/ids.ts';
import type { FlowExecution } from '../../lib/ports/flow-store.ts';
import type { OperationRecord } from '../../lib/ports/records.ts';
import { openFixture, type MakeStores, type StoresFixture } from './fixture.ts';
import { jobA, jobB, jobRecord, shardRecord, shardSnapshot } from './sample-records.ts';

const operation: OperationRecord = {
  job: jobA,
  trigger: 't1',
  kind: 'savepoint',
  status: 'IN_PROGRESS',
  request: { drain: false },
  progress: {},
  location: null,
  failure: null,
  createdAtMs: 1,
  changedAtMs: 1,
};

const execution: FlowExecution = {
  name: 'checkpoint-1',
  flow: 'checkpoint',
  status: 'RUNNING',
  state: 'Wait',
  data: { epoch: 1 },
  token: 'token',
  dueAtMs: 5,
  retries: 0,
  startedAtMs: 1,
};

/** What the stores of records promise: strong reads, linearizable compare-and-set. */
export function recordsContract(adapter: string, make: MakeStores): void {
  let fixture: StoresFixture;
  const opened = (): void => {
    beforeEach(async () => {
      fixture = await openFixture(make);
    });
    afterEach(() => fixture.dispose());
  };

  describe(`job records of ${adapter}`, () => {
    opened();

    test('a record is created once and read back whole', async () => {
      const { jobs } = fixture.stores;
      expect(await jobs.read(jobA)).toBeUndefined();
      expect(await jobs.create(jobRecord())).toBe('stored');
      expect(await jobs.create(jobRecord({ name: 'other' }))).toBe('conflict');
      expect(await jobs.read(jobA)).toEqual(jobRecord());
    });

    test('a replacement needs the version that is stored', async () => {
      const { jobs } = fixture.stores;
      await jobs.create(jobRecord());
      expect(await jobs.replace(jobRecord({ version: 2, status: 'FAILED' }), 1)).toBe('stored');
      expect(await jobs.replace(jobRecord({ version: 2, status: 'CANCELED' }), 1)).toBe('conflict');
      expect((await jobs.read(jobA))?.status).toBe('FAILED');
      expect(await jobs.replace(jobRecord({ job: jobB, version: 2 }), 1)).toBe('conflict');
    });

    test('a replacement that does not raise the version by one is a fault of the caller', async () => {
      await fixture.stores.jobs.create(jobRecord());
      await expect(fixture.stores.jobs.replace(jobRecord({ version: 3 }), 1)).rejects.toMatchObject({ code: 'SLUICE-INVARIANT' });
    });

    test('of many replacements of one version one is stored', async () => {
      const { jobs } = fixture.stores;
      await jobs.create(jobRecord());
      const outcomes = await Promise.all(Array.from({ length: 10 }, (_, i) => jobs.replace(jobRecord({ version: 2, try: i }), 1)));
      expect(outcomes.filter((outcome) => outcome === 'stored')).toEqual(['stored']);
    });

    test('all jobs are listed', async () => {
      await fixture.stores.jobs.create(jobRecord());
      await fixture.stores.jobs.create(jobRecord({ job: jobB }));
      expect((await fixture.stores.jobs.list()).map(({ job }) => job).sort()).toEqual([jobA, jobB]);
    });
  });

  describe(`shard records of ${adapter}`, () => {
    opened();

    test('the first commit expects nothing to be stored, and values of every kind come back exactly', async () => {
      const { shards } = fixture.stores;
      expect(await shards.commit(shardRecord(), { version: 0, attempt: 1 })).toEqual({ outcome: 'committed' });
      expect(await shards.read(shardRecord())).toEqual(shardRecord());
      const again = await shards.commit(shardRecord({ tryId: 'other' }), { version: 0, attempt: 1 });
      expect(again).toEqual({ outcome: 'conflict', existing: shardRecord() });
    });

    test('a commit needs version and attempt as stored, and hands back what is stored where they differ', async () => {
      const { shards } = fixture.stores;
      await shards.commit(shardRecord(), { version: 0, attempt: 1 });
      const next = shardRecord({ version: 2, attempt: 2, tryId: 'next' });
      expect(await shards.commit(next, { version: 1, attempt: 2 })).toEqual({ outcome: 'conflict', existing: shardRecord() });
      expect(await shards.commit(next, { version: 1, attempt: 1 })).toEqual({ outcome: 'committed' });
      const late = shardRecord({ version: 2, tryId: 'late' });
      expect(await shards.commit(late, { version: 1, attempt: 1 })).toEqual({ outcome: 'conflict', existing: next });
      expect(await shards.read(next)).toEqual(next);
    });

    test('a commit to a shard that has no record, as if it had one, conflicts with nothing', async () => {
      const outcome = await fixture.stores.shards.commit(shardRecord({ version: 8 }), { version: 7, attempt: 1 });
      expect(outcome).toEqual({ outcome: 'conflict', existing: undefined });
    });

    test('shards are apart, whatever their operators are called', async () => {
      const { shards } = fixture.stores;
      for (const [uid, shard] of [
        ['a', 1],
        ['a/1', 1],
        ['1', 11],
        ['11', 1],
      ] as const) {
        expect(await shards.commit(shardRecord({ uid: operatorUid(uid), shard }), { version: 0, attempt: 1 })).toEqual({
          outcome: 'committed',
        });
      }
      expect(await shards.read({ job: jobB, uid: operatorUid('a'), shard: 1 })).toBeUndefined();
    });

    test('of many commits of one version one is stored', async () => {
      const { shards } = fixture.stores;
      const tries = Array.from({ length: 10 }, (_, i) => shards.commit(shardRecord({ tryId: String(i) }), { version: 0, attempt: 1 }));
      const outcomes = await Promise.all(tries);
      expect(outcomes.filter(({ outcome }) => outcome === 'committed').length).toBe(1);
    });
  });

  describe(`acknowledgements of ${adapter}`, () => {
    opened();

    test('the first acknowledgement of a shard stays', async () => {
      const { acknowledgements } = fixture.stores;
      expect(await acknowledgements.put(shardSnapshot())).toBe('accepted');
      expect(await acknowledgements.put(shardSnapshot({ recordsIn: 7 }))).toBe('duplicate');
      expect(await acknowledgements.list(jobA, 1, 1)).toEqual([shardSnapshot()]);
    });

    test('they are a set by shard, apart for every job, attempt and checkpoint', async () => {
      const { acknowledgements } = fixture.stores;
      await acknowledgements.put(shardSnapshot());
      await acknowledgements.put(shardSnapshot({ shard: 1 }));
      await acknowledgements.put(shardSnapshot({ attempt: 2 }));
      await acknowledgements.put(shardSnapshot({ checkpoint: 2 }));
      await acknowledgements.put(shardSnapshot({ job: jobB }));
      expect(await acknowledgements.present(jobA, 1, 1)).toEqual([
        { uid: 'count', shard: 0 },
        { uid: 'count', shard: 1 },
      ]);
      await acknowledgements.remove(jobA, 1, 1);
      await acknowledgements.remove(jobA, 1, 99);
      expect(await acknowledgements.present(jobA, 1, 1)).toEqual([]);
      expect((await acknowledgements.list(jobA, 2, 1)).length).toBe(1);
      expect((await acknowledgements.list(jobB, 1, 1)).length).toBe(1);
    });
  });

  describe(`operations of ${adapter}`, () => {
    opened();

    test('a repeated trigger id hands back what was started', async () => {
      const { operations } = fixture.stores;
      expect(await operations.create(operation)).toEqual({ outcome: 'created' });
      expect(await operations.create({ ...operation, kind: 'stop' })).toEqual({ outcome: 'exists', record: operation });
    });

    test('an update is read back, and listed by job in the order of creation', async () => {
      const { operations } = fixture.stores;
      await operations.create(operation);
      await operations.create({ ...operation, trigger: 't2' });
      await operations.create({ ...operation, job: jobB });
      const done = { ...operation, status: 'COMPLETED', location: 'sp-1', version: 1 } as const;
      expect(await operations.replace(done, 0)).toBe('stored');
      // What was read before that write is written nowhere.
      expect(await operations.replace({ ...operation, version: 1 }, 0)).toBe('conflict');
      expect(await operations.replace({ ...done, trigger: 't3' }, 0)).toBe('conflict');
      expect(await operations.read(jobA, 't1')).toEqual(done);
      expect(await operations.read(jobA, 't3')).toBeUndefined();
      expect((await operations.list(jobA)).map(({ trigger }) => trigger)).toEqual(['t1', 't2']);
    });
  });

  describe(`flow executions of ${adapter}`, () => {
    opened();

    test('a name is used once', async () => {
      const { flows } = fixture.stores;
      expect(await flows.create(execution)).toBe('created');
      expect(await flows.create({ ...execution, data: null })).toBe('exists');
      expect(await flows.read('checkpoint-1')).toEqual(execution);
      await flows.save({ ...execution, status: 'SUCCEEDED' });
      expect(await flows.create(execution)).toBe('exists');
    });

    test('what runs is listed, until it has ended', async () => {
      const { flows } = fixture.stores;
      await flows.create(execution);
      await flows.create({ ...execution, name: 'checkpoint-2' });
      await flows.save({ ...execution, state: 'Complete' });
      expect((await flows.running()).map(({ name, state }) => [name, state])).toEqual([
        ['checkpoint-1', 'Complete'],
        ['checkpoint-2', 'Wait'],
      ]);
      await flows.save({ ...execution, status: 'FAILED' });
      expect((await flows.running()).map(({ name }) => name)).toEqual(['checkpoint-2']);
      expect((await flows.read('checkpoint-1'))?.status).toBe('FAILED');
    });
  });
}
