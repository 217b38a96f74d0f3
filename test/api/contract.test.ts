import { beforeEach, describe, expect, test } from 'vitest';
import { vertexId } from '../../lib/api/views/vertex-id.ts';
import { encodeValue } from '../../lib/model/value-json.ts';
import { failureKey } from '../../lib/model/object-keys.ts';
import { job } from '../checkpoint/fixture.ts';
import { counter, sink, source } from '../checkpoint/plans.ts';
import { ApiWorld, startedWorld, unknownJob } from './api-world.ts';
import { differences, flinkShapes, type Shape } from './flink-shapes.ts';

const reads: readonly (readonly [path: string, shape: Shape])[] = [
  ['/config', flinkShapes.config],
  ['/overview', flinkShapes.overview],
  ['/jobs', flinkShapes.jobs],
  ['/jobs/overview', flinkShapes.jobsOverview],
  [`/jobs/${job}`, flinkShapes.job],
  [`/jobs/${job}/status`, flinkShapes.status],
  [`/jobs/${job}/config`, flinkShapes.jobConfig],
  [`/jobs/${job}/plan`, flinkShapes.plan],
  [`/jobs/${job}/exceptions`, flinkShapes.exceptions],
  [`/jobs/${job}/checkpoints`, flinkShapes.checkpoints],
  [`/jobs/${job}/checkpoints/config`, flinkShapes.checkpointConfig],
  [`/jobs/${job}/checkpoints/details/1`, flinkShapes.checkpointDetails],
  [`/jobs/${job}/vertices/${vertexId(counter)}`, flinkShapes.vertex],
  [`/jobs/${job}/vertices/${vertexId(counter)}/watermarks`, flinkShapes.watermarks],
];

let world: ApiWorld;

beforeEach(async () => {
  world = await startedWorld();
});

async function expectFlinkShape(path: string, shape: Shape): Promise<void> {
  const { status, body, headers } = await world.request(path);
  expect([path, status]).toEqual([path, 200]);
  expect(headers.get('content-type')).toBe('application/json; charset=UTF-8');
  expect(differences(body, shape), path).toEqual([]);
}

async function completeOne(): Promise<void> {
  await world.dirty();
  await world.advance(2_000);
}

