import { describe, expect, test } from 'vitest';
import { operatorUid } from '../../../lib/base/ids.ts';
import type { StateAddress } from '../../../lib/model/state-row.ts';
import type { Timers } from '../../../lib/ports/system.ts';
import { jobRecord, jobA, shardRecord, shardSnapshot } from '../../contract/sample-records.ts';
import { baseTables } from '../../setup/base-tables.ts';
import { dynamodbWorld } from '../aws/dynamodb-world.ts';

const count = operatorUid('count');

function rows(length: number): (StateAddress & { readonly value: unknown })[] {
  return Array.from({ length }, (_, i) => ({ operator: count, state: 'sum', keyGroup: i % 4, key: `"${i}"`, namespace: '', value: i }));
}

/** Waits no time, and keeps how long it should have been. */
function recordedPauses(): { readonly pauses: number[]; readonly timers: Timers } {
  const pauses: number[] = [];
  const after: Timers['after'] = (delayMs, wake) => {
    pauses.push(delayMs);
    setImmediate(wake);
    return () => undefined;
  };
  return { pauses, timers: { after } };
}

describe('on DynamoDB a lost answer to', () => {
  test('a commit is a commit: the try that meets its own record has not lost the race', async () => {
    const { stores, fake } = dynamodbWorld();
    fake.fail('PutItem', 'lost');
    expect(await stores.shards.commit(shardRecord(), { version: 0, attempt: 1 })).toEqual({ outcome: 'committed' });
    expect(fake.takeRequests()).toEqual({ PutItem: 2 });
    fake.fail('PutItem', 'lost');
    expect(await stores.shards.commit(shardRecord({ version: 2 }), { version: 1, attempt: 1 })).toEqual({ outcome: 'committed' });
    expect((await stores.shards.read(shardRecord()))?.version).toBe(2);
  });

  test('a job record, an acknowledgement and an operation is success too', async () => {
    const { stores, fake } = dynamodbWorld();
    const operation = { job: jobA, trigger: 't', kind: 'stop', status: 'IN_PROGRESS', request: {}, progress: {} } as const;
    const record = { ...operation, location: null, failure: null, createdAtMs: 1, changedAtMs: 1 };
    await stores.jobs.create(jobRecord());
    fake.fail('PutItem', 'lost');
    expect(await stores.jobs.replace(jobRecord({ version: 2 }), 1)).toBe('stored');
    fake.fail('PutItem', 'lost');
    expect(await stores.acknowledgements.put(shardSnapshot())).toBe('accepted');
    fake.fail('PutItem', 'lost');
    expect(await stores.operations.create(record)).toEqual({ outcome: 'created' });
  });

  test('a commit of one that has lost the race is still a conflict, though the records are the same', async () => {
    const { stores, fake } = dynamodbWorld();
    await stores.shards.commit(shardRecord(), { version: 0, attempt: 1 });
    fake.fail('PutItem', 'lost');
    expect(await stores.shards.commit(shardRecord(), { version: 0, attempt: 1 })).toEqual({ outcome: 'conflict', existing: shardRecord() });
  });

  test('a write of the base is written once more, and changes nothing', async () => {
    const { stores, fake } = dynamodbWorld();
    await stores.base.write('space', 6, baseTables(rows(1)));
    fake.fail('PutItem', 'lost', 2);
    await stores.base.write('space', 7, baseTables(rows(5)));
    expect(await stores.base.read('space', rows(5))).toEqual(['0', '1', '2', '3', '4']);
  });
});

