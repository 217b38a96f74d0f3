import { describe, expect, test } from 'vitest';
import { checkSettings, defaultCheckpointSettings } from '../../lib/checkpoint/checkpoint-settings.ts';
import { commitStopped, completeCheckpoint, markPublished } from '../../lib/checkpoint/completion.ts';
import { countsAgainstTolerance, failureReasons } from '../../lib/checkpoint/failure-reason.ts';
import { reasonOfFlowError } from '../../lib/checkpoint/flow-error.ts';
import { beginCancel, endCancel, failJob, finishJob, suspendJob } from '../../lib/checkpoint/job-ending.ts';
import { noteDirty, noteEnded } from '../../lib/checkpoint/job-progress.ts';
import { isTerminal, mayMove } from '../../lib/checkpoint/job-status.ts';
import { abortCheckpoint } from '../../lib/checkpoint/abort.ts';
import { expiredCheckpoint, isOver, numberCheckpoint } from '../../lib/checkpoint/pending-checkpoint.ts';
import { pinCheckpoint, unpin } from '../../lib/checkpoint/pins.ts';
import { restore, type Restoration } from '../../lib/checkpoint/restoration.ts';
import { change } from '../../lib/checkpoint/transition.ts';
import { decideTrigger, triggerTime } from '../../lib/checkpoint/trigger-policy.ts';
import type { JobRecord, PendingCheckpoint } from '../../lib/model/job-record.ts';
import { recordOf, settings } from './fixture.ts';
import { source } from './plans.ts';

function pending(id: number, changes: Partial<PendingCheckpoint> = {}): PendingCheckpoint {
  return { id, kind: 'checkpoint', flow: `flow-${id}`, token: `token-${id}`, triggeredAtMs: 0, deadlineMs: 10_000, ...changes };
}

const retained = (...ids: readonly number[]) => ids.map((id) => ({ id, kind: 'checkpoint' as const, manifest: `m${id}` }));
const running = (changes: Partial<JobRecord> = {}): JobRecord =>
  recordOf({ numbered: 5, completed: 5, published: 5, dirtyEpoch: 6, retained: retained(4, 5), floor: 4, aborted: 5, ...changes });

describe('the trigger policy', () => {
  const decide = (changes: Partial<JobRecord>, more: Partial<typeof settings> = {}, sourcesEnded = false) =>
    decideTrigger({
      record: running({ triggeredAtMs: 9_000, completedAtMs: 9_900, ...changes }),
      settings: { ...settings, ...more },
      sourcesEnded,
      nowMs: 10_000,
    });

  test.each([
    ['idle where nothing has changed', { dirtyEpoch: 5 }, {}, false, { decision: 'idle', because: 'clean' }],
    [
      'idle where a pending one answers the change',
      { numbered: 6, pending: [pending(6)] },
      { maxConcurrent: 2 },
      false,
      { decision: 'idle', because: 'clean' },
    ],
    [
      'due where only a savepoint is pending',
      { numbered: 6, pending: [pending(6, { kind: 'savepoint' })] },
      { maxConcurrent: 2 },
      false,
      { decision: 'trigger' },
    ],
    [
      'waiting at the limit',
      { numbered: 6, pending: [pending(6, { kind: 'savepoint' })] },
      {},
      false,
      { decision: 'wait', because: 'concurrent' },
    ],
    [
      'idle while a stop is open',
      { numbered: 6, pending: [pending(6, { kind: 'stop-savepoint' })] },
      { maxConcurrent: 2 },
      false,
      { decision: 'idle', because: 'stopping' },
    ],
    [
      'idle while a stop is exported',
      { pins: [{ checkpoint: 5, kind: 'stop-savepoint', flow: 'f', manifest: 'm' }] },
      {},
      false,
      { decision: 'idle', because: 'stopping' },
    ],
    ['waiting for the interval', { triggeredAtMs: 9_500 }, {}, false, { decision: 'wait', because: 'interval', untilMs: 10_500 }],
    ['waiting for the minimum pause', {}, { minPauseMs: 500 }, false, { decision: 'wait', because: 'minimum-pause', untilMs: 10_400 }],
    ['due at once when all sources have ended', { triggeredAtMs: 9_999 }, { minPauseMs: 500 }, true, { decision: 'trigger' }],
    ['idle when more have failed than are borne', { failures: 3 }, {}, false, { decision: 'idle', because: 'too-many-failures' }],
    ['due while as many have failed as are borne', { failures: 2 }, {}, false, { decision: 'trigger' }],
    ['idle when the job does not run', { status: 'FAILED' }, {}, false, { decision: 'idle', because: 'not-running' }],
  ] as const)('is %s', (_, changes, more, ended, expected) => {
    expect(decide(changes as Partial<JobRecord>, more, ended)).toMatchObject(expected);
  });

  test('counts the interval from the first change after a quiet time, else from the last trigger', () => {
    const at = (nowMs: number, quiet: boolean): number =>
      triggerTime({ record: running({ triggeredAtMs: 1_000, completedAtMs: 1_500 }), settings, sourcesEnded: false, nowMs }, quiet);
    expect(at(1_200, true)).toBe(2_000);
    expect(at(9_000, true)).toBe(10_000);
    expect(at(9_000, false)).toBe(9_000);
    expect(triggerTime({ record: running(), settings, sourcesEnded: true, nowMs: 7 }, true)).toBe(7);
  });
});

