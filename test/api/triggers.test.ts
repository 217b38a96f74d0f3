import { beforeEach, describe, expect, test } from 'vitest';
import { limits } from '../../lib/base/limits.ts';
import type { OperationRecord } from '../../lib/ports/records.ts';
import { job } from '../checkpoint/fixture.ts';
import { startedWorld, unknownJob, type ApiWorld } from './api-world.ts';
import { differences, flinkShapes } from './flink-shapes.ts';

const trigger = 'a'.repeat(31) + '1';
const savepoints = `/jobs/${job}/savepoints`;

let world: ApiWorld;

beforeEach(async () => {
  world = await startedWorld();
});

async function operation(id: string = trigger, of: string = job): Promise<OperationRecord | undefined> {
  return world.stores.operations.read(of as typeof job, id);
}

describe('a savepoint', () => {
  test('is triggered with 202 and a request id, and is in progress', async () => {
    const { status, body } = await world.post(`/v1${savepoints}`, {
      'target-directory': '/sp',
      'cancel-job': false,
      formatType: 'CANONICAL',
      triggerId: null,
    });
    expect(status).toBe(202);
    expect(differences(body, flinkShapes.trigger)).toEqual([]);
    const id = (body as { 'request-id': string })['request-id'];
    expect(id).toMatch(/^[0-9a-f]{32}$/);
    expect(await operation(id)).toMatchObject({ kind: 'savepoint', request: { directory: '/sp' } });
    const polled = await world.request(`${savepoints}/${id}`);
    expect(polled).toMatchObject({ status: 200, body: { status: { id: 'IN_PROGRESS' }, operation: null } });
    expect(differences(polled.body, flinkShapes.savepointInProgress)).toEqual([]);
  });

  test('goes to the default directory where the request names none, and without a default is refused', async () => {
    await world.post(savepoints, { triggerId: trigger });
    expect(await operation()).toMatchObject({ request: { directory: '/savepoints' } });
    world.savepointDirectory = null;
    const { status, body } = await world.post(`/jobs/${unknownJob}/savepoints`, { 'target-directory': null });
    expect(status).toBe(400);
    expect(JSON.stringify(body)).toContain(
      'Config key [execution.checkpointing.savepoint-dir] is not set. Property [target-directory] must be provided.',
    );
    expect(JSON.stringify((await world.post(`/jobs/${job}/stop`, {})).body)).toContain('Property [targetDirectory] must be provided.');
  });

  test('is started once, however often its trigger id is sent', async () => {
    for (let again = 0; again < 3; again++) {
      expect(await world.post(savepoints, { triggerId: trigger.toUpperCase() })).toMatchObject({
        status: 202,
        body: { 'request-id': trigger },
      });
    }
    expect((await world.stores.operations.list(job)).length).toBe(1);
    expect((await world.stores.flows.running()).filter(({ flow }) => flow === 'savepoint').length).toBe(1);
  });

  test('that is complete shows where it is', async () => {
    await world.post(savepoints, { triggerId: trigger });
    await world.stores.operations.replace({ ...(await operation())!, status: 'COMPLETED', location: 'file:/sp/savepoint-1' }, 0);
    const { body } = await world.request(`${savepoints}/${trigger}`);
    expect(body).toEqual({ status: { id: 'COMPLETED' }, operation: { location: 'file:/sp/savepoint-1' } });
    expect(differences(body, flinkShapes.savepointCompleted)).toEqual([]);
  });

  test('that has failed shows class, stack trace and a serialized throwable, with our code and advice', async () => {
    await world.post(savepoints, { triggerId: trigger });
    const failure = { code: 'CHECKPOINT_EXPIRED', message: 'The checkpoint was not complete within its timeout.', hint: 'Try again.' };
    await world.stores.operations.replace({ ...(await operation())!, status: 'COMPLETED', failure }, 0);
    const { body } = await world.request(`${savepoints}/${trigger}`);
    expect(differences(body, flinkShapes.savepointFailed)).toEqual([]);
    expect(body).toMatchObject({ operation: { 'failure-cause': { class: 'java.util.concurrent.CompletionException', ...failure } } });
    const { 'serialized-throwable': bytes } = (body as { operation: { 'failure-cause': Record<string, string> } }).operation[
      'failure-cause'
    ];
    expect(Buffer.from(bytes!, 'base64').toString('latin1')).toContain('The checkpoint was not complete within its timeout.');
  });

  test('of an unknown job is 202, and the failure is in the answer to the poll', async () => {
    const { status, body } = await world.post(`/jobs/${unknownJob}/savepoints`, { 'target-directory': '/sp', triggerId: trigger });
    expect([status, body]).toEqual([202, { 'request-id': trigger }]);
    const polled = await world.request(`/jobs/${unknownJob}/savepoints/${trigger}`);
    expect(polled).toMatchObject({
      status: 200,
      body: { status: { id: 'COMPLETED' }, operation: { 'failure-cause': { code: 'SLUICE-JOB-UNKNOWN' } } },
    });
    expect(JSON.stringify(polled.body)).toContain(`FlinkJobNotFoundException: Could not find Flink job (${unknownJob})`);
  });

  test('of a job that has ended is a failed operation too', async () => {
    const record = await world.record();
    await world.stores.jobs.replace({ ...record, version: record.version + 1, status: 'FINISHED' }, record.version);
    await world.post(savepoints, { triggerId: trigger });
    expect((await world.request(`${savepoints}/${trigger}`)).body).toMatchObject({
      status: { id: 'COMPLETED' },
      operation: { 'failure-cause': { code: 'SLUICE-JOB-ENDED', message: expect.stringContaining('FINISHED') } },
    });
  });

  test('that nobody has triggered is 404, and a malformed trigger id 400', async () => {
    const { status, body, headers } = await world.request(`${savepoints}/${trigger}`);
    expect([status, headers.get('sluice-error-code')]).toEqual([404, 'SLUICE-OPERATION-UNKNOWN']);
    expect(JSON.stringify(body)).toContain(`There is no savepoint operation with triggerId=${trigger} for job ${job}.`);
    const malformed = await world.request(`${savepoints}/zz`);
    expect(malformed.status).toBe(400);
    expect(JSON.stringify(malformed.body)).toContain('Cannot resolve path parameter (triggerid) from value \\"zz\\".');
  });
});

