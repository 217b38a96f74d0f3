/** What the coordinator makes of a batch that failed: attempts are counted once, survive crashes, and explain checkpoints that expired meanwhile. */
import { describe, expect, test } from 'vitest';
import { changeSettings } from '../../lib/coordinator/change-settings.ts';
import { readPlan } from '../../lib/coordinator/coordinator-deps.ts';
import { readConfiguration } from '../../lib/checkpoint/read-configuration.ts';
import type { CoordinatorMessage, JobFailure } from '../../lib/model/coordinator-message.ts';
import type { JobConfiguration } from '../../lib/model/job-configuration.ts';
import { decodeValue } from '../../lib/model/value-json.ts';
import { job } from '../checkpoint/fixture.ts';
import { counter } from '../checkpoint/plans.ts';
import { CoordinatorWorld, type WorldOptions } from './coordinator-world.ts';

const failed = (atMs: number, changes: Partial<JobFailure> = {}): CoordinatorMessage => ({
  kind: 'failed',
  mayRestart: true,
  job,
  attempt: 1,
  uid: counter,
  shard: 0,
  failure: {
    code: 'SLUICE-USER-CODE',
    message: 'boom',
    hint: 'mend it',
    operator: counter,
    shard: 0,
    facts: { key: '"k"' },
    atMs,
    ...changes,
  },
});

async function worldWith(configuration: JobConfiguration, options?: WorldOptions): Promise<CoordinatorWorld> {
  const world = new CoordinatorWorld(options);
  await world.start();
  const { settings } = await readPlan(world.deps, (await world.record()).plan);
  await changeSettings(world.deps, job, () => ({ settings, restart: readConfiguration(configuration).restart }));
  return world;
}

/** `count` failures, two seconds apart. */
async function fail(world: CoordinatorWorld, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    await world.advance(2_000);
    await world.tell(failed(world.time.clock.now()));
    await world.settle();
  }
}

const fixedDelay = (attempts: number): JobConfiguration => ({
  'restart-strategy.type': 'fixed-delay',
  'restart-strategy.fixed-delay.attempts': attempts,
});

describe('a batch that may be tried again', () => {
  test('leaves the job running in its attempt until the strategy is exhausted; then it is FAILED, and the failure says why', async () => {
    const world = await worldWith(fixedDelay(2));
    await fail(world, 2);
    expect(await world.record()).toMatchObject({ status: 'RUNNING', attempt: 1, counts: { restored: 0 }, restarts: { attempts: 2 } });
    await fail(world, 1);
    const { status, failure } = await world.record();
    expect(status).toBe('FAILED');
    expect(decodeValue(Buffer.from((await world.stores.objects.read(failure!))!).toString())).toMatchObject({
      code: 'SLUICE-USER-CODE',
      message: 'boom',
      facts: { key: '"k"', restarts: 2, 'restart-strategy': 'fixed-delay: 2 attempts, 1000 ms apart' },
    });
  });

  test('is counted once, however often its report comes', async () => {
    const world = await worldWith(fixedDelay(2));
    await world.advance(5_000);
    const report = failed(world.time.clock.now());
    for (let i = 0; i < 5; i++) await world.tell(report);
    await world.settle();
    expect((await world.record()).restarts).toMatchObject({ attempts: 1 });
  });

  test('is not counted in an attempt that is over, nor in a job that has ended', async () => {
    const world = await worldWith(fixedDelay(1));
    await world.tell({ ...failed(5), attempt: 7 });
    await world.settle();
    expect((await world.record()).restarts).toBeUndefined();
    await fail(world, 2);
    const { version } = await world.record();
    await fail(world, 1);
    expect((await world.record()).version).toBe(version);
  });

  test('holds by the strategy that the job has now: it can be changed while it runs, without another plan hash', async () => {
    const world = await worldWith(fixedDelay(1));
    await fail(world, 1);
    const before = await world.record();
    const { settings } = await readPlan(world.deps, before.plan);
    await changeSettings(world.deps, job, () => ({ settings, restart: readConfiguration(fixedDelay(3)).restart }));
    await fail(world, 2);
    expect(await world.record()).toMatchObject({ status: 'RUNNING', planHash: before.planHash, attempt: 1, restarts: { attempts: 3 } });
    await fail(world, 1);
    expect((await world.record()).status).toBe('FAILED');
  });
});

describe('a checkpoint that expires', () => {
  const options: WorldOptions = { settings: { timeoutMs: 10_000, tolerableFailures: 0 } };

  async function expireOne(whileHanging: (world: CoordinatorWorld) => Promise<void>): Promise<CoordinatorWorld> {
    const world = await worldWith({}, options);
    world.mute.add(counter);
    await world.dirty();
    await world.advance(1_100);
    expect((await world.record()).pending).toMatchObject([{ id: 1 }]);
    await whileHanging(world);
    world.mute.clear();
    await world.advance(10_500);
    await world.settle();
    return world;
  }

  test('takes the job back where nothing explains it', async () => {
    expect(await (await expireOne(async () => undefined)).record()).toMatchObject({ attempt: 2 });
  });

  test('does not while a batch was tried again, which held it up', async () => {
    const world = await expireOne((some) => fail(some, 1));
    expect(await world.record()).toMatchObject({ attempt: 1, status: 'RUNNING', counts: { restored: 0 } });
    expect((await world.record()).counts.failed).toBeGreaterThan(0);
  });
});