describe('a number', () => {
  const request = { kind: 'checkpoint', flow: 'f', token: 't1' } as const;

  test('is given once per flow: another try only replaces the token', () => {
    const first = numberCheckpoint(running(), request, settings, 100);
    if (first.outcome !== 'changed') return expect.unreachable();
    expect(first.record).toMatchObject({ numbered: 6, pending: [{ id: 6, token: 't1', deadlineMs: 600_100 }], triggeredAtMs: 100 });
    const second = numberCheckpoint(first.record, { ...request, token: 't2' }, settings, 200);
    expect(second).toMatchObject({ outcome: 'changed', record: { numbered: 6, pending: [{ id: 6, token: 't2', triggeredAtMs: 100 }] } });
  });

  test('is refused at the limit, but not to savepoints, and to nobody without end', () => {
    const full = running({ numbered: 6, pending: [pending(6)] });
    expect(numberCheckpoint(full, request, settings, 1)).toEqual({ outcome: 'refused', reason: 'TOO_MANY_CHECKPOINT_REQUESTS' });
    const savepoint = numberCheckpoint(full, { ...request, kind: 'savepoint' }, settings, 1);
    expect(savepoint).toMatchObject({ outcome: 'changed', record: { triggeredAtMs: 0 } });
    const many = running({ numbered: 13, pending: [6, 7, 8, 9, 10, 11, 12, 13].map((id) => pending(id, { kind: 'savepoint' })) });
    expect(numberCheckpoint(many, { ...request, kind: 'savepoint' }, settings, 1)).toMatchObject({
      reason: 'TOO_MANY_CHECKPOINT_REQUESTS',
    });
  });

  test('is refused where the job does not run or is being stopped', () => {
    const reason = 'NOT_ALL_REQUIRED_TASKS_RUNNING';
    expect(numberCheckpoint(running({ status: 'CANCELLING' }), request, settings, 1)).toMatchObject({ reason });
    const stopping = running({ numbered: 6, pending: [pending(6, { kind: 'stop-savepoint' })] });
    expect(numberCheckpoint(stopping, { ...request, kind: 'savepoint' }, settings, 1)).toMatchObject({ reason });
  });
});

