/** The sink `dynamodb`: the contract of two-phase sinks, its requests, and what goes wrong with them. */
import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import type { ConnectorSpec } from '../../../lib/model/job-plan.ts';
import type { RowChange } from '../../../lib/model/delivered-records.ts';
import type { SinkPart } from '../../../lib/model/shard-record.ts';
import type { PartName } from '../../../lib/ports/connectors.ts';
import type { ObjectStore } from '../../../lib/ports/object-store.ts';
import { jobA, jobB, partName, publisher, sinkCommitterContract } from './sink-committer.contract.ts';
import { newObjects, rowsOf, sinkWorld, stagedIn } from './sink-world.ts';

function tableSink(key: readonly string[] = ['id']): ConnectorSpec {
  return { connector: 'dynamodb', options: { table: 'rows', key, ttlAttribute: 'expiresAt' }, guarantee: 'idempotent' };
}

const sink = tableSink();
let objects: ObjectStore;
let world: ReturnType<typeof sinkWorld>;

beforeEach(() => {
  objects = newObjects();
  world = sinkWorld();
});

const put = (id: string, value: unknown): RowChange => ({ item: { id, value } });
const gone = (id: string): RowChange => ({ key: { id } });
const stage = (changes: readonly RowChange[], name: Partial<PartName> = {}): Promise<SinkPart> =>
  world.sinksOn(objects).dynamodb.stage(sink, partName(name), changes);
const publish = (part: SinkPart, by = publisher): Promise<'published' | 'already'> =>
  world.sinksOn(objects).dynamodb.publish(sink, part, by);
const manyRows = (count: number): RowChange[] => Array.from({ length: count }, (_, n) => put(`row-${n}`, n));

describe('the sink of rows', () => {
  sinkCommitterContract(async () => {
    const own = newObjects();
    const { table, sinksOn } = sinkWorld({ keys: ['n'] });
    const { dynamodb } = sinksOn(own);
    const byNumber = tableSink(['n']);
    return {
      committer: { ...dynamodb, stage: (spec, name, records) => dynamodb.stage(spec, name, records.map((item) => ({ item }))) }, // prettier-ignore
      sink: byNumber,
      // It shows rows, not names; the contract publishes one part at most.
      published: async () => (table.all().length === 0 ? {} : { [dynamodb.locate(byNumber, partName()).target]: rowsOf(table) }),
      staged: () => stagedIn(own),
    };
  });

  test('writes each key once, with its last value, in one request', async () => {
    await publish(await stage([put('a', 1), put('b', 1), put('a', 2), gone('b'), put('a', 3), put('b', 4)]));
    expect(rowsOf(world.table)).toEqual([
      { id: 'a', value: 3 },
      { id: 'b', value: 4 },
    ]);
    expect(world.table.takeRequests()).toEqual({ PutItem: 2 });
  });

  test('writes every kind of value that a row can have', async () => {
    const item = { id: 'a', n: -1.5, big: 2n ** 100n, yes: true, none: null, bytes: new Uint8Array([1, 2]), list: [1, { deep: 'é' }] };
    await publish(await stage([{ item }]));
    const [stored] = world.table.all();
    expect(stored).toMatchObject({
      n: { N: '-1.5' },
      big: { N: String(2n ** 100n) },
      none: { NULL: true },
      bytes: { B: new Uint8Array([1, 2]) },
    });
    expect(rowsOf(world.table)).toMatchObject([{ yes: true, list: [1, { deep: 'é' }] }]);
  });

  test('tells rows of a sort key apart', async () => {
    world = sinkWorld({ keys: ['id', 'day'] });
    const byDay = tableSink(['id', 'day']);
    const { dynamodb } = world.sinksOn(objects);
    const changes = [1, 2].map((day) => ({ item: { id: 'a', day, value: day } }));
    await dynamodb.publish(byDay, await dynamodb.stage(byDay, partName(), changes), publisher);
    expect(rowsOf(world.table)).toHaveLength(2);
  });

  test('leaves of a deleted row its key and a time to expire, and lets a newer row take its place', async () => {
    await publish(await stage([put('a', 1)]));
    const late = await stage([put('a', 'late')], { checkpoint: 2 });
    await publish(await stage([gone('a')], { checkpoint: 3 }));
    await publish(late);
    expect(rowsOf(world.table)).toEqual([]);
    expect(world.table.all()).toMatchObject([{ id: { S: 'a' }, sluiceDeleted: { BOOL: true } }]);
    expect(Object.keys(world.table.all()[0]!)).toHaveLength(4);
    expect(Number(world.table.all()[0]!['expiresAt']!.N) * 1_000 - world.time.clock.now()).toBeGreaterThanOrEqual(1_200_000);
    expect(world.table.expire()).toBe(0);
    await world.time.advance(1_201_000);
    expect(world.table.expire()).toBe(1);
    await publish(await stage([put('a', 4)], { checkpoint: 4 }));
    expect(world.table.all()).toMatchObject([{ value: { N: '4' } }]);
    expect(world.table.all()[0]).not.toHaveProperty('expiresAt');
  });

  test('keeps what has been written before somebody used the sink for as long as its key does not come', async () => {
    const { dynamoDb } = world.clients;
    const { PutItemCommand } = await import('@aws-sdk/client-dynamodb');
    for (const id of ['a', 'b']) await (await dynamoDb()).send(new PutItemCommand({ TableName: 'rows', Item: { id: { S: id } } }));
    await publish(await stage([put('a', 1)]));
    expect(rowsOf(world.table)).toEqual([{ id: 'a', value: 1 }, { id: 'b' }]);
  });
});

