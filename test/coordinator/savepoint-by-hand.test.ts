import { describe, expect, test } from 'vitest';
import { changeRecorder } from '../../lib/api/audit-trail.ts';
import { readAuditedState } from '../../lib/api/audited-state.ts';
import { MemoryAuditLog } from '../contract/memory-audit-log.ts';
import { job } from '../checkpoint/fixture.ts';
import { counter, planOf } from '../checkpoint/plans.ts';
import { CoordinatorWorld } from './coordinator-world.ts';

async function running(): Promise<CoordinatorWorld> {
  const world = new CoordinatorWorld({ plan: planOf({ counters: 2 }) });
  await world.start();
  await world.dirty();
  await world.advance(2_000);
  return world;
}

/** As from the Step Functions console: no more than a small JSON. */
async function startByHand(world: CoordinatorWorld, flow: 'savepoint' | 'stop', input: unknown, name = 'by-hand') {
  await world.deps.flows.start(flow, name, input);
  await world.advance(5_000);
  return (await world.stores.flows.read(name))!;
}

describe('a savepoint that somebody starts by hand', () => {
  test('with no more than a job is written where it is configured, and the job runs on', async () => {
    const world = await running();
    Object.assign(world.deps, { savepointDirectory: 'configured' });
    expect((await startByHand(world, 'savepoint', { jobId: job })).status).toBe('SUCCEEDED');
    const [operation] = await world.stores.operations.list(job);
    expect(operation).toMatchObject({ kind: 'savepoint', status: 'COMPLETED', failure: null, request: { then: 'run-on' } });
    expect(operation!.location).toMatch(/^(?:.*[/])?configured[/]savepoint-/);
    expect(await world.record()).toMatchObject({ status: 'RUNNING', attempt: 1 });
  });

  test('is one, however often its first step is tried', async () => {
    const world = await running();
    for (let tries = 0; tries < 2; tries++) await startByHand(world, 'savepoint', { jobId: job, directory: 'target' });
    expect(await world.stores.operations.list(job)).toHaveLength(1);
  });

  test.each([
    [false, 'suspend'],
    [true, 'drain'],
  ])('as a stop (drain: %s) ends the job', async (drain, stop) => {
    const world = await running();
    expect((await startByHand(world, 'stop', { jobId: job, directory: 'target', drain })).status).toBe('SUCCEEDED');
    const [operation] = await world.stores.operations.list(job);
    expect(operation).toMatchObject({ kind: 'stop', request: { directory: 'target', stop }, failure: null });
    expect(await world.record()).toMatchObject({ status: 'FINISHED' });
  });

  test('is refused with everything that is wrong about its input, and no second try', async () => {
    const world = await running();
    const refusal = async (flow: 'savepoint' | 'stop', input: unknown, name: string) => {
      const { status, data } = await startByHand(world, flow, input, name);
      expect(status).toBe('FAILED');
      return (data as { readonly error: { readonly Error: string; readonly Cause: string } }).error;
    };
    const { Error: code, Cause: cause } = await refusal('stop', { jobId: 'ABC', directory: '', drain: 'yes', force: true }, 'all');
    expect(code).toBe('SLUICE-SAVEPOINT-INPUT');
    for (const part of ['force is unknown', 'jobId must be', 'directory must be', 'drain must be']) expect(cause).toContain(part);
    expect((await refusal('savepoint', { jobId: job, drain: true, directory: 'a' }, 'drained')).Cause).toContain('drain is unknown');
    expect((await refusal('savepoint', { jobId: job }, 'nowhere')).Cause).toContain('directory is missing');
    expect((await refusal('savepoint', { jobId: 'f'.repeat(32), directory: 'a' }, 'unknown')).Error).toBe('SLUICE-JOB-UNKNOWN');
    expect(await world.stores.operations.list(job)).toEqual([]);
    await startByHand(world, 'stop', { jobId: job, directory: 'target' }, 'ended');
    expect((await refusal('savepoint', { jobId: job, directory: 'a' }, 'late')).Error).toBe('SLUICE-JOB-ENDED');
  });

  test('as a stop that has died is taken back by the sweep', async () => {
    const world = await running();
    world.mute.add(counter);
    const execution = await startByHand(world, 'stop', { jobId: job, directory: 'target' });
    expect((await world.record()).pending).toMatchObject([{ kind: 'stop-savepoint', flow: 'by-hand' }]);
    await world.stores.flows.save({ ...execution, status: 'FAILED' });
    world.mute.clear();
    await world.boot();
    await world.advance(3_700_000);
    const [operation] = await world.stores.operations.list(job);
    expect(operation).toMatchObject({ status: 'COMPLETED', failure: { message: 'the flow of the stop has ended' } });
    expect(await world.record()).toMatchObject({ status: 'RUNNING', attempt: 2 });
  });

  test('is recorded in the audit of the job, with the execution that it was', async () => {
    const world = await running();
    const log = new MemoryAuditLog();
    const { clock } = world.time;
    const recordChange = changeRecorder({ log, clock, logger: world.deps.logger, stateOf: (id) => readAuditedState(world.deps, id) });
    Object.assign(world.deps, { recordChange });
    await startByHand(world, 'stop', { jobId: job, directory: 'target', drain: true });
    expect(await log.read(job, 0, 10)).toMatchObject([
      { kind: 'asked', who: 'by-hand', request: { method: 'StartExecution', path: '/stop' }, before: { status: 'RUNNING' } },
      { kind: 'answered', asked: 1, outcome: { status: 202, code: null } },
    ]);
  });
});
