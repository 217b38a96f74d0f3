import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { limits } from '../../../lib/base/limits.ts';
import { channelId, operatorUid, type JobId } from '../../../lib/base/ids.ts';
import { itemBytes } from '../../../lib/adapters/aws-sdk/item-size.ts';
import { recordKeys, rowKeys } from '../../../lib/adapters/dynamodb/item-keys.ts';
import { keyPart, textOfPart } from '../../../lib/adapters/dynamodb/key-text.ts';
import { compareUtf8 } from '../../../lib/adapters/dynamodb/compare-utf8.ts';
import { checkpointEntry } from '../../contract/job-history.contract.ts';
import { ManualTime } from '../../contract/manual-time.ts';
import { jobA, shardRecord, shardSnapshot } from '../../contract/sample-records.ts';
import { baseTables } from '../../setup/base-tables.ts';
import { dynamodbWorld, tombstonesKeptMs } from '../aws/dynamodb-world.ts';

const count = operatorUid('count');
const anyText = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: fc.constantFrom('#', '$', '~', '!', ' ', 'a', '\u0000', '\u{10ffff}', '\ud800') }),
);

function row(key: string, value: unknown, changes: object = {}) {
  return { operator: count, state: 'sum', keyGroup: 3, key, namespace: '', value, ...changes };
}

/** Text that does not compress to less than half. */
function noise(length: number): string {
  let state = 1;
  const next = (): number => (state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0);
  return Array.from({ length }, () => String.fromCharCode(33 + ((next() >>> 16) % 90))).join('');
}

describe('the text of a key', () => {
  test('comes back, unless it was cut, and is never longer than it may be', () => {
    fc.assert(
      fc.property(anyText, fc.integer({ min: 60, max: 200 }), (text, bytesMax) => {
        const part = keyPart(text, bytesMax);
        expect(Buffer.byteLength(part)).toBeLessThanOrEqual(bytesMax);
        expect(part.isWellFormed()).toBe(true);
        const back = textOfPart(part);
        if (back !== undefined) expect(back).toBe(text);
        else expect(!text.isWellFormed() || Buffer.byteLength(text) * 2 > bytesMax).toBe(true);
      }),
    );
  });

  test('is another for another text', () => {
    fc.assert(
      fc.property(anyText, anyText, (a, b) => {
        expect(keyPart(a, 60) === keyPart(b, 60)).toBe(a === b);
      }),
    );
  });

  test('keeps the order by UTF-8 bytes of one part after the other', () => {
    const wellFormed = anyText.map((text) => text.toWellFormed());
    const utf8 = (a: string, b: string): number => Math.sign(Buffer.compare(Buffer.from(a), Buffer.from(b)));
    fc.assert(
      fc.property(wellFormed, wellFormed, wellFormed, wellFormed, (a, b, c, d) => {
        const [left, right] = [`${keyPart(a, 900)}#${keyPart(b, 900)}`, `${keyPart(c, 900)}#${keyPart(d, 900)}`];
        expect(utf8(left, right)).toBe(utf8(a, c) || utf8(b, d));
        expect(Math.sign(compareUtf8(left, right))).toBe(utf8(left, right));
      }),
    );
  });

  test('fits into the keys of DynamoDB, whatever the names are', () => {
    const long = '\u{10ffff}'.repeat(60_000) as JobId;
    const uid = operatorUid(long);
    const address = { operator: uid, state: long, keyGroup: 32_767, key: long, namespace: long };
    const keys = [
      recordKeys.job(long),
      recordKeys.listedJob(long),
      recordKeys.shard({ job: long, uid, shard: 32_767 }),
      { pk: recordKeys.acknowledgements(long, 2 ** 53, 2 ** 53), sk: recordKeys.subtask(uid, 32_767) },
      { pk: recordKeys.operations(long), sk: recordKeys.trigger(long) },
      { pk: recordKeys.history(long), sk: recordKeys.historyEntry('checkpoint', 2 ** 53) },
      { pk: rowKeys.register(long), sk: rowKeys.registered(uid, 1_023) },
      // One longer than the key: a query begins behind it.
      { pk: rowKeys.row(long, address).pk, sk: `${rowKeys.row(long, address).sk}!` },
      { pk: rowKeys.timers(long, uid, long, 1_023), sk: `${rowKeys.timer(address)}!` },
    ];
    for (const { pk, sk } of keys) {
      expect(Buffer.byteLength(pk)).toBeLessThanOrEqual(limits.itemPartitionKeyBytesMax);
      expect(Buffer.byteLength(sk)).toBeLessThanOrEqual(limits.itemSortKeyBytesMax);
    }
    expect(new Set(keys.map(({ pk, sk }) => `${pk} ${sk}`)).size).toBe(keys.length);
  });
});

