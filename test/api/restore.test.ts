import { describe, expect, test } from 'vitest';
import { job } from '../checkpoint/fixture.ts';
import { startedWorld, unknownJob, type ApiWorld } from './api-world.ts';

const trigger = 'a'.repeat(32);

async function worldWithCheckpoints(): Promise<ApiWorld> {
  const world = await startedWorld();
  for (let i = 0; i < 2; i++) {
    await world.dirty();
    await world.advance(2_000);
  }
  return world;
}

describe('POST /jobs/:jobid/restore', () => {
  test('goes back to a checkpoint, once per trigger id, and tells how it went', async () => {
    const world = await worldWithCheckpoints();
    const body = { checkpoint: 'newest', triggerId: trigger };
    expect(await world.post(`/jobs/${job}/restore`, body)).toMatchObject({ status: 202, body: { 'request-id': trigger } });
    expect(await world.request(`/v1/jobs/${job}/restore/${trigger}`)).toMatchObject({
      status: 200,
      body: { status: { id: 'IN_PROGRESS' }, operation: null },
    });
    await world.advance(2_000);
    await world.post(`/jobs/${job}/restore`, body);
    await world.advance(2_000);
    expect((await world.request(`/jobs/${job}/restore/${trigger}`)).body).toEqual({
      status: { id: 'COMPLETED' },
      operation: { attempt: 2 },
    });
    expect(await world.record()).toMatchObject({ status: 'RUNNING', attempt: 2 });
  });

  test('goes back to a savepoint that was taken by HTTP', async () => {
    const world = await worldWithCheckpoints();
    await world.post(`/jobs/${job}/savepoints`, { 'target-directory': 'target', triggerId: trigger });
    await world.advance(2_000);
    const { body } = await world.request(`/jobs/${job}/savepoints/${trigger}`);
    const { location } = (body as { readonly operation: { readonly location: string } }).operation;
    const asked = await world.post(`/jobs/${job}/restore`, { savepoint: location });
    await world.advance(2_000);
    const id = (asked.body as { readonly 'request-id': string })['request-id'];
    const restored = (await world.request(`/jobs/${job}/restore/${id}`)).body;
    expect(restored).toMatchObject({ status: { id: 'COMPLETED' }, operation: { attempt: 2 }, progress: { done: expect.any(Number) } });
  });

  test('as a dry run answers at once what would happen', async () => {
    const world = await worldWithCheckpoints();
    const { status, body } = await world.post(`/jobs/${job}/restore`, { checkpoint: 1, dryRun: true });
    expect([status, body]).toMatchObject([200, { ok: true, checkpoint: 1, publishedSeen: 2, reasons: [] }]);
    const refused = await world.post(`/jobs/${job}/restore`, { savepoint: 'nowhere', dryRun: true });
    expect(refused).toMatchObject({ status: 200, body: { ok: false, reasons: [expect.stringContaining('nowhere')] } });
    expect(await world.record()).toMatchObject({ attempt: 1 });
  });

  test('tells a failure as Flink tells one', async () => {
    const world = await worldWithCheckpoints();
    await world.post(`/jobs/${job}/restore`, { checkpoint: 77, triggerId: trigger });
    await world.advance(2_000);
    expect((await world.request(`/jobs/${job}/restore/${trigger}`)).body).toMatchObject({
      status: { id: 'COMPLETED' },
      operation: { 'failure-cause': { 'stack-trace': expect.stringContaining('77 is no longer retained') } },
    });
  });

  test('refuses what makes no sense, and an unknown job', async () => {
    const world = await worldWithCheckpoints();
    expect(await world.post(`/jobs/${job}/restore`, { parallelism: 0, force: true })).toMatchObject({
      status: 400,
      body: { errors: expect.arrayContaining([expect.stringContaining('force is unknown')]) },
    });
    expect(await world.post(`/jobs/${job}/restore`, { jobId: unknownJob })).toMatchObject({ status: 400 });
    expect(await world.post(`/jobs/${unknownJob}/restore`, {})).toMatchObject({ status: 404 });
    expect(await world.request(`/jobs/${job}/restore/${trigger}`)).toMatchObject({ status: 404 });
    expect(await world.post(`/jobs/${job}/restore`, 'nonsense')).toMatchObject({ status: 400 });
  });
});