describe('every read answers in the recorded shape, bare and below /v1', () => {
  test('of a job that has completed checkpoints', async () => {
    await completeOne();
    for (const [path, shape] of reads) {
      await expectFlinkShape(path, shape);
      await expectFlinkShape(`/v1${path}`, shape);
    }
  });

  test('of a job that has not begun', async () => {
    for (const [path, shape] of reads) if (!path.endsWith('/details/1')) await expectFlinkShape(path, shape);
  });

  test('of a job whose checkpoints fail, and with one pending', async () => {
    world.mute.add(counter);
    await world.dirty();
    await world.advance(1_500);
    await expectFlinkShape(`/jobs/${job}/checkpoints`, flinkShapes.checkpoints);
    await expectFlinkShape(`/jobs/${job}/checkpoints/details/1`, flinkShapes.checkpointDetails);
    const pending = (await world.request(`/jobs/${job}/checkpoints/details/1`)).body;
    expect(pending).toMatchObject({ className: 'in_progress', status: 'IN_PROGRESS', num_subtasks: 6, num_acknowledged_subtasks: 3 });

    await world.advance(world.settings.timeoutMs + 1_000);
    await expectFlinkShape(`/jobs/${job}/checkpoints`, flinkShapes.checkpoints);
    const failed = (await world.request(`/jobs/${job}/checkpoints/details/1`)).body;
    expect(failed).toMatchObject({
      className: 'failed',
      failure_message: 'The checkpoint was not complete within its timeout.',
      tasks: { [vertexId(counter)]: { status: 'FAILED', num_acknowledged_subtasks: 0, end_to_end_duration: -1, latest_ack_timestamp: -1 } },
    });
    expect((await world.request(`/jobs/${job}/checkpoints`)).body).toMatchObject({
      counts: { failed: 1, completed: 0 },
      latest: { failed: { id: 1 } },
    });
  });

  test('of a job that has failed', async () => {
    const record = await world.record();
    const failure = {
      code: 'SLUICE-USER-CODE',
      message: 'operator count failed: broken',
      hint: 'Correct the function.',
      operator: counter,
      shard: 1,
      facts: { position: 'offset 7' },
      atMs: 5,
    };
    const key = failureKey(job, 1, 'x');
    await world.stores.objects.createIfAbsent(key, Buffer.from(encodeValue(failure), 'utf8'));
    await world.stores.jobs.replace({ ...record, version: record.version + 1, status: 'FAILED', failure: key }, record.version);
    for (const [path, shape] of reads) if (!path.endsWith('/details/1')) await expectFlinkShape(path, shape);
    const { body } = await world.request(`/jobs/${job}/exceptions`);
    expect(JSON.stringify(body)).toContain('offset 7');
    const details = (await world.request(`/jobs/${job}`)).body as {
      vertices: { id: string; status: string; tasks: Record<string, number> }[];
    };
    expect(details.vertices.find(({ id }) => id === vertexId(counter))).toMatchObject({
      status: 'FAILED',
      tasks: { FAILED: 1, CANCELED: 2 },
    });
  });

  test('of a job whose output cannot be published for now', async () => {
    const { publish } = world.collect;
    world.collect.publish = () => Promise.reject(new Error('the target is full'));
    await world.dirty();
    await world.advance(8_000);
    await expectFlinkShape(`/jobs/${job}/exceptions`, flinkShapes.exceptions);
    const entries = async (): Promise<readonly unknown[]> => {
      const { body } = await world.request(`/jobs/${job}/exceptions`);
      return (body as { exceptionHistory: { entries: readonly unknown[] } }).exceptionHistory.entries;
    };
    expect(await entries()).toMatchObject([
      {
        exceptionName: 'SLUICE-PUBLISH-FAILED',
        stacktrace: expect.stringMatching(/the target is full\n\ttried \d times, and tried again\n/),
      },
    ]);
    world.collect.publish = publish;
    await world.advance(2_000);
    expect(await entries()).toEqual([]);
  });

  test('a job whose plan is lost is in the list with what its record says, and hides no other', async () => {
    const record = await world.record();
    const lost = `${'0'.repeat(31)}7` as typeof job;
    await world.stores.jobs.create({ ...record, job: lost, name: 'lost', version: 1, status: 'FAILED', plan: `jobs/${lost}/plans/lost` });
    const { status, body } = await world.request('/jobs/overview');
    const { jobs } = body as { readonly jobs: readonly { readonly jid: string; readonly unreadable?: unknown }[] };
    expect([status, jobs.find(({ jid }) => jid === job)]).toMatchObject([200, { state: 'RUNNING', tasks: { total: 6 } }]);
    const unreadable = { code: 'SLUICE-OBJECT-MISSING', message: expect.stringContaining('plans/lost') as string };
    expect(jobs.find(({ jid }) => jid === lost)).toMatchObject({ name: 'lost', state: 'FAILED', tasks: { total: 0 }, unreadable });
    expect(differences({ jobs: jobs.map(({ unreadable: _, ...known }) => known) }, flinkShapes.jobsOverview)).toEqual([]);
    const ids = ((await world.request('/jobs')).body as { jobs: unknown[] }).jobs;
    expect(ids).toEqual(expect.arrayContaining([{ id: job, status: 'RUNNING' }, { id: lost, status: 'FAILED' }])); // prettier-ignore
    expect((await world.request('/overview')).body).toMatchObject({ 'jobs-running': 1, 'jobs-failed': 1, 'slots-total': 6 });
  });

  test('a list with no job in it is an empty list', async () => {
    world = new ApiWorld();
    await world.boot();
    expect((await world.request('/jobs/overview')).body).toEqual({ jobs: [] });
    expect((await world.request('/overview')).body).toMatchObject({ 'jobs-running': 0, 'slots-total': 0 });
  });
});

