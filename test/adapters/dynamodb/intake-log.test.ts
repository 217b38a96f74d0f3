/** What an entry of an intake log costs, and what it does when DynamoDB or the network fails. */
import { describe, expect, test } from 'vitest';
import { identityOf } from '../../../lib/model/intake-identity.ts';
import { entryOf, orders, readAll } from '../../contract/intake-log.contract.ts';
import { intakeLogWorld } from '../aws/intake-log-world.ts';

/** Of texts that cannot be packed: some 20 KB. */
const batch = Array.from({ length: 100 }, (_, n) => Array.from({ length: 10 }, (__, part) => identityOf(`${n} ${part}`)).join(''));

describe('what it asks for', () => {
  test('an entry is one write, and the first of a process one look more', async () => {
    const { fake, writer } = intakeLogWorld();
    const log = writer();
    await log.append(orders, entryOf(['a']));
    expect(fake.takeRequests()).toEqual({ Query: 1, PutItem: 1 });
    await log.append(orders, entryOf(['b']));
    expect(fake.takeRequests()).toEqual({ PutItem: 1 });
  });

  test('of a large batch only the identities are in the item, two write units for 100 records', async () => {
    const { fake, meter, objects, writer } = intakeLogWorld();
    const log = writer();
    await log.append(orders, entryOf(['a']));
    const unitsOfPut = (): number => meter.take().find(({ operation }) => operation === 'PutItem')!.units;
    expect(unitsOfPut()).toBe(1);
    await log.append(orders, entryOf(batch));
    expect(unitsOfPut()).toBe(2);
    expect(await objects.list('intake/job/orders/000-of-2/')).toHaveLength(1);
    expect(fake.all().map(({ o }) => o !== undefined)).toEqual([false, true]);
  });

  test('a read of many entries is one query, and what is trimmed takes its objects with it', async () => {
    const { fake, objects, writer } = intakeLogWorld();
    const log = writer();
    for (let n = 0; n < 20; n++) await log.append(orders, entryOf([n === 3 ? batch.join('') : `${n}`]));
    fake.takeRequests();
    expect(await log.read(orders, 1, { recordsMax: 100 })).toHaveLength(20);
    expect(fake.takeRequests()).toEqual({ Query: 1 });
    await log.trim(orders, { below: 10, takenBeforeMs: 9_999, entriesMax: 100 });
    expect(fake.takeRequests()).toEqual({ Query: 1, BatchWriteItem: 1 });
    expect(await objects.list('intake/')).toEqual([]);
  });
});

describe('under faults', () => {
  test('an entry whose answer was lost is known again, and not written twice', async () => {
    const { fake, writer } = intakeLogWorld();
    const log = writer();
    fake.fail('PutItem', 'lost');
    expect(await log.append(orders, entryOf(['a']))).toEqual({ number: 1 });
    expect(await log.append(orders, entryOf(['b']))).toEqual({ number: 2 });
    expect((await readAll(log)).map(({ records }) => records[0]!.text)).toEqual(['a', 'b']);
  });

  test('throttles are waited for; what lasts is an error, and the next entry leaves no gap', async () => {
    const { fake, writer } = intakeLogWorld();
    const log = writer();
    fake.fail('PutItem', 'throttle', 4);
    expect(await log.append(orders, entryOf(['a']))).toEqual({ number: 1 });
    fake.fail('PutItem', 'denied');
    await expect(log.append(orders, entryOf(['b']))).rejects.toMatchObject({ code: expect.stringContaining('SLUICE-') as unknown });
    expect(await log.append(orders, entryOf(['c']))).toEqual({ number: 2 });
  });

  test('an entry whose texts are gone says so', async () => {
    const { objects, writer } = intakeLogWorld();
    const log = writer();
    await log.append(orders, entryOf(batch));
    await objects.remove((await objects.list('intake/')).map(({ key }) => key));
    await expect(log.read(orders, 1, { recordsMax: 1 })).rejects.toMatchObject({ code: 'SLUICE-INTAKE-GONE' });
  });
});