describe('completing', () => {
  const completion = { checkpoint: 6, manifest: 'm6', retainedCount: 2, nothingToPublish: false };

  test('retains, retires what is beyond the count and published, moves the floor and begins the count of failures anew', () => {
    const outcome = completeCheckpoint(running({ numbered: 6, pending: [pending(6)], failures: 2, try: 3 }), completion, 50);
    expect(outcome).toMatchObject({
      record: { completed: 6, published: 5, retained: retained(5, 6), floor: 5, failures: 0, try: 0, pending: [], completedAtMs: 50 },
    });
  });

  test('keeps what is not published, however many', () => {
    const record = running({ numbered: 6, published: 3, pending: [pending(6)] });
    const done = completeCheckpoint(record, completion, 1);
    if (done.outcome !== 'changed') return expect.unreachable();
    expect(done.record.retained).toEqual(retained(4, 5, 6));
    expect(markPublished(done.record, 6, 2, 2)).toMatchObject({ record: { published: 6, retained: retained(5, 6), floor: 5 } });
    expect(markPublished(done.record, 7, 2, 2)).toMatchObject({ outcome: 'refused' });
  });

  test('publishes in the same write where there is nothing to publish and nothing older waits', () => {
    const record = running({ numbered: 6, pending: [pending(6)] });
    expect(completeCheckpoint(record, { ...completion, nothingToPublish: true }, 1)).toMatchObject({ record: { published: 6 } });
    expect(completeCheckpoint({ ...record, published: 4 }, { ...completion, nothingToPublish: true }, 1)).toMatchObject({
      record: { published: 4 },
    });
  });

  test('ends older periodic ones, while older savepoints go on and hold the floor', () => {
    const record = running({ numbered: 7, pending: [pending(6), pending(7)] });
    const subsumed = completeCheckpoint(record, { ...completion, checkpoint: 7, manifest: 'm7' }, 1);
    expect(subsumed).toMatchObject({ record: { pending: [], aborted: 7 } });
    const savepoint = running({ numbered: 8, pending: [pending(6, { kind: 'savepoint' }), pending(8)] });
    const kept = completeCheckpoint(
      savepoint,
      { ...completion, checkpoint: 8, manifest: 'm8', retainedCount: 1, nothingToPublish: true },
      1,
    );
    if (kept.outcome !== 'changed') return expect.unreachable();
    expect(kept.record).toMatchObject({ retained: retained(8), floor: 6, aborted: 5 });
    expect(completeCheckpoint(kept.record, completion, 2)).toMatchObject({
      record: { pins: [{ checkpoint: 6, flow: 'flow-6', manifest: 'm6' }], completed: 8, floor: 6 },
    });
  });

  test('of a savepoint pins it for its flow and commits nothing, beside the pins of others', () => {
    const pin = { checkpoint: 4, kind: 'savepoint' as const, flow: 'other', manifest: 'm4' };
    const record = running({ numbered: 6, pins: [pin], pending: [pending(6, { kind: 'savepoint' })] });
    const done = completeCheckpoint(record, completion, 1);
    if (done.outcome !== 'changed') return expect.unreachable();
    expect(done.record).toMatchObject({
      completed: 5,
      published: 5,
      retained: retained(4, 5),
      pins: [pin, { checkpoint: 6, kind: 'savepoint', flow: 'flow-6' }],
    });
    expect(unpin(done.record, 'flow-6', 2)).toMatchObject({ record: { pins: [pin] } });
    expect(unpin(done.record, 'nobody', 2)).toMatchObject({ outcome: 'unchanged' });
  });

  test('of a stop ends older checkpoints that are still pending: they lie below its floor', () => {
    const stop = { checkpoint: 7, kind: 'stop-savepoint', flow: 'stop', manifest: 'm7' } as const;
    const record = running({ numbered: 7, pins: [stop], pending: [pending(6)] });
    const stopped = commitStopped(record, { checkpoint: 7, attempt: record.attempt }, 1, 50);
    expect(stopped).toMatchObject({ outcome: 'changed', record: { completed: 7, pending: [], pins: [] } });
    expect(completeCheckpoint(stopped.outcome === 'changed' ? stopped.record : record, completion, 51)).toMatchObject({
      outcome: 'refused',
    });
  });

  test('of what is not pending is refused, unless it is done already', () => {
    expect(completeCheckpoint(running(), completion, 1)).toEqual({ outcome: 'refused', reason: 'not-pending' });
    expect(completeCheckpoint(running(), { ...completion, checkpoint: 5 }, 1)).toMatchObject({ outcome: 'unchanged' });
  });
});

