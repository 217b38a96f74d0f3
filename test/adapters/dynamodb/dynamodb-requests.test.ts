/** The adapter is judged by what it asks for and what that costs. */
import { describe, expect, test } from 'vitest';
import { operatorUid } from '../../../lib/base/ids.ts';
import { jobA, jobRecord, shardRecord, shardSnapshot } from '../../contract/sample-records.ts';
import { baseTables } from '../../setup/base-tables.ts';
import { dynamodbWorld } from '../aws/dynamodb-world.ts';

const count = operatorUid('count');

function row(i: number, changes: object = {}) {
  return { operator: count, state: 'sum', keyGroup: i % 128, key: `"${i}"`, namespace: '', value: i as unknown, ...changes };
}

describe('requests to DynamoDB', () => {
  test('a commit is one PutItem, of one unit below 1 KB, and a lost race is one too', async () => {
    const { stores, fake, meter } = dynamodbWorld();
    await stores.shards.commit(shardRecord(), { version: 0, attempt: 1 });
    expect(fake.takeRequests()).toEqual({ PutItem: 1 });
    expect(meter.take()).toEqual([{ service: 'dynamodb', operation: 'PutItem', unit: 'write-unit', requests: 1, units: 1 }]);
    await stores.shards.commit(shardRecord(), { version: 0, attempt: 1 });
    expect(fake.takeRequests()).toEqual({ PutItem: 1 });
    expect(meter.take()).toEqual([{ service: 'dynamodb', operation: 'PutItem', unit: 'write-unit', requests: 1, units: 1 }]);
  });

  test('records are read, replaced and created by as few', async () => {
    const { stores, fake } = dynamodbWorld();
    await stores.jobs.create(jobRecord());
    expect(fake.takeRequests()).toEqual({ PutItem: 2 });
    await stores.jobs.replace(jobRecord({ version: 2 }), 1);
    await stores.jobs.read(jobA);
    await stores.shards.read(shardRecord());
    expect(fake.takeRequests()).toEqual({ PutItem: 1, GetItem: 2 });
    await stores.acknowledgements.put(shardSnapshot());
    await stores.acknowledgements.present(jobA, 1, 1);
    await stores.acknowledgements.list(jobA, 1, 1);
    await stores.acknowledgements.remove(jobA, 1, 1);
    expect(fake.takeRequests()).toEqual({ PutItem: 1, Query: 3, BatchWriteItem: 1 });
    await stores.jobs.list();
    expect(fake.takeRequests()).toEqual({ Query: 1, BatchGetItem: 1 });
  });

  test('a write of the base is one per row, and at first one per 32 key groups', async () => {
    const { stores, fake } = dynamodbWorld();
    const rows = Array.from({ length: 300 }, (_, i) => row(i));
    await stores.base.write('space', 1, baseTables(rows));
    expect(fake.takeRequests()).toEqual({ PutItem: 300 + 4 });
    await stores.base.write('space', 2, baseTables([...rows, ...rows]));
    expect(fake.takeRequests()).toEqual({ PutItem: 300 });
    await stores.base.write('space', 2, []);
    await stores.base.read('space', []);
    expect(fake.takeRequests()).toEqual({});
  });

  test('a read of keys is one per hundred, of each key once', async () => {
    const { stores, fake, meter } = dynamodbWorld();
    const rows = Array.from({ length: 250 }, (_, i) => row(i));
    await stores.base.write('space', 1, baseTables(rows));
    fake.takeRequests();
    meter.take();
    await stores.base.read('space', [...rows, ...rows]);
    expect(fake.takeRequests()).toEqual({ BatchGetItem: 3 });
    expect(meter.take()).toEqual([{ service: 'dynamodb', operation: 'BatchGetItem', unit: 'read-unit', requests: 3, units: 250 }]);
  });

  test('rows of a key are one Query, timers one per 32 key groups', async () => {
    const { stores, fake } = dynamodbWorld();
    const timers = Array.from({ length: 200 }, (_, i) => row(i, { state: '#event-timers', namespace: String(i).padStart(4, '0') }));
    const names = Array.from({ length: 50 }, (_, i) => row(1, { namespace: `n${i}` }));
    await stores.base.write('space', 1, baseTables([...timers, ...names]));
    fake.takeRequests();
    expect((await stores.base.readKey('space', row(1))).length).toBe(50);
    expect(fake.takeRequests()).toEqual({ Query: 1 });
    const query = { operator: count, state: '#event-timers', after: null, rowsMax: 10_000 };
    expect((await stores.base.readDue('space', { ...query, keyGroups: { start: 0, end: 127 } })).length).toBe(200);
    expect(fake.takeRequests()).toEqual({ Query: 4 });
    expect((await stores.base.readDue('space', { ...query, keyGroups: { start: 64, end: 95 } })).length).toBe(32 + 8);
    expect(fake.takeRequests()).toEqual({ Query: 1 });
  });

  test('timers behind many that have fired are found, page by page', async () => {
    const { stores } = dynamodbWorld();
    const timers = Array.from({ length: 400 }, (_, i) => row(i, { state: '#event-timers', namespace: String(i).padStart(4, '0') }));
    await stores.base.write('space', 1, baseTables(timers));
    await stores.base.write('space', 2, baseTables(timers.slice(0, 395).map((timer) => ({ ...timer, value: undefined }))));
    const query = { operator: count, state: '#event-timers', keyGroups: { start: 0, end: 127 }, after: null };
    const due = async (rowsMax: number) => (await stores.base.readDue('space', { ...query, rowsMax })).map(({ namespace }) => namespace);
    expect(await due(3)).toEqual(['0395', '0396', '0397']);
    expect(await due(10)).toEqual(['0395', '0396', '0397', '0398', '0399']);
  });

  test('a scan of few rows in many key groups asks for several at once', async () => {
    const { stores, fake } = dynamodbWorld();
    await stores.base.write('space', 1, baseTables([row(3), row(100)]));
    fake.takeRequests();
    const { rows, next } = await stores.base.scan('space', {
      operator: count,
      keyGroups: { start: 0, end: 127 },
      after: null,
      rowsMax: 1_000,
    });
    expect([rows.map(({ key }) => key), next]).toEqual([['"3"', '"100"'], null]);
    // 128 partitions of rows and 2 x 4 of timers.
    expect(fake.takeRequests()).toEqual({ Query: 136 });
  });

  test('pages of 1 MB are gone on with, in every read', async () => {
    const { stores, fake } = dynamodbWorld();
    // Does not compress to less.
    const noise = (seed: number): string =>
      Array.from({ length: 20_000 }, (_, i) => ((i * i * 7919 + seed * 104_729) % 65_521).toString(36)).join('');
    const rows = Array.from({ length: 40 }, (_, i) => row(5, { namespace: String(i).padStart(3, '0'), value: noise(i) }));
    await stores.base.write('space', 1, baseTables(rows));
    fake.takeRequests();
    expect((await stores.base.readKey('space', row(5))).length).toBe(40);
    expect(fake.takeRequests()['Query']).toBeGreaterThan(1);
    const { rows: scanned, next } = await stores.base.scan('space', {
      operator: count,
      keyGroups: { start: 5, end: 5 },
      after: null,
      rowsMax: 100,
    });
    expect([scanned.length, next]).toEqual([40, null]);
    expect((await stores.base.read('space', rows)).every((value) => value !== undefined)).toBe(true);
  });
});
