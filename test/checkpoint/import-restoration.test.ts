import { describe, expect, test } from 'vitest';
import { restoreImport, type ImportRestoration } from '../../lib/checkpoint/import-restoration.ts';
import { spaceOf, type JobRecord } from '../../lib/model/job-record.ts';
import { recordOf } from './fixture.ts';

const retained = [4, 5].map((id) => ({ id, kind: 'checkpoint' as const, manifest: `m${id}` }));
const running = (changes: Partial<JobRecord> = {}): JobRecord =>
  recordOf({ numbered: 5, completed: 5, published: 5, dirtyEpoch: 6, retained, floor: 4, aborted: 5, ...changes });

const record = running();
const restoration: ImportRestoration = {
  fromAttempt: record.attempt,
  checkpoint: record.numbered + 1,
  manifest: 'imported',
  descriptor: 'descriptor',
  plan: record.plan,
  planHash: record.planHash,
  space: 'another',
  publishedSeen: null,
};

describe('going back to a savepoint', () => {
  test('is one write: the next checkpoint, in a namespace of its own, and nothing else is held', () => {
    const outcome = restoreImport(record, restoration, 1);
    expect(outcome).toMatchObject({
      outcome: 'changed',
      record: {
        attempt: record.attempt + 1,
        status: 'RESTARTING',
        completed: restoration.checkpoint,
        numbered: restoration.checkpoint,
        firstEpoch: restoration.checkpoint + 1,
        retained: [{ id: restoration.checkpoint, kind: 'savepoint', manifest: 'imported' }],
        pins: [],
        pending: [],
        space: 'another',
        leftSpaces: [{ space: spaceOf(record) }],
      },
    });
  });

  test.each([
    ['what was completed is still being published', running({ published: record.completed - 1 }), restoration, 'publication-pending'],
    ['another attempt has begun', running({ attempt: record.attempt + 1 }), restoration, 'superseded'],
    ['a checkpoint was numbered meanwhile', running({ numbered: record.numbered + 1 }), restoration, 'number-taken'],
    ['more was published since somebody looked', record, { ...restoration, publishedSeen: record.published - 1 }, 'published-changed'],
    ['the job is being canceled', running({ status: 'CANCELLING' }), restoration, 'status-forbids'],
  ] as const)('is refused where %s', (_, before, wanted, reason) => {
    expect(restoreImport(before, wanted, 1)).toEqual({ outcome: 'refused', reason });
  });
});
