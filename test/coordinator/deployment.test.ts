import { describe, expect, test } from 'vitest';
import { checkDeployment, deploy, type Deployment } from '../../lib/coordinator/deployment.ts';
import { requestCancel } from '../../lib/coordinator/cancel-job.ts';
import type { JobPlan } from '../../lib/model/job-plan.ts';
import { job, settings } from '../checkpoint/fixture.ts';
import { counter, planOf } from '../checkpoint/plans.ts';
import { CoordinatorWorld } from './coordinator-world.ts';

const deploymentOf = (plan: JobPlan, planHash = 'new code'): Deployment => ({
  job,
  newPlan: { plan, planHash, settings: { ...settings, retained: 1 } },
  allowNonRestoredState: false,
});

/** The counter under another uid: its state finds nobody. */
function renamed(plan: JobPlan): JobPlan {
  return JSON.parse(JSON.stringify(plan).replaceAll(`"${counter}"`, '"renamed"')) as JobPlan;
}

async function running(checkpoints = 2): Promise<CoordinatorWorld> {
  const world = new CoordinatorWorld({ plan: planOf({ counters: 2 }), settings: { retained: 1 } });
  await world.start();
  for (let i = 0; i < checkpoints; i++) {
    await world.dirty();
    await world.advance(2_000);
  }
  return world;
}

describe('a deployment', () => {
  test('that is the first starts the job', async () => {
    const world = new CoordinatorWorld();
    await world.boot();
    const deployment = deploymentOf(world.plan);
    expect(await checkDeployment(world.deps, deployment)).toEqual({ kind: 'starts' });
    expect(await deploy(world.deps, deployment, 'deploy-1')).toEqual({ kind: 'starts' });
    expect(await world.record()).toMatchObject({ status: 'RUNNING', attempt: 1, planHash: 'new code' });
  });

  test('of other code goes back to the newest checkpoint under the new plan, and holds it until it can no longer be rolled back', async () => {
    const world = await running();
    const deployment = deploymentOf(planOf({ counters: 4 }));
    expect(await deploy(world.deps, deployment, 'deploy-1')).toEqual({ kind: 'restores', checkpoint: 'newest' });
    await world.advance(2_000);
    const record = await world.record();
    expect(record).toMatchObject({ status: 'RUNNING', attempt: 2, planHash: 'new code', completed: 2, floor: 2 });
    expect(record.pins).toMatchObject([{ checkpoint: 2, flow: 'deployment-deploy-1' }]);
    world.plan = deployment.newPlan.plan;
    await world.dirty();
    await world.advance(2_000);
    await world.advance(3 * 3_600_000);
    expect(await world.record()).toMatchObject({ completed: 3, floor: 2, pins: [{ checkpoint: 2 }] });
    await world.advance(4 * 3_600_000);
    expect(await world.record()).toMatchObject({ completed: 3, floor: 3, pins: [] });
  });

  test('of the same code and plan changes settings only', async () => {
    const world = await running();
    const deployment = deploymentOf(planOf({ counters: 2 }), 'hash');
    const slower = { ...deployment, newPlan: { ...deployment.newPlan, settings: { ...settings, intervalMs: 77_000 } } };
    const { plan } = await world.record();
    expect(await deploy(world.deps, slower, 'deploy-1')).toEqual({ kind: 'goes-on' });
    const after = await world.record();
    expect(after).toMatchObject({ attempt: 1, status: 'RUNNING' });
    expect(after.plan).not.toBe(plan);
  });

  test('whose plan cannot take the state is refused before anything changes, with every reason', async () => {
    const world = await running();
    const before = await world.record();
    const deployment = deploymentOf(renamed(world.plan));
    await expect(checkDeployment(world.deps, deployment)).rejects.toMatchObject({ code: 'SLUICE-REFUSED' });
    await expect(deploy(world.deps, deployment, 'deploy-1')).rejects.toThrow(counter);
    expect(await world.record()).toEqual(before);
    expect(await checkDeployment(world.deps, { ...deployment, allowNonRestoredState: true })).toMatchObject({ kind: 'restores' });
  });

  test('of a job that has ended does not start it', async () => {
    const world = await running();
    await requestCancel(world.deps, job);
    await world.advance(2_000);
    expect(await deploy(world.deps, deploymentOf(world.plan), 'deploy-1')).toEqual({ kind: 'ended', status: 'CANCELED' });
    expect(await world.record()).toMatchObject({ status: 'CANCELED', attempt: 1 });
  });

  test('that is rolled back goes to the checkpoint before it, where the old plan cannot read what came after', async () => {
    const world = await running();
    const old = deploymentOf(world.plan, 'hash');
    await deploy(world.deps, { ...deploymentOf(renamed(world.plan)), allowNonRestoredState: true }, 'deploy-1');
    await world.advance(2_000);
    expect(await checkDeployment(world.deps, old)).toEqual({ kind: 'restores', checkpoint: 'newest' });
    world.plan = renamed(world.plan);
    await world.dirty();
    await world.advance(2_000);
    expect(await world.record()).toMatchObject({ attempt: 2, completed: 3, retained: [{ id: 3 }], planHash: 'new code' });
    expect(await deploy(world.deps, old, 'deploy-2')).toEqual({ kind: 'restores', checkpoint: 2 });
    await world.advance(2_000);
    expect(await world.record()).toMatchObject({ attempt: 3, completed: 2, planHash: 'hash', pins: [{ flow: 'deployment-deploy-2' }] });
  });

  test('twice under one id is one', async () => {
    const world = await running();
    const deployment = deploymentOf(planOf({ counters: 4 }));
    await deploy(world.deps, deployment, 'deploy-1');
    await deploy(world.deps, deployment, 'deploy-1');
    await world.advance(2_000);
    expect(await deploy(world.deps, deployment, 'deploy-1')).toEqual({ kind: 'goes-on' });
    expect(await world.record()).toMatchObject({ attempt: 2 });
  });
});
