import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { requestCancel } from '../../lib/coordinator/cancel-job.ts';
import { SluiceError } from '../../lib/base/errors.ts';
import { startLocalServer, type LocalServer } from '../../lib/local/local-server.ts';
import { startedWorld, unknownJob, type ApiWorld } from '../api/api-world.ts';
import { job } from '../checkpoint/fixture.ts';
import { sluice, TestIo, type Ran } from './test-io.ts';

let world: ApiWorld;
let server: LocalServer;
let folder: string;

async function serve(fetch: (request: Request) => Response | Promise<Response>): Promise<LocalServer> {
  return startLocalServer({ fetch, port: 0 });
}

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-cli-'));
  world = await startedWorld();
  server = await serve((request) => world.app.fetch(request));
});

afterEach(async () => {
  await server.close();
  rmSync(folder, { recursive: true });
});

/** The world's time stands still unless it is moved. */
async function whileTimePasses(command: Promise<Ran>): Promise<Ran> {
  let done = false;
  const ran = command.finally(() => (done = true));
  while (!done) {
    await world.advance(500);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return ran;
}

const at = (): readonly string[] => ['--server', server.url];

describe('list', () => {
  test('shows the jobs of the server', async () => {
    const { exitCode, out } = await sluice('list', ...at());
    expect(exitCode).toBe(0);
    expect(out).toMatch(new RegExp(`STATE +JOB .*\nRUNNING +${job} +counting `));
  });

  test('shows a job of which something is lost with what is known and the reason', async () => {
    const record = await world.record();
    const lost = `${'0'.repeat(31)}7` as typeof job;
    await world.stores.jobs.create({ ...record, job: lost, name: 'lost', version: 1, plan: `jobs/${lost}/plans/lost` });
    const { exitCode, out } = await sluice('list', ...at());
    expect([exitCode, out]).toEqual([0, expect.stringMatching(new RegExp(`RUNNING +${lost} +lost .* \\?\n`))]);
    expect(out).toMatch(new RegExp(`${lost} cannot be read: .*plans/lost.* \\(SLUICE-OBJECT-MISSING\\)\n`));
    expect(out).toMatch(new RegExp(`RUNNING +${job} +counting .* 6\n`));
  });

  test('prints what the API says as JSON', async () => {
    const { out } = await sluice('list', '--json', ...at());
    expect(JSON.parse(out)).toMatchObject([{ jid: job, name: 'counting', state: 'RUNNING', tasks: { total: 6 } }]);
  });

  test('finds the server by the data directory, and takes an address without a scheme', async () => {
    writeFileSync(join(folder, 'server.json'), JSON.stringify({ url: server.url, job }));
    expect((await sluice('list', '--data-dir', folder)).out).toContain(job);
    expect((await sluice('list', '--server', `127.0.0.1:${server.port}`)).out).toContain(job);
  });
});

describe('savepoint', () => {
  test('waits for it and says where it is and how to start from it', async () => {
    const { exitCode, out } = await whileTimePasses(sluice('savepoint', job, '/sp', ...at()));
    expect([exitCode, out]).toEqual([
      0,
      expect.stringMatching(
        /^savepoint complete: \/sp\/savepoint-012345-\w+\nstart from it with: sluice run JOB\.ts --from-savepoint \/sp\/savepoint-/,
      ),
    ]);
  });

  test('takes the job by its name or the beginning of its id, and the directory from where it is called', async () => {
    const io = new TestIo();
    io.folder = folder;
    const { out } = await whileTimePasses(io.run('savepoint', 'counting', 'backups', '--json', ...at()));
    expect(JSON.parse(out)).toMatchObject({
      job,
      trigger: expect.stringMatching(/^[0-9a-f]{32}$/),
      location: expect.stringContaining(join(folder, 'backups')),
    });
    expect((await sluice('savepoint', job.slice(0, 6), '/sp', '--detached', '--json', ...at())).out).toContain(job);
  });

  test('detached does not wait', async () => {
    const { exitCode, out } = await sluice('savepoint', job, '--detached', ...at());
    expect([exitCode, out]).toEqual([0, expect.stringMatching(new RegExp(`^savepoint of job ${job} triggered: [0-9a-f]{32}\n$`))]);
  });

  test('that fails is an error with its reason', async () => {
    world = await startedWorld({ settings: { timeoutMs: 2_000 } });
    for (const { uid } of world.plan.vertices) world.mute.add(uid);
    const { exitCode, err } = await whileTimePasses(sluice('savepoint', job, '/sp', ...at()));
    expect(exitCode).toBe(1);
    expect(err).toContain('error SLUICE-SAVEPOINT-FAILED: The checkpoint was not complete within its timeout.\n');
    expect(err).toContain('  next:  The job runs on as it was. Try again.\n');
  });

  test('of an unknown job keeps the code of the server', async () => {
    const { exitCode, out } = await sluice('savepoint', unknownJob, '/sp', '--json', ...at());
    expect([exitCode, JSON.parse(out)]).toMatchObject([1, { error: { code: 'SLUICE-JOB-UNKNOWN' } }]);
  });

  test('into an empty directory is a wrong usage', async () => {
    expect(await sluice('savepoint', job, '', ...at())).toMatchObject({ exitCode: 2, err: expect.stringContaining('is empty') });
    expect(await world.stores.operations.list(job)).toEqual([]);
  });

  test('into a place that cannot be written fails with the reason', async () => {
    world.savepoints.failures.set('prepare', new SluiceError('SLUICE-FOLDER-UNUSABLE', 'it is a file', { hint: '' }));
    const { exitCode, err } = await whileTimePasses(sluice('savepoint', job, '/sp', ...at()));
    expect([exitCode, err]).toEqual([1, expect.stringContaining('error SLUICE-FOLDER-UNUSABLE: it is a file\n  next:  The job runs on')]);
  });

  test('that waits for something that goes wrong says what', async () => {
    for (const { uid } of world.plan.vertices) world.mute.add(uid);
    for (let tries = 0; tries < 3; tries++)
      world.deps.problems!.met('x', { code: 'SLUICE-OUTPUT-FAILED', message: 'the disk is full', hint: 'Make room.' });
    const io = new TestIo();
    let nowMs = 0;
    Object.assign(io, { clock: { ...io.clock, monotonic: () => (nowMs += 2_000) } });
    const asked = io.run('savepoint', job, '/sp', ...at());
    await vi.waitUntil(() => io.errText !== '');
    expect(io.errText).toBe(
      'still waiting: the job has a problem\n  SLUICE-OUTPUT-FAILED: the disk is full\n  tried 3 times, and tried again\n  Make room.\n',
    );
    await requestCancel(world.deps, job);
    expect((await whileTimePasses(asked)).exitCode).toBe(1);
  });

  test('without any directory is an error that says what to give', async () => {
    world.savepointDirectory = null;
    const { exitCode, err } = await sluice('savepoint', job, ...at());
    expect(exitCode).toBe(1);
    expect(err).toContain('error SLUICE-API-REQUEST: Config key [execution.checkpointing.savepoint-dir] is not set.');
  });
});

describe('stop and cancel', () => {
  test('stop waits for the savepoint and says how to go on', async () => {
    const { exitCode, out } = await whileTimePasses(sluice('stop', 'counting', '/sp', ...at()));
    expect([exitCode, out]).toEqual([0, expect.stringMatching(/^stopped with savepoint: \/sp\/savepoint-/)]);
    expect((await world.record()).status).toBe('FINISHED');
  });

  test('stop --drain does not say how to go on: the input has ended', async () => {
    expect((await whileTimePasses(sluice('stop', 'counting', '/sp', '--drain', ...at()))).out).toMatch(
      /^stopped with savepoint: [^\n]+\n$/,
    );
  });

  test('stop --drain drains', async () => {
    const { out } = await whileTimePasses(sluice('stop', 'counting', '/sp', '--drain', '--json', ...at()));
    const { trigger } = JSON.parse(out) as { trigger: string };
    expect(await world.stores.operations.read(job, trigger)).toMatchObject({ request: { stop: 'drain' } });
  });

  test('cancel waits for the end', async () => {
    const { exitCode, out } = await whileTimePasses(sluice('cancel', job, ...at()));
    expect([exitCode, out]).toEqual([0, `job ${job} is CANCELED\n`]);
  });

  test('cancel of a job that has ended is an error', async () => {
    const record = await world.record();
    await world.stores.jobs.replace({ ...record, version: record.version + 1, status: 'FINISHED' }, record.version);
    const { exitCode, err } = await sluice('cancel', job, ...at());
    expect([exitCode, err]).toEqual([1, expect.stringContaining('error SLUICE-JOB-ENDED: Job cancellation failed')]);
  });

  test('cancel of a run that ends with its job is no error', async () => {
    const closing = await serve(async (request) => {
      if (request.method !== 'PATCH') return new Promise<Response>(() => void setTimeout(() => void closing.close(), 10));
      return new Response('{}', { status: 202 });
    });
    const { exitCode, out } = await sluice('cancel', job, '--server', closing.url);
    expect([exitCode, out]).toEqual([0, `the end of job ${job} was accepted, and its run has ended\n`]);
  });
});

describe('a job that cannot be named', () => {
  test('lists the jobs there are', async () => {
    const { exitCode, err } = await sluice('cancel', 'flights', ...at());
    expect(exitCode).toBe(1);
    expect(err).toBe(`error SLUICE-JOB-UNKNOWN: there is no job flights\n  next:  Name one of counting (${job}, RUNNING).\n`);
  });

  test('is ambiguous where two that run have the name, and not where one has ended', async () => {
    const record = await world.record();
    const other = { ...record, job: 'f'.repeat(32) as typeof job, version: 1 };
    await world.stores.jobs.create(other);
    expect(await sluice('cancel', 'counting', ...at())).toMatchObject({
      exitCode: 1,
      err: expect.stringContaining('SLUICE-JOB-AMBIGUOUS'),
    });
    await world.stores.jobs.replace({ ...other, version: 2, status: 'FINISHED' }, 1);
    expect((await whileTimePasses(sluice('cancel', 'counting', ...at()))).exitCode).toBe(0);
  });
});

describe('a server that cannot be had', () => {
  test('is SLUICE-SERVER-UNREACHABLE with the cause', async () => {
    const { url } = server;
    await server.close();
    const { exitCode, err } = await sluice('list', '--server', url);
    expect(exitCode).toBe(1);
    expect(err).toContain(`error SLUICE-SERVER-UNREACHABLE: nothing answers at ${url}: `);
    expect(err).toContain('ECONNREFUSED');
    server = await serve(() => new Response('{}'));
  });

  test('in the midst of a savepoint is a savepoint that failed, not a server that was never there', async () => {
    const asked = sluice('savepoint', job, ...at());
    const isAsked = async (): Promise<boolean> => (await world.stores.operations.list(job)).length > 0;
    while (!(await isAsked())) await new Promise((resolve) => setTimeout(resolve, 5));
    await server.close();
    const { exitCode, err } = await asked;
    expect(exitCode).toBe(1);
    expect(err).toMatch(/^error SLUICE-SAVEPOINT-FAILED: the run of job .* ended before it said that the savepoint is complete\n/);
    server = await serve(() => new Response('{}'));
  });

  test('is SLUICE-SERVER-FILE where the data directory names none', async () => {
    expect(await sluice('list', '--data-dir', folder)).toMatchObject({
      exitCode: 1,
      err: expect.stringContaining('error SLUICE-SERVER-FILE: '),
    });
    writeFileSync(join(folder, 'server.json'), '{"torn');
    expect((await sluice('list', '--data-dir', folder)).err).toContain('SLUICE-SERVER-FILE');
  });

  test('is SLUICE-SERVER-FILE too where another run has the port since', async () => {
    writeFileSync(join(folder, 'server.json'), JSON.stringify({ url: server.url, job: unknownJob }));
    const { exitCode, err } = await sluice('cancel', 'counting', '--data-dir', folder);
    expect([exitCode, err]).toEqual([
      1,
      expect.stringContaining(`SLUICE-SERVER-FILE: the server at ${server.url} is of another data directory`),
    ]);
    expect((await world.record()).status).toBe('RUNNING');
  });

  test('is SLUICE-SERVER-ANSWER where something else answers', async () => {
    const other = await serve(() => new Response('<html>', { status: 200 }));
    expect((await sluice('list', '--server', other.url)).err).toContain('error SLUICE-SERVER-ANSWER: ');
    await other.close();
  });

  test('is a wrong usage where the address is none', async () => {
    for (const address of ['http://', 'ftp://127.0.0.1']) {
      expect(await sluice('list', '--server', address)).toMatchObject({ exitCode: 2, err: expect.stringContaining('SLUICE-USAGE') });
    }
  });
});

describe('checkpoint', () => {
  test('takes one and prints its number', async () => {
    const { exitCode, out } = await whileTimePasses(sluice('checkpoint', 'counting', ...at()));
    expect([exitCode, out]).toEqual([0, 'checkpoint 1 is complete\n']);
    const second = await whileTimePasses(sluice('checkpoint', job, '--json', ...at()));
    expect(JSON.parse(second.out)).toMatchObject({ job, checkpoint: 2 });
    const { out: detached } = await sluice('checkpoint', job, '--detached', ...at());
    expect(detached).toMatch(new RegExp(`^checkpoint of job ${job} triggered: [0-9a-f]{32}\n$`));
  });

  test('that fails is an error with its reason', async () => {
    world = await startedWorld({ settings: { timeoutMs: 2_000 } });
    for (const { uid } of world.plan.vertices) world.mute.add(uid);
    const { exitCode, err } = await whileTimePasses(sluice('checkpoint', job, ...at()));
    expect(exitCode).toBe(1);
    expect(err).toContain('error SLUICE-CHECKPOINT-FAILED: The checkpoint was not complete within its timeout.\n');
    const unknown = await sluice('checkpoint', unknownJob, '--json', ...at());
    expect([unknown.exitCode, JSON.parse(unknown.out)]).toMatchObject([1, { error: { code: 'SLUICE-JOB-UNKNOWN' } }]);
  });
});

describe('checkpoint-config', () => {
  test('shows the options, and without any to change changes none', async () => {
    const { version } = await world.record();
    const { exitCode, out } = await sluice('checkpoint-config', 'counting', ...at());
    expect(exitCode).toBe(0);
    expect(out).toBe(
      'interval 1s\nmode exactly-once\ntimeout 10min\nmin_pause 0ms\nmax_concurrent 1\ntolerable_failed_checkpoints 2\nnum_retained 2\n' +
        'unaligned_checkpoints false\naligned_checkpoint_timeout 0ms\n',
    );
    expect((await world.record()).version).toBe(version);
  });

  test('changes them, and says what was', async () => {
    const change = ['--interval', '1.5s', '--mode', 'at-least-once', '--timeout', '1min', '--min-pause', '2s'];
    const { exitCode, out } = await sluice('checkpoint-config', 'counting', ...change, '--tolerable-failed-checkpoints', '0', ...at());
    expect([exitCode, out.split('\n')]).toEqual([
      0,
      [
        'interval 1500ms, was 1s',
        'mode at-least-once, was exactly-once',
        'timeout 1min, was 10min',
        'min_pause 2s, was 0ms',
        'tolerable_failed_checkpoints 0, was 2',
        '',
      ],
    ]);
    expect((await sluice('checkpoint-config', job, '--interval', '1500ms', ...at())).out).toBe('nothing changed: it is so already\n');
    const json = await sluice('checkpoint-config', job, '--num-retained', '4', '--json', ...at());
    expect(JSON.parse(json.out)).toMatchObject({ changes: [{ option: 'num_retained', from: 2, to: 4 }], config: { interval: 1_500 } });
  });

  test('refuses what cannot be', async () => {
    expect(await sluice('checkpoint-config', job, '--min-pause', '1s', '--max-concurrent-checkpoints', '2', ...at())).toMatchObject({
      exitCode: 1,
      err: expect.stringContaining('SLUICE-CHECKPOINT-OPTIONS') as unknown,
    });
    expect(await sluice('checkpoint-config', job, '--interval', '5', ...at())).toMatchObject({ exitCode: 2 });
  });
});
