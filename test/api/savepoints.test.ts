import { beforeEach, describe, expect, test } from 'vitest';
import { job } from '../checkpoint/fixture.ts';
import { counter } from '../checkpoint/plans.ts';
import { startedWorld, type ApiWorld } from './api-world.ts';
import { differences, flinkShapes } from './flink-shapes.ts';

const trigger = 'b'.repeat(32);
const poll = `/v1/jobs/${job}/savepoints/${trigger}`;

let world: ApiWorld;

beforeEach(async () => {
  world = await startedWorld();
});

async function untilCompleted(): Promise<Readonly<Record<string, unknown>>> {
  for (let second = 0; second < 30; second++) {
    await world.advance(1_000);
    const body = (await world.request(poll)).body as { status: { id: string }; operation: Record<string, unknown> };
    if (body.status.id === 'COMPLETED') return body.operation;
  }
  throw new Error('the operation never ended');
}

describe('over HTTP a job', () => {
  test('gets a savepoint, which the checkpoints then show with its location, and runs on', async () => {
    await world.post(`/jobs/${job}/savepoints`, { 'target-directory': '/sp', triggerId: trigger });
    const { location } = await untilCompleted();
    expect(location).toMatch(/^\/sp\/savepoint-012345-[0-9a-f]{12}$/);
    const { body } = await world.request(`/jobs/${job}/checkpoints`);
    expect(differences(body, flinkShapes.checkpoints)).toEqual([]);
    expect(body).toMatchObject({
      counts: { completed: 1 },
      latest: {
        completed: null,
        savepoint: { is_savepoint: true, external_path: location, discarded: false, savepointFormat: 'CANONICAL' },
      },
    });
    expect((await world.request(`/jobs/${job}/status`)).body).toEqual({ status: 'RUNNING' });
  });

  test('is stopped with a savepoint and is FINISHED', async () => {
    await world.post(`/jobs/${job}/stop`, { targetDirectory: '/sp', triggerId: trigger });
    expect(await untilCompleted()).toEqual({ location: expect.stringMatching(/^\/sp\/savepoint-/) });
    expect((await world.request(`/jobs/${job}/status`)).body).toEqual({ status: 'FINISHED' });
    const { body } = await world.request(`/jobs/${job}/checkpoints`);
    expect(body).toMatchObject({ latest: { savepoint: { checkpoint_type: 'SYNC_SAVEPOINT' } } });
  });

  test('is canceled with a savepoint', async () => {
    await world.post(`/jobs/${job}/savepoints`, { 'target-directory': '/sp', 'cancel-job': true, triggerId: trigger });
    expect(await untilCompleted()).toEqual({ location: expect.stringMatching(/^\/sp\/savepoint-/) });
    await world.advance(1_000);
    expect((await world.request(`/jobs/${job}/status`)).body).toEqual({ status: 'CANCELED' });
  });

  test('runs on where its savepoint expires, and the answer says why', async () => {
    world = await startedWorld({ settings: { timeoutMs: 2_000 } });
    world.mute.add(counter);
    await world.post(`/jobs/${job}/savepoints`, { 'target-directory': '/sp', triggerId: trigger });
    const operation = await untilCompleted();
    expect(differences({ status: { id: 'COMPLETED' }, operation }, flinkShapes.savepointFailed)).toEqual([]);
    expect(operation['failure-cause']).toMatchObject({
      code: 'CHECKPOINT_EXPIRED',
      message: 'The checkpoint was not complete within its timeout.',
    });
    expect((await world.request(`/jobs/${job}/status`)).body).toEqual({ status: 'RUNNING' });
  });
});