describe('what DynamoDB puts off', () => {
  test('of a batch that is read is asked for again, after pauses that grow', async () => {
    const { pauses, timers } = recordedPauses();
    const { stores, fake } = dynamodbWorld({ timers, random: { fraction: () => 0.5, hex: (digits) => '0'.repeat(digits) } });
    await stores.base.write('space', 1, baseTables(rows(4)));
    fake.takeRequests();
    fake.fail('BatchGetItem', 'unprocessed', 3);
    expect(await stores.base.read('space', rows(4))).toEqual(['0', '1', '2', '3']);
    expect(fake.takeRequests()).toEqual({ BatchGetItem: 4 });
    expect(pauses).toEqual([0.5, 0.5, 0.5]);
  });

  test('of a batch again and again, without any progress, is an error in the end', async () => {
    const { pauses, timers } = recordedPauses();
    const { stores, fake } = dynamodbWorld({ timers });
    fake.fail('BatchGetItem', 'stalled', 100);
    await expect(stores.base.read('space', rows(4))).rejects.toMatchObject({
      code: 'SLUICE-AWS-THROTTLED',
      facts: { operation: 'BatchGetItem' },
    });
    expect(fake.takeRequests()).toEqual({ BatchGetItem: 8 });
    expect(pauses.length).toBe(7);
  });

  test('as a throttle is tried again after the SDK has given up, with pauses that double', async () => {
    const { pauses, timers } = recordedPauses();
    const random = { fraction: () => 0.5, hex: (digits: number) => '1'.repeat(digits) };
    const { stores, fake } = dynamodbWorld({ timers, random, attemptsMax: 1 });
    fake.fail('PutItem', 'throttle', 4);
    expect(await stores.shards.commit(shardRecord(), { version: 0, attempt: 1 })).toEqual({ outcome: 'committed' });
    expect(pauses).toEqual([1, 2, 4, 8]);
  });

  test('for ever is an error that says so and may be tried again', async () => {
    const { timers } = recordedPauses();
    const { stores, fake } = dynamodbWorld({ timers, attemptsMax: 1 });
    fake.fail('PutItem', 'throttle', 100);
    const commit = stores.shards.commit(shardRecord(), { version: 0, attempt: 1 });
    await expect(commit).rejects.toMatchObject({ code: 'SLUICE-AWS-THROTTLED', retryable: true, facts: { operation: 'PutItem' } });
  });

  test('of a batch that is removed is removed in the end', async () => {
    const { timers } = recordedPauses();
    const { stores, fake } = dynamodbWorld({ timers });
    for (let shard = 0; shard < 5; shard++) await stores.acknowledgements.put(shardSnapshot({ shard }));
    fake.fail('BatchWriteItem', 'unprocessed', 3);
    await stores.acknowledgements.remove(jobA, 1, 1);
    expect(fake.all()).toEqual([]);
  });
});

describe('a call to DynamoDB that fails', () => {
  test('with 5xx is tried again', async () => {
    const { stores, fake } = dynamodbWorld();
    fake.fail('GetItem', 'broken');
    expect(await stores.jobs.read(jobA)).toBeUndefined();
    expect(fake.takeRequests()).toEqual({ GetItem: 2 });
  });

  test('with 5xx or no answer again and again is told as that', async () => {
    const { stores, fake } = dynamodbWorld({ attemptsMax: 2 });
    fake.fail('GetItem', 'broken', 2);
    await expect(stores.jobs.read(jobA)).rejects.toMatchObject({ code: 'SLUICE-AWS-UNREACHABLE', retryable: true });
    fake.fail('GetItem', 'lost', 2);
    await expect(stores.jobs.read(jobA)).rejects.toMatchObject({ code: 'SLUICE-AWS-UNREACHABLE', retryable: true });
  });

  test('because it is not allowed is told at once', async () => {
    const { stores, fake } = dynamodbWorld();
    fake.fail('GetItem', 'denied');
    await expect(stores.jobs.read(jobA)).rejects.toMatchObject({ code: 'SLUICE-AWS-REFUSED', retryable: false });
    expect(fake.takeRequests()).toEqual({ GetItem: 1 });
  });

  test('in the middle of a write fails the write, and the same write again brings all rows', async () => {
    const { stores, fake } = dynamodbWorld({ attemptsMax: 1 });
    await stores.base.write('space', 1, baseTables(rows(1)));
    fake.fail('PutItem', 'broken', 3);
    await expect(stores.base.write('space', 2, baseTables(rows(100)))).rejects.toMatchObject({ code: 'SLUICE-AWS-UNREACHABLE' });
    await stores.base.write('space', 2, baseTables(rows(100)));
    expect((await stores.base.read('space', rows(100))).filter((value) => value === undefined)).toEqual([]);
  });
});