describe('aborting', () => {
  test('counts those of Flink`s five reasons that there are, once per number, and only of periodic checkpoints', () => {
    expect(failureReasons.filter(countsAgainstTolerance).sort()).toEqual([
      'CHECKPOINT_EXPIRED',
      'FINALIZE_CHECKPOINT_FAILURE',
      'IO_EXCEPTION',
    ]);
    for (const reason of failureReasons) {
      const record = running({ numbered: 6, pending: [pending(6)], failures: 1 });
      const aborted = abortCheckpoint(record, 6, reason, 1);
      if (aborted.outcome !== 'changed') return expect.unreachable();
      expect(aborted.record).toMatchObject({
        failures: countsAgainstTolerance(reason) ? 2 : 1,
        try: 1,
        dirtyEpoch: 6,
        aborted: 6,
        counts: { failed: 1 },
      });
      expect(abortCheckpoint(aborted.record, 6, reason, 2)).toEqual({ outcome: 'refused', reason: 'not-pending' });
      const savepoint = running({ numbered: 6, pending: [pending(6, { kind: 'savepoint' })] });
      expect(abortCheckpoint(savepoint, 6, reason, 1)).toMatchObject({ record: { failures: 0, try: 0 } });
    }
  });

  test('names as over only what is, while an older one is pending', () => {
    const record = running({ numbered: 8, aborted: 5, pending: [pending(6, { kind: 'savepoint' }), pending(8)] });
    const aborted = abortCheckpoint(record, 8, 'CHECKPOINT_DECLINED_SUBSUMED', 1);
    if (aborted.outcome !== 'changed') return expect.unreachable();
    expect(aborted.record.aborted).toBe(5);
    expect([5, 6, 7, 8, 9].map((id) => isOver(aborted.record, id))).toEqual([true, false, true, true, false]);
    expect(abortCheckpoint(aborted.record, 6, 'CHECKPOINT_EXPIRED', 2)).toMatchObject({ record: { aborted: 8 } });
  });

  test('is not how a stop ends: sources have stopped for it', () => {
    const record = running({ numbered: 6, pending: [pending(6, { kind: 'stop-savepoint' })] });
    expect(abortCheckpoint(record, 6, 'CHECKPOINT_EXPIRED', 1)).toEqual({ outcome: 'refused', reason: 'needs-restore' });
  });

  test('comes after the deadline, not at it', () => {
    const record = running({ numbered: 6, pending: [pending(6)] });
    expect(expiredCheckpoint(record, 10_000)).toBeUndefined();
    expect(expiredCheckpoint(record, 10_001)).toMatchObject({ id: 6 });
  });

  test('is explained by what failed', () => {
    expect(reasonOfFlowError('CHECKPOINT_DECLINED_SUBSUMED', 'trigger')).toBe('CHECKPOINT_DECLINED_SUBSUMED');
    expect(reasonOfFlowError('States.Timeout', 'trigger')).toBe('CHECKPOINT_EXPIRED');
    expect(reasonOfFlowError('States.Timeout', 'complete')).toBe('FINALIZE_CHECKPOINT_FAILURE');
    expect(reasonOfFlowError('ECONNRESET', 'numbering')).toBe('IO_EXCEPTION');
    expect(reasonOfFlowError('toString', 'trigger')).toBe('TRIGGER_CHECKPOINT_FAILURE');
  });
});

