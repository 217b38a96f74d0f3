import { describe, expect, test } from 'vitest';
import { verifyAudit } from '../../../lib/model/audit-chain.ts';
import { noRecord, sealEntry, type AuditHead, type AuditRecord } from '../../../lib/model/audit-record.ts';
import { askedEntry, writtenChain } from '../../contract/audit-log.contract.ts';
import { jobA } from '../../contract/sample-records.ts';
import { dynamodbWorld } from '../aws/dynamodb-world.ts';

function world() {
  const { stores, fake } = dynamodbWorld();
  const { audit } = stores;
  /** As the writer does: behind whatever is the end. */
  const append = async (body = '{}'): Promise<AuditRecord> => {
    const record = sealEntry(askedEntry(jobA, body), (await audit.head(jobA)) ?? noRecord);
    expect(await audit.create(record)).toBe('created');
    return record;
  };
  const verify = async () => {
    const head = await audit.head(jobA);
    return verifyAudit(await audit.read(jobA, 0, 1_000), head === undefined ? [] : [head]).problem;
  };
  /** What somebody does who can write to the table. */
  const remove = (...numbers: readonly number[]): void => {
    for (const number of numbers) fake.forget(`u#${jobA}`, number.toString(16).padStart(14, '0'));
  };
  return { audit, fake, append, verify, remove };
}

describe('the audit on DynamoDB', () => {
  test('asks for little: two writes and a query for a record, a query for a page', async () => {
    const { audit, fake, append } = world();
    await append();
    expect(fake.takeRequests()).toEqual({ Query: 1, PutItem: 2 });
    await audit.read(jobA, 0, 100);
    expect(fake.takeRequests()).toEqual({ Query: 1 });
  });

  test('takes a record whose answer was lost for written, once', async () => {
    const { audit, fake, append, verify } = world();
    fake.fail('PutItem', 'lost');
    await append();
    expect(await audit.read(jobA, 0, 10)).toHaveLength(1);
    expect(await verify()).toBeNull();
  });

  test('waits out a throttle', async () => {
    const { fake, append, verify } = world();
    fake.fail('PutItem', 'throttle', 5);
    fake.fail('Query', 'throttle', 5);
    await append();
    expect(await verify()).toBeNull();
  });

  test('goes on behind a record whose head was never written', async () => {
    const { audit, fake, append, verify } = world();
    await append();
    const record = sealEntry(askedEntry(jobA), (await audit.head(jobA))!);
    let puts = 0;
    fake.before = (operation) => {
      if (operation === 'PutItem' && ++puts === 2) fake.fail('PutItem', 'denied');
    };
    await expect(audit.create(record)).rejects.toMatchObject({ code: 'SLUICE-AWS-REFUSED' });
    fake.before = undefined;
    expect(await audit.head(jobA)).toEqual({ number: 2, hash: record.hash } satisfies AuditHead);
    expect((await append()).number).toBe(3);
    expect(await verify()).toBeNull();
  });

  test('shows a removal, of the newest records too, also after others were written', async () => {
    const { audit, append, verify, remove } = world();
    await writtenChain(audit, jobA, 5);
    remove(4, 5);
    expect(await verify()).toMatchObject({ number: 4, problem: 'missing' });
    expect((await append()).number).toBe(6);
    expect(await verify()).toMatchObject({ number: 4, problem: 'missing' });
  });

  test('shows that all of it was removed but the head', async () => {
    const { audit, verify, remove } = world();
    await writtenChain(audit, jobA, 3);
    remove(1, 2, 3);
    expect(await verify()).toMatchObject({ number: 1, problem: 'missing' });
  });
});