describe('what goes wrong with a row', () => {
  test.each([['lost'], ['broken'], ['throttle'], ['lost', 'throttle', 'lost']] as const)(
    'is tried again by the SDK: %s',
    async (...faults) => {
      world = sinkWorld({ attemptsMax: 4 });
      for (const fault of faults) world.table.fail('PutItem', fault);
      expect(await publish(await stage([put('a', 1)]))).toBe('published');
      expect(rowsOf(world.table)).toEqual([{ id: 'a', value: 1 }]);
    },
  );

  test('is a throttle, after which it goes on', async () => {
    world.table.fail('PutItem', 'throttle', 5);
    expect(await publish(await stage([put('a', 1)]))).toBe('published');
    expect(world.table.takeRequests()).toEqual({ PutItem: 6 });
  });

  test.each(['throttle', 'broken', 'lost'] as const)(
    'is told as what may pass where it lasts (%s), and the next try brings the rest',
    async (fault) => {
      const part = await stage([put('a', 1), put('b', 1)]);
      world.table.fail('PutItem', fault, 12);
      await expect(publish(part)).rejects.toMatchObject({ code: 'SLUICE-OUTPUT-FAILED', retryable: true });
      for (let tries = 0; tries < 12 && (await publish(part).catch(() => 'again')) === 'again'; tries++);
      expect(await publish(part)).toBe('already');
      expect(rowsOf(world.table)).toHaveLength(2);
    },
  );

  test('is told as what stays where the table is not to be written, with what is to be allowed', async () => {
    const part = await stage([put('a', 1)]);
    world.table.fail('PutItem', 'denied');
    await expect(publish(part)).rejects.toMatchObject({
      code: 'SLUICE-OUTPUT-FAILED',
      retryable: false,
      hint: expect.stringContaining('dynamodb:PutItem') as string,
    });
    expect(await publish(part), 'run again it publishes first').toBe('published');
  });

  test('is an attribute of somebody else’s in the place of the version', async () => {
    const { PutItemCommand } = await import('@aws-sdk/client-dynamodb');
    const standing = { id: { S: 'a' }, sluiceVersion: { N: '7' } };
    await (await world.clients.dynamoDb()).send(new PutItemCommand({ TableName: 'rows', Item: standing }));
    await expect(publish(await stage([put('a', 1)]))).rejects.toMatchObject({ code: 'SLUICE-OUTPUT-FAILED', retryable: false });
  });

  test('is a part that somebody has removed', async () => {
    const part = await stage([put('a', 1)]);
    await objects.remove([part.staged]);
    await expect(publish(part)).rejects.toMatchObject({ code: 'SLUICE-PART-MISSING', retryable: false });
  });

  test.each([{ staged: 'jobs/x/deltas/1' }, { staged: `jobs/${'a'.repeat(32)}/sinks/../../x.staged` }, { staged: '.a-1-b-1-0-0.staged' }])(
    'is a name that no part of it can have: %j',
    async (changes) => {
      const part = { ...(await stage([put('a', 1)])), ...changes };
      await expect(publish(part)).rejects.toMatchObject({ code: 'SLUICE-PART-INVALID' });
      await expect(world.sinksOn(objects).dynamodb.exportPart(sink, part)).rejects.toMatchObject({ code: 'SLUICE-PART-INVALID' });
    },
  );
});

