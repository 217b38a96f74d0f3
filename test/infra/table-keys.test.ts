import { describe, expect, test } from 'vitest';
import { auditKeysOfJob, intakeKeysOfJob, keysOfJob, recordKeysOfJob, sharedKeys } from '../../infra/table-keys.ts';
import { recordKeys, rowKeys } from '../../lib/adapters/dynamodb/item-keys.ts';
import type { JobId, OperatorUid } from '../../lib/base/ids.ts';
import { timerStates } from '../../lib/model/state-row.ts';
import { besideRunningJob } from '../../lib/savepoint/import-target.ts';

const job = '0123456789abcdef0123456789abcdef' as JobId;
const other = '0123456789abcdef0123456789abcde0' as JobId;
const uid = 'an operator#*' as OperatorUid;

/** Every partition key that the adapter makes of a job. */
function partitionsOf(of: JobId): Readonly<Record<string, string>> {
  const spaces = [of, besideRunningJob(of, 'trigger').space];
  const timer = Object.values(timerStates)[0]!;
  return {
    job: recordKeys.job(of).pk,
    shard: recordKeys.shard({ job: of, uid, shard: 3 }).pk,
    acknowledgements: recordKeys.acknowledgements(of, 1, 2),
    operations: recordKeys.operations(of),
    history: recordKeys.history(of),
    ...Object.fromEntries(
      spaces.flatMap((space, i) => [
        [`rows ${i}`, rowKeys.rows(space, uid, 5)],
        [`timers ${i}`, rowKeys.timers(space, uid, timer, 0)],
        [`register ${i}`, rowKeys.register(space)],
      ]),
    ),
  };
}

const allowed = (patterns: readonly string[], key: string): boolean =>
  patterns.some((pattern) => (pattern.endsWith('*') ? key.startsWith(pattern.slice(0, -1)) : key === pattern));

describe('the keys of a job', () => {
  test('are all within what its functions may touch, and those of another job are not', () => {
    for (const [kind, key] of Object.entries(partitionsOf(job))) expect(allowed(keysOfJob(job), key), kind).toBe(true);
    for (const [kind, key] of Object.entries(partitionsOf(other))) expect(allowed(keysOfJob(job), key), kind).toBe(false);
  });

  test('of its audit are apart', () => {
    expect(allowed(auditKeysOfJob(job), recordKeys.audit(job))).toBe(true);
    expect(allowed(auditKeysOfJob(job), recordKeys.audit(other))).toBe(false);
    expect(allowed([...sharedKeys, ...keysOfJob(job)], recordKeys.audit(job))).toBe(false);
    expect(allowed(sharedKeys, recordKeys.jobs)).toBe(true);
  });

  test('in the table of intakes are those of its own logs; an intake has its own', () => {
    const key = recordKeys.intake(job, 'clicks', '000-of-4');
    for (const patterns of [intakeKeysOfJob(job), intakeKeysOfJob(job, 'clicks')]) expect(allowed(patterns, key)).toBe(true);
    expect(allowed(intakeKeysOfJob(job, 'click'), key)).toBe(false);
    expect(allowed(intakeKeysOfJob(other), key)).toBe(false);
    expect(allowed(recordKeysOfJob(job), recordKeys.job(job).pk)).toBe(true);
    expect(allowed(recordKeysOfJob(job), recordKeys.operations(job))).toBe(false);
  });

  test('are of the kinds that are looked at here: who adds one adds it to the permissions too', () => {
    expect(Object.keys(recordKeys).sort()).toEqual(
      [
        ...['acknowledgements', 'audit', 'auditHead', 'auditRecord', 'history', 'historyEntry', 'job', 'jobs', 'listedJob'],
        ...['operations', 'shard', 'subtask', 'trigger'],
        // Of the table of intakes.
        ...['intake', 'intakeEntry'],
      ].sort(),
    );
  });
});