describe('an item', () => {
  test('is compressed where that saves a unit, and only there', async () => {
    const { stores, fake } = dynamodbWorld();
    await stores.base.write(
      'space',
      1,
      baseTables([row('"small"', 'x'.repeat(500)), row('"large"', 'x'.repeat(3_000)), row('"noise"', noise(1_300))]),
    );
    const bodies = Object.fromEntries(
      fake.all().flatMap(({ sk, x }) => (x === undefined ? [] : [[textOfPart(sk!.S!.split('#')[1]!), Object.keys(x)[0]]])),
    );
    expect(bodies).toEqual({ '"small"': 'S', '"large"': 'B', '"noise"': 'S' });
    expect(await stores.base.read('space', [row('"large"', 0), row('"noise"', 0)])).toEqual([
      `"${'x'.repeat(3_000)}"`,
      JSON.stringify(noise(1_300)),
    ]);
  });

  test('of a shard record with 32 channels is two units at most', async () => {
    const { stores, meter } = dynamodbWorld();
    const channels = Array.from({ length: 32 }, (_, i) => channelId(1, i, 7));
    const inputs = Object.fromEntries(
      channels.map((id, i) => [id, { sequence: 1_000 + i, watermark: 1_700_000_000_000 + i, idle: false, ended: false, barrier: 17 }]),
    );
    await stores.shards.commit(shardRecord({ inputs }), { version: 0, attempt: 1 });
    expect(meter.take()[0]?.units).toBeLessThanOrEqual(2);
    expect(await stores.shards.read(shardRecord())).toEqual(shardRecord({ inputs }));
  });

  test('above 400 KB is refused, and says whose it is and what to do', async () => {
    const { stores, fake } = dynamodbWorld();
    const write = stores.base.write('space', 1, baseTables([row('"big"', noise(900_000))]));
    await expect(write).rejects.toMatchObject({
      code: 'SLUICE-ITEM-TOO-LARGE',
      facts: { operator: 'count', state: 'sum', key: '"big"', bytesMax: 409_600 },
      hint: expect.stringContaining("load: 'by-entry'"),
    });
    expect(fake.takeRequests()).toEqual({});
    const commit = stores.shards.commit(shardRecord({ tryId: noise(900_000) }), { version: 0, attempt: 1 });
    await expect(commit).rejects.toMatchObject({ code: 'SLUICE-ITEM-TOO-LARGE', facts: { operator: 'count', shard: 0 } });
  });

  test('of just 400 KB is taken', async () => {
    const { stores, fake } = dynamodbWorld();
    await stores.base.write('space', 1, baseTables([row('"a"', 'x'.repeat(5_000_000))]));
    expect((await stores.base.read('space', [row('"a"', 0)]))[0]?.length).toBe(5_000_002);
    expect(Math.max(...fake.all().map(itemBytes))).toBeLessThan(409_600);
  });

  test('that is damaged is told', async () => {
    const { stores, fake } = dynamodbWorld();
    await stores.base.write('space', 1, baseTables([row('"a"', 'x'.repeat(3_000))]));
    const item = fake.all().find(({ x }) => x !== undefined)!;
    item['x'] = { B: new Uint8Array([1, 2, 3]) };
    await expect(stores.base.read('space', [row('"a"', 0)])).rejects.toMatchObject({ code: 'SLUICE-DATA-CORRUPT' });
  });
});