describe('errors are Flink’s', () => {
  const unknownPaths: readonly string[] = [
    '',
    '/config',
    '/plan',
    '/exceptions',
    '/checkpoints',
    '/checkpoints/config',
    '/checkpoints/details/1',
  ];

  test.each(unknownPaths)('an unknown job is 404: /jobs/:jobid%s', async (path) => {
    const { status, body, headers } = await world.request(`/v1/jobs/${unknownJob}${path}`);
    expect(status).toBe(404);
    expect(body).toEqual({
      errors: [
        `org.apache.flink.runtime.rest.NotFoundException: Job ${unknownJob} not found\nCaused by: org.apache.flink.runtime.messages.FlinkJobNotFoundException: Could not find Flink job (${unknownJob})\n`,
      ],
    });
    expect(headers.get('sluice-error-code')).toBe('SLUICE-JOB-UNKNOWN');
  });

  test('the status of an unknown job is 500', async () => {
    const { status, body } = await world.request(`/jobs/${unknownJob}/status`);
    expect(status).toBe(500);
    expect(body).toEqual({
      errors: [
        'Internal server error.',
        `<Exception on server side:\norg.apache.flink.runtime.messages.FlinkJobNotFoundException: Could not find Flink job (${unknownJob})\n\nEnd of exception on server side>`,
      ],
    });
  });

  test.each(['/jobs/nothex', '/jobs/xyz/checkpoints', '/v1/jobs/nothex/status'])('a malformed job id is 400: %s', async (path) => {
    const { status, body } = await world.request(path);
    expect(status).toBe(400);
    expect(differences(body, flinkShapes.errors)).toEqual([]);
    expect(JSON.stringify(body)).toMatch(
      /Bad request, could not parse parameters: Cannot resolve path parameter \(jobid\) from value \\"(nothex|xyz)\\"\./,
    );
  });

  test('ids are read in either case', async () => {
    expect((await world.request(`/jobs/${job.toUpperCase()}`)).body).toMatchObject({ jid: job });
  });

  test('a checkpoint that is not in the history is 404, a malformed number 400', async () => {
    expect(await world.request(`/jobs/${job}/checkpoints/details/999999`)).toMatchObject({
      status: 404,
      body: { errors: [expect.stringContaining('Could not find checkpointing statistics for checkpoint 999999.')] },
    });
    expect(await world.request(`/jobs/${job}/checkpoints/details/abc`)).toMatchObject({ status: 400 });
  });

  test('an unknown vertex is 404', async () => {
    expect(await world.request(`/jobs/${job}/vertices/${unknownJob}`)).toMatchObject({ status: 404 });
    expect(await world.request(`/jobs/${job}/vertices/count`)).toMatchObject({ status: 400 });
  });

  test('an unknown path is a file that is not there, or not found', async () => {
    expect(await world.request('/v1/nosuch')).toMatchObject({
      status: 404,
      body: { errors: ['Unable to load requested file /v1/nosuch.'] },
    });
    expect(await world.post('/jobs/overview', {})).toMatchObject({ status: 404, body: { errors: ['Not found: /jobs/overview'] } });
    const put = await world.request(`/jobs/${job}/savepoints`, { method: 'PUT', body: '{}' });
    expect(put).toMatchObject({ status: 404, body: { errors: [`Not found: /jobs/${job}/savepoints`] } });
    expect(put.headers.get('sluice-error-code')).toBe('SLUICE-API-PATH-UNKNOWN');
  });

  test('what fails inside is 500 with its code, and is logged', async () => {
    const record = await world.record();
    await world.stores.objects.remove([record.plan]);
    const fresh = await startedWorld();
    await fresh.stores.jobs.create({ ...record, job: unknownJob as typeof job, plan: 'jobs/gone' });
    const { status, body, headers } = await fresh.request(`/jobs/${unknownJob}`);
    expect(status).toBe(500);
    expect(headers.get('sluice-error-code')).toBe('SLUICE-OBJECT-MISSING');
    expect(body).toMatchObject({ errors: ['Internal server error.', expect.stringContaining('jobs/gone')] });
    expect(fresh.log.at(-1)).toMatchObject({ level: 'error', message: 'a request failed' });
  });

  test('what fails without a code is SLUICE-API-FAILED', async () => {
    world.deps.jobs.read = () => Promise.reject(new RangeError('unthinkable'));
    const { status, headers } = await world.request(`/jobs/${job}`);
    expect([status, headers.get('sluice-error-code')]).toEqual([500, 'SLUICE-API-FAILED']);
  });
});

