/** What a job costs, as the API tells it: ours, beside Flink's shapes. */
import { beforeEach, describe, expect, test } from 'vitest';
import type { Bill } from '../../lib/model/bill.ts';
import { job } from '../checkpoint/fixture.ts';
import { source } from '../checkpoint/plans.ts';
import { startedWorld, unknownJob, type ApiWorld } from './api-world.ts';

const path = `/jobs/${job}/cost`;
const bill: Bill = { 's3.PutObject': 1, 's3.PutObject.class-1': 1 };

let world: ApiWorld;
beforeEach(async () => {
  world = await startedWorld();
});

async function checkpoint(): Promise<void> {
  await world.dirty();
  await world.advance(1_500);
}

describe('the cost of a job', () => {
  test('is the bills of its checkpoints, oldest first, and what is deployed for it', async () => {
    world.decorate = (uid, _shard, number) => ({ bill, recordsIn: uid === source ? number * 1_000 : 7 });
    await checkpoint();
    await checkpoint();
    const { status, body } = await world.request(`/v1${path}`);
    expect(status).toBe(200);
    const { checkpoints, deployed } = body as { checkpoints: { id: number; records: number; bill: Bill }[]; deployed: unknown };
    expect(body).toMatchObject({ jid: job, name: 'counting', 'from-beginning': true, 'in-progress': 0 });
    expect(deployed).toMatchObject({ 'fifo-queues': world.plan.vertices.length + 1, 'standard-queues': 1, dashboards: 1 });
    const shards = world.plan.vertices.reduce((sum, { parallelism }) => sum + parallelism, 0);
    expect(checkpoints).toMatchObject([
      { id: 1, status: 'COMPLETED', bill: { 's3.PutObject': shards, 's3.PutObject.class-1': shards } },
      { id: 2, status: 'COMPLETED', bill: { 's3.PutObject': shards } },
    ]);
    expect(checkpoints[1]!.records).toBe(2 * checkpoints[0]!.records);
  });

  test('stands in the details of a checkpoint and in the history, in dollars too', async () => {
    world.decorate = () => ({ bill, recordsIn: 10 });
    await checkpoint();
    const { body } = await world.request(`/jobs/${job}/checkpoints/details/1`);
    const { cost } = body as { cost: { requests: number; usd: number; records_read: number; bill: Bill } };
    const shards = world.plan.vertices.reduce((sum, { parallelism }) => sum + parallelism, 0);
    expect(cost).toMatchObject({ requests: shards, prices: 'us-east-1 2026-11-20', bill: { 's3.PutObject': shards } });
    expect(cost.usd).toBeCloseTo(shards * 5e-6, 12);
    const { body: all } = await world.request(`/jobs/${job}/checkpoints`);
    const { bill: _, ...withoutCounts } = cost;
    expect((all as { history: { cost: unknown }[] }).history[0]!.cost).toEqual(withoutCounts);
  });

  test('is nothing on a laptop: no bill, and no field in the details', async () => {
    await checkpoint();
    expect((await world.request(path)).body).toMatchObject({ checkpoints: [{ id: 1, records: null, bill: null }] });
    expect((await world.request(`/jobs/${job}/checkpoints/details/1`)).body).not.toHaveProperty('cost');
  });

  test('of a job that was restored does not begin with its history', async () => {
    await checkpoint();
    expect((await world.request(path)).body).toMatchObject({ 'from-beginning': true });
    await world.stores.history.append(job, { kind: 'restore', id: 2, checkpoint: 1, checkpointKind: 'checkpoint', atMs: 5 });
    expect((await world.request(path)).body).toMatchObject({ 'from-beginning': false });
  });

  test('of an unknown job is 404', async () => {
    expect((await world.request(`/jobs/${unknownJob}/cost`)).status).toBe(404);
  });
});