describe('an answer', () => {
  test.each([
    ['GET', `/jobs/${job}`],
    ['POST', savepoints],
    ['PATCH', `/jobs/${job}`],
    ['GET', `/jobs/${unknownJob}`],
  ])('waits until everything that it shows is durable: %s %s', async (method, path) => {
    let written = (): void => undefined;
    const { promise, resolve } = Promise.withResolvers<void>();
    world.durable = () => {
      written = resolve;
      return promise;
    };
    let isAnswered = false;
    const answer = world.request(path, { method }).finally(() => (isAnswered = true));
    await world.settle();
    expect(isAnswered).toBe(false);
    written();
    expect((await answer).status).toBeLessThan(500);
  });

  test('is an error where that cannot be had', async () => {
    world.durable = () => Promise.reject(new Error('the disk is full'));
    expect(await world.request(`/jobs/${job}`)).toMatchObject({
      status: 500,
      body: { errors: ['Internal server error.', expect.stringContaining('the disk is full')] },
    });
  });
});

describe('a request body', () => {
  test.each([
    ['unknown fields', { bogus: 1, triggerId: trigger }],
    ['scalars of another type', { 'cancel-job': 'false', 'target-directory': 5, triggerId: trigger }],
    ['the native format', { formatType: 'NATIVE', triggerId: trigger }],
  ])('may have %s', async (_name, body) => {
    expect(await world.post(savepoints, body)).toMatchObject({ status: 202, body: { 'request-id': trigger } });
  });

  test('may be empty', async () => {
    expect(await world.post(savepoints, '')).toMatchObject({ status: 202 });
    expect(await world.request(savepoints, { method: 'POST' })).toMatchObject({ status: 202 });
  });

  test.each([
    ['no JSON', '{bad'],
    ['no object', '[]'],
    ['null', 'null'],
    ['a wrong enum', { formatType: 'NOPE' }],
    ['a wrong type', { 'target-directory': { a: 1 } }],
    ['an empty directory', { 'target-directory': ' ' }],
    ['a wrong flag', { 'cancel-job': 'x' }],
    ['a malformed trigger id', { triggerId: 'zz' }],
  ])('is refused with 400 where it is %s', async (_name, body) => {
    const { status, body: errors, headers } = await world.post(savepoints, body);
    expect([status, headers.get('sluice-error-code')]).toEqual([400, 'SLUICE-API-REQUEST']);
    expect(differences(errors, flinkShapes.errors)).toEqual([]);
    expect(JSON.stringify(errors)).toContain('Request did not match expected format SavepointTriggerRequestBody.');
    expect(await world.stores.operations.list(job)).toEqual([]);
  });

  test('is refused where it is larger than the limit', async () => {
    const { status, body, headers } = await world.post(savepoints, { filler: 'x'.repeat(limits.apiBodyBytesMax) });
    expect([status, headers.get('sluice-error-code')]).toEqual([413, 'SLUICE-API-BODY-TOO-LARGE']);
    expect(differences(body, flinkShapes.errors)).toEqual([]);
  });

  test('with hostile names does no harm', async () => {
    expect(await world.post(savepoints, '{"__proto__":{"triggerId":"x"},"constructor":{},"toString":1}')).toMatchObject({ status: 202 });
  });
});