describe('what goes by itself', () => {
  test('is a tombstone, once it is older than any invocation, and no row that lives', async () => {
    const time = new ManualTime();
    const { stores, fake } = dynamodbWorld(time);
    await stores.base.write('space', 5, baseTables([row('"dead"', undefined), row('"revived"', undefined), row('"alive"', 1)]));
    await time.advance(1_000);
    await stores.base.write('space', 6, baseTables([row('"revived"', 2)]));
    await time.advance(tombstonesKeptMs - 1_000);
    expect(fake.expire()).toBe(0);
    await stores.base.write('space', 4, baseTables([row('"dead"', 'zombie')]));
    expect(await stores.base.read('space', [row('"dead"', 0)])).toEqual([undefined]);
    await time.advance(2_000);
    expect(fake.expire()).toBe(1);
    expect(await stores.base.read('space', [row('"dead"', 0), row('"revived"', 0), row('"alive"', 0)])).toEqual([undefined, '2', '1']);
    await stores.base.write('space', 4, baseTables([row('"dead"', 'the fence is gone')]));
    expect(await stores.base.read('space', [row('"dead"', 0)])).toEqual(['"the fence is gone"']);
  });

  test('is an acknowledgement that came too late to be removed', async () => {
    const time = new ManualTime();
    const { stores, fake } = dynamodbWorld(time);
    await stores.acknowledgements.put(shardSnapshot());
    await time.advance(29 * 86_400_000);
    expect(fake.expire()).toBe(0);
    await time.advance(2 * 86_400_000);
    expect(fake.expire()).toBe(1);
  });
});

describe('a namespace of the base', () => {
  test('is dropped whole, though its operators and key groups are in no plan any more, and by another process', async () => {
    const { stores, fake, client } = dynamodbWorld();
    const operators = ['count', 'gone', 'other#1'].map(operatorUid);
    const rows = operators.flatMap((operator) =>
      [0, 31, 32, 127, 32_767].flatMap((keyGroup) => [
        row('"a"', 1, { operator, keyGroup }),
        row('"a"', true, { operator, keyGroup, state: '#event-timers', namespace: '1' }),
        row('"a"', true, { operator, keyGroup, state: '#processing-timers', namespace: '1' }),
      ]),
    );
    await stores.base.write('left', 1, baseTables(rows));
    await stores.base.write('kept', 1, baseTables([row('"a"', 1)]));
    const second = dynamodbWorld();
    // Another process on the same table.
    Object.assign(second.client.config, { requestHandler: client.config.requestHandler });
    await second.stores.base.drop('left');
    const left = fake.all().map(({ pk }) => pk!.S!.split('#').slice(0, 2).join('#'));
    expect(new Set(left)).toEqual(new Set(['r#left', 'r#kept', 'b#kept']));
  });

  test('that was dropped and is written again by one who had written before is dropped again', async () => {
    const { stores } = dynamodbWorld();
    await stores.base.write('space', 1, baseTables([row('"a"', 1)]));
    await stores.base.drop('space');
    await stores.base.write('space', 1, baseTables([row('"a"', 2)]));
    await stores.base.drop('space');
    expect(await stores.base.read('space', [row('"a"', 0)])).toEqual([undefined]);
  });
});

test('of a history what is beyond the newest is removed by one of a hundred appends', async () => {
  const fractions: number[] = [];
  const random = { fraction: () => fractions.shift() ?? 0.5, hex: (digits: number) => '0'.repeat(digits) };
  const { stores, fake } = dynamodbWorld({ random });
  for (let id = 1; id <= limits.historyEntriesMax + 4; id++) await stores.history.append(jobA, checkpointEntry(id));
  expect(fake.all().length).toBe(limits.historyEntriesMax + 4);
  fractions.push(0.001);
  await stores.history.append(jobA, checkpointEntry(limits.historyEntriesMax + 5));
  expect(fake.all().length).toBe(limits.historyEntriesMax);
});

test('a state that begins with # and is none of the timers is a fault of the caller', async () => {
  const { stores } = dynamodbWorld();
  const query = { operator: count, state: 'sum', keyGroups: { start: 0, end: 1 }, after: null, rowsMax: 1 };
  await expect(stores.base.readDue('space', query)).rejects.toMatchObject({ code: 'SLUICE-INVARIANT' });
  await expect(stores.base.write('space', 1, baseTables([row('"a"', 1, { state: '#mine' })]))).rejects.toMatchObject({
    code: 'SLUICE-INVARIANT',
  });
  await expect(stores.base.readKey('space', row('"a"', 1, { state: '#event-timers' }))).rejects.toMatchObject({ code: 'SLUICE-INVARIANT' });
});
