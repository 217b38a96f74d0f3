import { describe, expect, test } from 'vitest';
import { changeRecorder } from '../../lib/api/audit-trail.ts';
import { readAuditedState } from '../../lib/api/audited-state.ts';
import { readRestoreInput } from '../../lib/coordinator/restore-input.ts';
import { takeSavepoint } from '../../lib/coordinator/savepoint-requests.ts';
import { verifyAudit } from '../../lib/model/audit-chain.ts';
import { MemoryAuditLog } from '../contract/memory-audit-log.ts';
import { job, settings } from '../checkpoint/fixture.ts';
import { counter, planOf } from '../checkpoint/plans.ts';
import { CoordinatorWorld } from './coordinator-world.ts';

async function running(): Promise<CoordinatorWorld> {
  const world = new CoordinatorWorld({ plan: planOf({ counters: 2 }) });
  await world.start();
  for (let i = 0; i < 2; i++) {
    await world.dirty();
    await world.advance(2_000);
  }
  return world;
}

/** As from the Step Functions console: no more than a small JSON. */
async function startRestore(world: CoordinatorWorld, input: unknown, name = 'by-hand') {
  await world.deps.flows.start('restore', name, input);
  await world.advance(3_000);
  return (await world.stores.flows.read(name))!;
}

describe('a restore that somebody starts by hand', () => {
  test('of a savepoint, with no more than a job and a place, is done', async () => {
    const world = await running();
    await takeSavepoint(world.deps, { job, trigger: 'savepoint', directory: 'target' });
    await world.advance(2_000);
    const { location } = (await world.stores.operations.read(job, 'savepoint'))!;
    const execution = await startRestore(world, { jobId: job, savepoint: location });
    expect(execution.status).toBe('SUCCEEDED');
    expect(await world.record()).toMatchObject({ status: 'RUNNING', attempt: 2, retained: [{ kind: 'savepoint' }] });
  });

  test('with nothing but a job goes back to the newest checkpoint, at another parallelism where one is named', async () => {
    const world = await running();
    expect((await startRestore(world, { jobId: job })).status).toBe('SUCCEEDED');
    expect(await world.record()).toMatchObject({ attempt: 2, completed: 2, planHash: 'hash' });
    const planFor = (counters: number | null) => ({
      plan: planOf({ counters: counters ?? 2 }),
      planHash: `hash-${counters ?? 2}`,
      settings,
    });
    Object.assign(world.deps, { planFor });
    expect((await startRestore(world, { jobId: job, checkpoint: 2, parallelism: 5 }, 'again')).status).toBe('SUCCEEDED');
    expect(await world.record()).toMatchObject({ attempt: 3, completed: 2, planHash: 'hash-5' });
    // As it is deployed, where nobody says otherwise.
    expect((await startRestore(world, { jobId: job }, 'deployed')).status).toBe('SUCCEEDED');
    expect(await world.record()).toMatchObject({ attempt: 4, planHash: 'hash-2' });
  });

  test('as a dry run says what would happen, and changes nothing', async () => {
    const world = await running();
    const before = await world.record();
    const execution = await startRestore(world, { jobId: job, checkpoint: 1, dryRun: true });
    expect(execution).toMatchObject({
      status: 'SUCCEEDED',
      data: { preview: { ok: true, from: 'checkpoint', checkpoint: 1, mapped: expect.arrayContaining([counter]), publishedSeen: 2 } },
    });
    const { preview } = execution.data as { readonly preview: { readonly warnings: readonly string[] } };
    expect(preview.warnings.join()).toContain('checkpoints 2 to 2 is published already');
    expect(await world.record()).toEqual(before);
    expect(await world.stores.operations.list(job)).toEqual([]);
  });

  test('as a dry run tells every reason against it, of a checkpoint and of a savepoint', async () => {
    const world = await running();
    const gone = await startRestore(world, { jobId: job, checkpoint: 77, dryRun: true });
    expect(gone.data).toMatchObject({ preview: { ok: false, reasons: ['checkpoint 77 is no longer retained'] } });
    const nowhere = await startRestore(world, { jobId: job, savepoint: 'nowhere', dryRun: true }, 'nowhere');
    expect(nowhere.data).toMatchObject({ preview: { ok: false, from: 'savepoint' } });
  });

  test('is refused with everything that is wrong about its input, and no second try', async () => {
    const world = await running();
    const input = { jobId: 'ABC', savepoint: '', checkpoint: 0, parallelism: 1.5, dryRun: 'yes', force: true };
    const { status, data } = await startRestore(world, input);
    expect(status).toBe('FAILED');
    const { Error: code, Cause: cause } = (data as { readonly error: { readonly Error: string; readonly Cause: string } }).error;
    expect(code).toBe('SLUICE-RESTORE-INPUT');
    for (const part of [
      'force is unknown',
      'jobId must be',
      'savepoint must be',
      'checkpoint must be',
      'parallelism must be',
      'dryRun must be',
    ])
      expect(cause).toContain(part);
    expect(() => readRestoreInput(null)).toThrow('no object');
    expect(() => readRestoreInput({ jobId: job, savepoint: 'a', checkpoint: 1 })).toThrow('not both');
  });

  test('is recorded in the audit of the job before it changes anything, with the execution that it was', async () => {
    const world = await running();
    const log = new MemoryAuditLog();
    const options = {
      log,
      clock: world.time.clock,
      logger: world.deps.logger,
      stateOf: (id: typeof job) => readAuditedState(world.deps, id),
    };
    Object.assign(world.deps, { recordChange: changeRecorder(options) });
    await startRestore(world, { jobId: job, checkpoint: 2, dryRun: true }, 'dry');
    await startRestore(world, { jobId: job, checkpoint: 77 }, 'gone');
    await startRestore(world, { jobId: job, checkpoint: 2 });
    const records = await log.read(job, 0, 10);
    const body = `{"jobId":"${job}","checkpoint":2}`;
    expect(records).toMatchObject([
      { kind: 'asked', who: 'gone', before: { attempt: 1 } },
      { kind: 'answered', asked: 1, outcome: { status: 202, code: null } },
      { kind: 'asked', who: 'by-hand', requestId: 'by-hand', request: { method: 'StartExecution', path: '/restore', body } },
      { kind: 'answered', asked: 3, outcome: { status: 202, code: null }, after: { attempt: 1 } },
    ]);
    expect(verifyAudit(records, [])).toMatchObject({ problem: null, withoutOutcome: [] });
    expect(await world.record()).toMatchObject({ attempt: 2 });
    // What cannot be recorded is not done.
    Object.assign(world.deps, { recordChange: changeRecorder({ ...options, log: { ...log, head: () => Promise.reject(new Error('down')) } as never }) }); // prettier-ignore
    await startRestore(world, { jobId: job, checkpoint: 2 }, 'unrecorded');
    await world.advance(60_000);
    expect((await world.stores.flows.read('unrecorded'))!.status).toBe('FAILED');
    expect(await world.record()).toMatchObject({ attempt: 2 });
  });

  test('at another parallelism needs somebody who has the code', async () => {
    const world = await running();
    const { data } = await startRestore(world, { jobId: job, parallelism: 5 });
    expect(JSON.stringify(data)).toContain('parallelism cannot be changed here');
    expect(await world.record()).toMatchObject({ attempt: 1 });
  });
});