describe('a part that is larger than a slice', () => {
  test('goes on behind the slices that are delivered', async () => {
    world = sinkWorld({ sliceRecords: 10 });
    const part = await stage(manyRows(35));
    world.table.fail('PutItem', 'denied');
    await expect(publish(part)).rejects.toThrow();
    expect(await publish(part)).toBe('published');
    expect(rowsOf(world.table)).toHaveLength(35);
    world.table.takeRequests();

    const second = await stage(manyRows(35), { checkpoint: 2 });
    let noted = 0;
    const dying: ObjectStore = {
      createIfAbsent: async (key, bytes) => {
        await objects.createIfAbsent(key, bytes);
        if (++noted === 2) throw new Error('the process dies');
        return 'created';
      },
      read: (key) => objects.read(key),
      list: (prefix) => objects.list(prefix),
      remove: (keys) => objects.remove(keys),
    };
    await expect(world.sinksOn(dying).dynamodb.publish(sink, second, publisher)).rejects.toThrow('dies');
    expect(world.table.takeRequests()).toEqual({ PutItem: 20 });
    expect(await publish(second)).toBe('published');
    expect(world.table.takeRequests()).toEqual({ PutItem: 15 });
  });

  test('ends with its last value of a key, in whichever slice that stands', async () => {
    world = sinkWorld({ sliceRecords: 10 });
    await publish(await stage([...manyRows(9), put('a', 'first'), put('a', 'last')]));
    expect(rowsOf(world.table)).toContainEqual({ id: 'a', value: 'last' });
  });

  test('is discarded with its notes', async () => {
    world = sinkWorld({ sliceRecords: 1 });
    const part = await stage([put('a', 1), put('b', 1)]);
    await objects.createIfAbsent(`${part.staged}.upto-1`, new Uint8Array(0));
    expect(await world.sinksOn(objects).dynamodb.discardAbove(sink, jobA, 0, 2)).toBe(1);
    expect(await objects.list('jobs/')).toEqual([]);
  });
});

describe('whoever is late', () => {
  test('changes nothing where the younger job has written', async () => {
    await publish(await stage([put('a', 'younger')]), { job: jobA, createdAtMs: publisher.createdAtMs + 1 });
    await publish(await stage([put('a', 'older'), put('b', 'older')], { job: jobB, checkpoint: 99 }), { ...publisher, job: jobB });
    expect(rowsOf(world.table)).toEqual([
      { id: 'a', value: 'younger' },
      { id: 'b', value: 'older' },
    ]);
  });

  test('changes nothing either where a savepoint has brought several parts under one number', async () => {
    const parts = await Promise.all([7, 8].map(async (checkpoint) => stage([put('a', checkpoint)], { checkpoint, attempt: 0 })));
    for (const order of [parts, [...parts].reverse()]) {
      for (const part of order) await publish({ ...part, checkpoint: 20 });
      expect(rowsOf(world.table)).toEqual([{ id: 'a', value: 8 }]);
      world = sinkWorld();
      await objects.remove(parts.map(({ staged }) => `${staged}.delivered`));
    }
  });

  test('waits for what must be durable first', async () => {
    world = sinkWorld({ durable: () => Promise.reject(new Error('the log is gone')) });
    await expect(publish(await stage([put('a', 1)]))).rejects.toThrow('the log is gone');
    expect(world.table.all()).toEqual([]);
  });

  test('leaves the values of the new attempt, in whatever order the two deliver, and however often', async () => {
    const change = fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.boolean());
    const part = fc.array(change, { minLength: 1, maxLength: 4 });
    const call = fc.record({ attempt: fc.constantFrom(1, 2), which: fc.nat(2), together: fc.boolean() });
    const faults = fc.array(fc.constantFrom('throttle', 'lost', 'broken'), { maxLength: 4 });
    const parts = fc.array(part, { minLength: 1, maxLength: 3 });
    await fc.assert(
      fc.asyncProperty(parts, parts, fc.array(call, { maxLength: 8 }), faults, async (older, newer, calls, wrong) => {
        world = sinkWorld();
        for (const fault of wrong) world.table.fail('PutItem', fault);
        const expected = new Map<string, string | null>();
        const staged = new Map<number, (() => Promise<unknown>)[]>();
        // The old attempt made checkpoints 1 to 3, the new one goes on above every number given.
        for (const [attempt, list, above] of [
          [1, older, 0],
          [2, newer, 3],
        ] as const) {
          staged.set(attempt, list.map((changes, i) => {
            const checkpoint = above + i + 1;
            const rows = changes.map(([id, deletes], n) => (deletes ? gone(id) : put(id, `${checkpoint}/${n}`)));
            changes.forEach(([id, deletes], n) => expected.set(id, deletes ? null : `${checkpoint}/${n}`));
            // Each try in a process that knows nothing of the others, nor of what is delivered.
            return async () => {
              const { dynamodb } = world.sinksOn(newObjects());
              const one = await dynamodb.stage(sink, partName({ attempt, checkpoint }), rows);
              for (let tries = 0; tries < 9; tries++) if (await dynamodb.publish(sink, one, publisher).then(() => true, () => false)) return;
              throw new Error('it does not come to an end');
            };
          })); // prettier-ignore
        }
        const underWay: Promise<unknown>[] = [];
        for (const { attempt, which, together } of calls) {
          const deliver = staged.get(attempt)![which];
          if (deliver !== undefined) underWay.push(deliver());
          if (!together) await Promise.all(underWay.splice(0));
        }
        // All of it at last, the old attempt behind the new one.
        await Promise.all(underWay);
        for (const attempt of [2, 1]) for (const deliver of staged.get(attempt)!) await deliver();
        const found = new Map(rowsOf(world.table).map(({ id, value }) => [id, value]));
        for (const [id, value] of expected) expect(found.get(id) ?? null).toBe(value);
      }),
      { numRuns: 150 },
    );
  });
});
