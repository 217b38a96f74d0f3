import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { JobId } from '../../lib/base/ids.ts';
import { verifyAudit } from '../../lib/model/audit-chain.ts';
import { hashOfRecord, noRecord, sealEntry, type AuditEntry, type AuditHead, type AuditRecord } from '../../lib/model/audit-record.ts';

const job = 'a'.repeat(32) as JobId;
const state = { status: 'RUNNING', attempt: 1, version: 7, settings: { intervalMs: 1_000 } };
const request = { method: 'POST', path: `/jobs/${job}/stop`, query: '', body: '{"drain":true}' };
const about = { job, who: 'arn:aws:iam::1:user/ada', requestId: 'r1' };

/** Changes, each asked for and answered. */
function chainOf(changes: number): readonly AuditRecord[] {
  const records: AuditRecord[] = [];
  const add = (entry: AuditEntry): void => void records.push(sealEntry(entry, records.at(-1) ?? noRecord));
  for (let i = 0; i < changes; i++) {
    add({ ...about, kind: 'asked', atMs: 2 * i, request, before: state });
    add({ ...about, kind: 'answered', atMs: 2 * i + 1, asked: 2 * i + 1, outcome: { status: 202, code: null }, after: state });
  }
  return records;
}

const headOf = (records: readonly AuditRecord[]): AuditHead => ({ number: records.at(-1)!.number, hash: records.at(-1)!.hash });
const changed = (records: readonly AuditRecord[], at: number, change: object): readonly AuditRecord[] =>
  records.map((record, i) => (i === at ? { ...record, ...change } : record));
const chain = chainOf(10);
const places = fc.integer({ min: 0, max: chain.length - 1 });

describe('a chain of audit records', () => {
  test('is whole as it was written, through JSON too, and its hash hangs on no order of fields', () => {
    expect(verifyAudit(chain, [headOf(chain)])).toEqual({ problem: null, withoutOutcome: [], whole: headOf(chain) });
    const reversed = chain.map((record) => Object.fromEntries(Object.entries(record).reverse()) as unknown as AuditRecord);
    expect(verifyAudit(JSON.parse(JSON.stringify(reversed)) as AuditRecord[], [headOf(chain)]).problem).toBeNull();
    expect(verifyAudit([], []).problem).toBeNull();
  });

  test('has the hashes that its format says, for ever', () => {
    const first: AuditEntry = { ...about, kind: 'asked', atMs: 1_700_000_000_000, request, before: state };
    expect(sealEntry(first, noRecord).hash).toBe('65d2473aa8e7b1d4dfd1e3e988b86e1a5885f2c56603b5f12fcd6bf7f68f3b82');
  });

  test('shows an edit of any field of any record, at that record', () => {
    const edits = [{ who: 'somebody else' }, { atMs: 99 }, { requestId: '' }, { more: 1 }, { kind: 'other' }, { previous: 'f'.repeat(64) }];
    fc.assert(
      fc.property(places, fc.constantFrom(...edits), (at, edit) => {
        expect(verifyAudit(changed(chain, at, edit), [headOf(chain)]).problem).toMatchObject({ number: at + 1, problem: 'edited' });
      }),
    );
    const inside = changed(chain, 4, { request: { ...request, body: '{"drain":false}' } });
    expect(verifyAudit(inside, []).problem).toMatchObject({ number: 5, problem: 'edited' });
  });

  test('shows any removal, of the newest ones too, at the first that is missing', () => {
    fc.assert(
      fc.property(places, fc.integer({ min: 1, max: 5 }), (at, count) => {
        const left = [...chain.slice(0, at), ...chain.slice(at + count)];
        expect(verifyAudit(left, [headOf(chain)]).problem).toMatchObject({ number: at + 1, problem: 'missing' });
      }),
    );
  });

  test('shows records in another order, twice, or of another job', () => {
    const swapped = [chain[0]!, chain[2]!, chain[1]!, ...chain.slice(3)];
    expect(verifyAudit(swapped, []).problem).toMatchObject({ number: 2 });
    expect(verifyAudit([chain[0]!, chain[0]!, ...chain.slice(1)], []).problem).toMatchObject({ number: 2, problem: 'out-of-place' });
    const foreign = { ...chain[1]!, job: 'b'.repeat(32) as JobId };
    expect(verifyAudit([chain[0]!, { ...foreign, hash: hashOfRecord(foreign) }], []).problem).toMatchObject({ problem: 'out-of-place' });
  });

  test('shows a record that was edited and sealed again, by the one that follows it', () => {
    const forged = { ...chain[4]!, who: 'nobody' };
    const sealed = changed(chain, 4, { ...forged, hash: hashOfRecord(forged) });
    expect(verifyAudit(sealed, [headOf(chain)])).toMatchObject({ problem: { number: 5, problem: 'replaced' }, whole: { number: 5 } });
  });

  test('shows a chain that was made anew from a record on by what is known of it elsewhere', () => {
    const forged: AuditRecord[] = chain.slice(0, 4).map((record) => record);
    for (const { number: _n, hash: _h, previous: _p, ...entry } of chain.slice(4)) {
      forged.push(sealEntry({ ...entry, who: 'nobody' }, forged.at(-1)!));
    }
    expect(verifyAudit(forged, []).problem).toBeNull();
    const anchor = { number: chain[6]!.number, hash: chain[6]!.hash };
    expect(verifyAudit(forged, [anchor, headOf(chain)]).problem).toMatchObject({ number: 7, problem: 'replaced' });
  });

  test('tells of which change the outcome was never written', () => {
    const open = chainOf(1).slice(0, 1);
    expect(verifyAudit(open, [headOf(open)])).toMatchObject({ problem: null, withoutOutcome: [1] });
  });
});