describe('restoring', () => {
  const newest: Restoration = { checkpoint: 5, wanted: { kind: 'newest' }, fromAttempt: 1, descriptor: 'd', plan: 'p', planHash: 'h' };
  const chosen = (checkpoint: number, publishedSeen: number | null = 5): Restoration => ({
    ...newest,
    checkpoint,
    wanted: { kind: 'chosen', publishedSeen },
  });

  test.each([
    ['another attempt', running({ attempt: 2 }), newest, 'superseded'],
    [
      'a newer one completed meanwhile',
      running({ numbered: 6, completed: 6, published: 6, retained: retained(5, 6), floor: 5 }),
      newest,
      'not-newest',
    ],
    ['it is no longer retained', running(), chosen(3), 'not-retained'],
    ['more was published since', running(), chosen(4, 4), 'published-changed'],
    ['newer output is still being published', running({ published: 4 }), chosen(4, 4), 'publication-pending'],
    ['the job has finished', running({ status: 'FINISHED' }), newest, 'status-forbids'],
    ['there is a checkpoint, and nothing was wanted', running(), { ...newest, checkpoint: null }, 'not-newest'],
    ['what there was is gone', running({ retained: [], status: 'CANCELED' }), { ...newest, checkpoint: null }, 'not-retained'],
  ] as const)('is refused where %s', (_, record, restoration, reason) => {
    expect(restore(record, restoration, 1)).toEqual({ outcome: 'refused', reason });
  });

  test('forgets newer checkpoints and pins in the same write, and starts above every number', () => {
    const pins = [4, 5].map((checkpoint) => ({ checkpoint, kind: 'savepoint' as const, flow: `f${checkpoint}`, manifest: 'm' }));
    const record = running({ numbered: 9, pins, pending: [pending(9)], failures: 2, ended: { [source]: [0] } });
    expect(restore(record, chosen(4), 1)).toMatchObject({
      record: {
        attempt: 2,
        firstEpoch: 10,
        numbered: 9,
        aborted: 9,
        retained: retained(4),
        pins: [pins[0]],
        completed: 4,
        published: 5,
        dirtyEpoch: 4,
        pending: [],
        failures: 0,
        ended: {},
        status: 'RESTARTING',
      },
    });
  });

  test('to a pinned savepoint retains it, because there is nothing else to fall back to', () => {
    const pins = [{ checkpoint: 6, kind: 'stop-savepoint' as const, flow: 'f', manifest: 'm6' }];
    const record = running({ numbered: 6, pins });
    expect(restore(record, chosen(6), 1)).toMatchObject({
      record: { completed: 6, published: 5, pins: [], retained: [{ id: 4 }, { id: 5 }, { id: 6, manifest: 'm6' }] },
    });
  });
});