describe('a job shows', () => {
  test('records, per vertex and per shard, and zero where the attempt has not begun', async () => {
    await world.putShard(source, 0, { recordsIn: 700, recordsOut: 690 });
    await world.putShard(source, 1, { recordsIn: 300, recordsOut: 310 });
    await world.putShard(counter, 0, { recordsIn: 55 });
    await world.putShard(counter, 1, { recordsIn: 1_000_000, attempt: 7, version: 1 });
    const { vertices } = (await world.request(`/jobs/${job}`)).body as {
      vertices: { metrics: Record<string, unknown>; status: string; tasks: unknown }[];
    };
    expect(vertices.map(({ metrics }) => [metrics['read-records'], metrics['write-records'], metrics['read-records-complete']])).toEqual([
      [1_000, 1_000, true],
      [55, 0, false],
      [0, 0, false],
    ]);
    expect(vertices.map(({ status }) => status)).toEqual(['RUNNING', 'INITIALIZING', 'INITIALIZING']);
    const { subtasks } = (await world.request(`/jobs/${job}/vertices/${vertexId(source)}`)).body as {
      subtasks: { metrics: Record<string, number> }[];
    };
    expect(subtasks.map(({ metrics }) => metrics['read-records'])).toEqual([700, 300]);
  });

  test('watermarks as Java’s longs', async () => {
    await world.putShard(counter, 0, { watermark: 42 });
    await world.putShard(counter, 1, { watermark: 9_007_199_254_740_991 });
    expect((await world.request(`/jobs/${job}/vertices/${vertexId(counter)}/watermarks`)).body).toEqual([
      { id: '0.currentInputWatermark', value: '42' },
      { id: '1.currentInputWatermark', value: '9223372036854775807' },
      { id: '2.currentInputWatermark', value: '-9223372036854775808' },
    ]);
  });

  test('its graph with ship strategies, sinks first', async () => {
    const { plan } = (await world.request(`/jobs/${job}/plan`)).body as { plan: { nodes: { id: string; inputs?: unknown }[] } };
    expect(plan.nodes.map(({ id }) => id)).toEqual([sink, counter, source].map(vertexId));
    expect(plan.nodes.map(({ inputs }) => inputs)).toEqual([
      [{ id: vertexId(counter), num: 0, exchange: 'pipelined_bounded', ship_strategy: 'REBALANCE' }],
      [{ id: vertexId(source), num: 0, exchange: 'pipelined_bounded', ship_strategy: 'HASH' }],
      undefined,
    ]);
  });

  test('checkpoints with counts, sizes, durations and what was discarded', async () => {
    for (let round = 0; round < 4; round++) await completeOne();
    const { body } = await world.request(`/jobs/${job}/checkpoints`);
    expect(body).toMatchObject({
      counts: { total: 4, completed: 4, failed: 0, in_progress: 0, restored: 0 },
      summary: { checkpointed_size: { min: 600, max: 600 }, state_size: { avg: 1_800 } },
      latest: {
        completed: { id: 4, discarded: false, checkpoint_type: 'CHECKPOINT', external_path: `/data/jobs/${job}/manifests/chk-4-1` },
        savepoint: null,
        failed: null,
        restored: null,
      },
    });
    const { history } = body as { history: { id: number; discarded: boolean; num_acknowledged_subtasks: number }[] };
    // Two are retained.
    expect(history.map(({ id, discarded, num_acknowledged_subtasks }) => [id, discarded, num_acknowledged_subtasks])).toEqual([
      [4, false, 6],
      [3, false, 6],
      [2, true, 6],
      [1, true, 6],
    ]);
  });

  test('when it ended', async () => {
    world.finished = true;
    await completeOne();
    await completeOne();
    const { body } = await world.request(`/jobs/${job}`);
    expect(body).toMatchObject({ state: 'FINISHED', 'status-counts': { FINISHED: 3 } });
    const {
      'end-time': ended,
      timestamps,
      duration,
      'start-time': started,
    } = body as Record<string, number> & { timestamps: Record<string, number> };
    expect(timestamps['FINISHED']).toBe(ended);
    expect(ended! - started!).toBe(duration);
    expect(duration).toBeGreaterThan(0);
  });
});