describe('a stop', () => {
  test('is looked at under savepoints, and drains only where that is asked for', async () => {
    await world.post(`/v1/jobs/${job}/stop`, { targetDirectory: '/sp', drain: true, triggerId: trigger });
    expect(await operation()).toMatchObject({ kind: 'stop', request: { directory: '/sp', stop: 'drain' } });
    expect(await world.request(`${savepoints}/${trigger}`)).toMatchObject({ status: 200, body: { operation: null } });
    const flow = (await world.stores.flows.running()).find(({ name }) => name.includes(trigger));
    expect(flow).toMatchObject({ flow: 'stop', data: { stop: 'drain' } });
  });

  test('names the format of its own body', async () => {
    const { status, body } = await world.post(`/jobs/${job}/stop`, { drain: 'x' });
    expect(status).toBe(400);
    expect(JSON.stringify(body)).toContain('expected format StopWithSavepointRequestBody');
  });
});

describe('cancel', () => {
  const path = `/v1/jobs/${job}?mode=cancel`;
  const patch = (at: string, body: string | null = '{}') => world.request(at, { method: 'PATCH', body });

  test('is 202 with an empty object, ends the job, and again is 202', async () => {
    expect(await patch(path)).toMatchObject({ status: 202, body: {} });
    await world.settle();
    expect((await world.record()).status).toBe('CANCELED');
    expect(await patch(path)).toMatchObject({ status: 202, body: {} });
  });

  test('needs neither a body nor a mode', async () => {
    expect(await patch(`/jobs/${job}`, null)).toMatchObject({ status: 202 });
  });

  test('of a job that has ended otherwise is 409', async () => {
    const record = await world.record();
    await world.stores.jobs.replace({ ...record, version: record.version + 1, status: 'FINISHED' }, record.version);
    const { status, body, headers } = await patch(path);
    expect([status, headers.get('sluice-error-code')]).toEqual([409, 'SLUICE-JOB-ENDED']);
    expect(JSON.stringify(body)).toContain('the job has already reached another terminal state (FINISHED).');
  });

  test('of an unknown job is 404', async () => {
    const { status, body } = await patch(`/jobs/${unknownJob}?mode=cancel`);
    expect(status).toBe(404);
    expect(JSON.stringify(body)).toContain('RestHandlerException: Job could not be found.');
  });

  test('in the removed mode is 308, in an unknown one 400', async () => {
    expect(await patch(`/jobs/${job}?mode=stop`)).toMatchObject({
      status: 308,
      body: { errors: [expect.stringContaining('has been removed')] },
    });
    const { status, body } = await patch(`/jobs/${job}?mode=bogus`);
    expect(status).toBe(400);
    expect(JSON.stringify(body)).toContain('Cannot resolve query parameter (mode) from value \\"bogus\\".');
    expect((await world.record()).status).toBe('RUNNING');
  });

  test('with a malformed body is 400 and cancels nothing', async () => {
    expect(await patch(path, '{bad')).toMatchObject({ status: 400 });
    expect((await world.record()).status).toBe('RUNNING');
  });
});