describe('the job record', () => {
  test('moves only along the table of statuses, and only a restore leaves FINISHED', () => {
    expect(mayMove('RUNNING', 'FINISHED')).toBe(true);
    expect(mayMove('FINISHED', 'RESTARTING')).toBe(true);
    expect(mayMove('FINISHED', 'RUNNING')).toBe(false);
    expect(isTerminal('SUSPENDED')).toBe(true);
    expect(() => change(running({ status: 'FINISHED' }), { status: 'RUNNING' }, 1)).toThrowError(/J4/);
  });

  test.each([
    ['J1', { numbered: 4 }],
    ['J1', { published: 4 }],
    ['J2', { attempt: 3, firstEpoch: 9 }],
    ['J2', { attempt: 2, firstEpoch: 5 }],
    ['J2', { firstEpoch: 7 }],
    ['J3', { pending: [pending(9)] }],
    ['J5', { completed: 4 }],
    ['J7', { failure: 'x'.repeat(5_000) }],
    ['R1', { retained: retained(4, 9) }],
    ['R2', { retained: retained(3) }],
  ] as const)('refuses a change that breaks %s', (rule, patch) => {
    expect(() => change(running(), patch as Partial<JobRecord>, 1)).toThrowError(new RegExp(`^${rule}:`));
  });

  test('refuses to retire what is not published', () => {
    expect(() => change(running({ published: 4 }), { retained: retained(4) }, 1)).toThrowError(/^J6/);
  });

  test('takes a dirty epoch once, and none that cannot be', () => {
    expect(noteDirty(running({ dirtyEpoch: 5 }), 6, 1)).toMatchObject({ record: { dirtyEpoch: 6 } });
    expect(noteDirty(running(), 6, 1).outcome).toBe('unchanged');
    expect(noteDirty(running(), 5, 1).outcome).toBe('unchanged');
    expect(noteDirty(running({ status: 'FAILED' }), 6, 1).outcome).toBe('refused');
    expect(() => noteDirty(running(), 7, 1)).toThrowError(/^J3/);
  });

  test('remembers which source shards have ended', () => {
    const first = noteEnded(running(), source, 1, 1);
    if (first.outcome !== 'changed') return expect.unreachable();
    expect(noteEnded(first.record, source, 1, 2).outcome).toBe('unchanged');
    expect(noteEnded(first.record, source, 0, 2)).toMatchObject({ record: { ended: { [source]: [0, 1] } } });
  });

  test('ends once, in one way, and what is completed is published first', () => {
    const ended = { checkpoint: 5, attempt: 1 };
    expect(finishJob(running(), ended, 1)).toMatchObject({ record: { status: 'FINISHED' } });
    expect(finishJob(running({ published: 4 }), ended, 1)).toMatchObject({ reason: 'unpublished' });
    expect(finishJob(running(), { checkpoint: 4, attempt: 1 }, 1)).toMatchObject({ reason: 'not-newest' });
    expect(finishJob(running(), { checkpoint: 5, attempt: 2 }, 1)).toMatchObject({ reason: 'superseded' });
    const canceling = beginCancel(running({ numbered: 6, pending: [pending(6)] }), 1);
    if (canceling.outcome !== 'changed') return expect.unreachable();
    expect(canceling.record).toMatchObject({ status: 'CANCELLING', pending: [], aborted: 6 });
    expect(endCancel(canceling.record, 'retain', 2)).toMatchObject({ record: { status: 'CANCELED', retained: retained(4, 5) } });
    expect(endCancel(canceling.record, 'delete', 2)).toMatchObject({ record: { status: 'CANCELED', retained: [], floor: 4 } });
    expect(endCancel({ ...canceling.record, published: 4 }, 'delete', 2)).toMatchObject({ reason: 'unpublished' });
    expect(failJob(running(), 'f', 1)).toMatchObject({ record: { status: 'FAILED', failure: 'f' } });
    expect(failJob(running({ status: 'CANCELED' }), 'f', 1)).toMatchObject({ outcome: 'refused' });
    expect(suspendJob(running(), 1)).toMatchObject({ record: { status: 'SUSPENDED', retained: retained(4, 5) } });
  });

  test('pins only what is held', () => {
    expect(pinCheckpoint(running(), 4, 'f', 1)).toMatchObject({ record: { pins: [{ checkpoint: 4, flow: 'f' }] } });
    expect(pinCheckpoint(running(), 3, 'f', 1)).toMatchObject({ reason: 'not-retained' });
  });
});

test('checkpoint options are refused with every fault at once', () => {
  expect(checkSettings(defaultCheckpointSettings)).toBe(defaultCheckpointSettings);
  const wrong = { ...defaultCheckpointSettings, intervalMs: 1, retained: 0, minPauseMs: 5, maxConcurrent: 2, mode: 'sometimes' as never };
  expect(() => checkSettings(wrong)).toThrowError(/intervalMs.*retained.*minPauseMs.*mode/);
});

test.each([
  ['intervalMs', 9],
  ['timeoutMs', 9],
  ['minPauseMs', -1],
  ['maxConcurrent', 0],
  ['maxConcurrent', 9],
  ['tolerableFailures', -1],
  ['retained', 17],
  ['alignedTimeoutMs', -1],
  ['retentionOnCancellation', 'sometimes'],
] as const)('the checkpoint option %s cannot be %s', (name, value) => {
  expect(() => checkSettings({ ...defaultCheckpointSettings, [name]: value })).toThrowError(`${name} is ${value}`);
});
