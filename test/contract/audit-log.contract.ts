import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { JobId } from '../../lib/base/ids.ts';
import { noRecord, sealEntry, type AuditEntry, type AuditRecord } from '../../lib/model/audit-record.ts';
import type { AuditLog } from '../../lib/ports/audit-log.ts';
import { openFixture, type MakeStores, type StoresFixture } from './fixture.ts';
import { jobA, jobB } from './sample-records.ts';

export function askedEntry(job: JobId, body = '{}'): AuditEntry {
  const request = { method: 'POST', path: `/jobs/${job}/stop`, query: '', body };
  return { job, kind: 'asked', atMs: 1_000, who: 'arn:aws:iam::1:user/ada', requestId: 'r', request, before: null };
}

/** Written one after the other, each behind the one before. */
export async function writtenChain(log: AuditLog, job: JobId, length: number): Promise<readonly AuditRecord[]> {
  const records: AuditRecord[] = [];
  for (let i = 0; i < length; i++) {
    const record = sealEntry(askedEntry(job, `{"i":${i}}`), records.at(-1) ?? noRecord);
    expect(await log.create(record)).toBe('created');
    records.push(record);
  }
  return records;
}

/** What the audit of jobs promises. */
export function auditLogContract(adapter: string, make: MakeStores): void {
  describe(`audit log of ${adapter}`, () => {
    let fixture: StoresFixture;
    let log: AuditLog;

    beforeEach(async () => {
      fixture = await openFixture(make);
      log = fixture.audit!;
    });
    afterEach(() => fixture.dispose());

    test('records come back as they were written, by number and page by page, each job’s own', async () => {
      const records = await writtenChain(log, jobA, 5);
      await writtenChain(log, jobB, 1);
      expect(await log.read(jobA, 0, 100)).toEqual(records);
      expect(await log.read(jobA, 1, 2)).toEqual(records.slice(1, 3));
      expect(await log.read(jobA, 5, 2)).toEqual([]);
      expect((await log.read(jobB, 0, 100)).map(({ job }) => job)).toEqual([jobB]);
    });

    test('the head is that of the newest record, and there is none before the first', async () => {
      expect(await log.head(jobA)).toBeUndefined();
      const records = await writtenChain(log, jobA, 20);
      expect(await log.head(jobA)).toEqual({ number: 20, hash: records[19]!.hash });
      expect(await log.head(jobB)).toBeUndefined();
    });

    test('of several writers of one number one is first, and what it wrote stays', async () => {
      const [first] = await writtenChain(log, jobA, 1);
      const rivals = Array.from({ length: 8 }, (_, i) => sealEntry(askedEntry(jobA, `rival ${i}`), first!));
      const outcomes = await Promise.all(rivals.map((record) => log.create(record)));
      expect(outcomes.filter((outcome) => outcome === 'created')).toHaveLength(1);
      const winner = rivals[outcomes.indexOf('created')]!;
      expect(await log.read(jobA, 1, 10)).toEqual([winner]);
      expect(await log.head(jobA)).toEqual({ number: 2, hash: winner.hash });
    });

    test('a number that is taken is never written again', async () => {
      const records = await writtenChain(log, jobA, 3);
      expect(await log.create(sealEntry(askedEntry(jobA, 'other'), records[0]!))).toBe('exists');
      expect(await log.read(jobA, 0, 10)).toEqual(records);
    });
  });
}
