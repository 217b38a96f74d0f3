/** `npm run localstack:…` as somebody types it, with a cache folder of its own: a server that runs for somebody else is left alone. */
import { CreateQueueCommand, ListQueuesCommand, SQSClient } from '@aws-sdk/client-sqs';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { emulatorAt, region } from '../../localstack/emulator.ts';
import { resetServices } from '../../localstack/observe.ts';
import { isRunning, findPython, pythonEnvironment } from '../../localstack/virtual-environment.ts';
import { missing, skipOrFail, type Missing } from './available.ts';

const root = join(import.meta.dirname, '../..');
const caches: string[] = [];

function newCache(): string {
  const cache = mkdtempSync(join(tmpdir(), 'sluice-localstack-'));
  caches.push(cache);
  return cache;
}

interface Ran {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

function run(cache: string, args: readonly string[], environment: NodeJS.ProcessEnv = {}): Promise<Ran> {
  const env = { ...process.env, AWS_ENDPOINT_URL: '', SLUICE_EMULATOR_CACHE: cache, ...environment };
  return new Promise((done) => {
    execFile(process.execPath, [join(root, 'localstack', 'main.ts'), ...args], { env, cwd: root }, (error, stdout, stderr) => {
      done({ status: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });
}

interface Up {
  readonly endpoint: string;
  readonly pid: number;
  readonly started: boolean;
  readonly environment: Readonly<Record<string, string>>;
}

afterAll(async () => {
  for (const cache of caches) {
    await run(cache, ['down']);
    rmSync(cache, { recursive: true, force: true });
  }
});

describe('without a server the commands', () => {
  test('explain themselves', async () => {
    const { status, stdout } = await run(newCache(), ['up', '--help']);
    expect(status).toBe(0);
    expect(stdout).toContain('npm run localstack:deploy');
  });

  test('say what they do not understand, as text and as JSON', async () => {
    const cache = newCache();
    expect(await run(cache, ['up', '--loud'])).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('SLUICE-LOCALSTACK-USAGE') as string,
    });
    const asJson = await run(cache, ['deploy', '-c', 'novalue', '--json'], { AWS_ENDPOINT_URL: 'http://127.0.0.1:9' });
    expect(asJson.status).toBe(1);
    expect(JSON.parse(asJson.stderr)).toMatchObject({ error: { code: 'SLUICE-LOCALSTACK-UNREACHABLE' } });
  });

  test('deploy nowhere, and have nothing to stop', async () => {
    const cache = newCache();
    const { status, stderr } = await run(cache, ['deploy']);
    expect(status).toBe(1);
    expect(stderr).toContain('error SLUICE-LOCALSTACK-NOT-RUNNING');
    expect(stderr).toContain('next:  Start one: `npm run localstack:up`');
    expect(await run(cache, ['down'])).toMatchObject({ status: 0, stdout: 'nothing was running\n' });
  });

  test('say that there is no Python', async () => {
    const { status, stderr } = await run(newCache(), ['up'], { PATH: dirname(process.execPath) });
    expect(status).toBe(1);
    expect(stderr).toContain('error SLUICE-LOCALSTACK-PYTHON');
  });
});

describe('with Python the commands', () => {
  let without: Missing | undefined;
  let python = '';
  beforeAll(async () => {
    try {
      python = await pythonEnvironment();
    } catch (error) {
      without = missing(error, process.env, await findPython());
    }
  }, 240_000);
  beforeEach((context) => {
    if (without !== undefined) skipOrFail(without, context);
  });

  /** With the packages that are there already. */
  const preparedCache = (): string => {
    const cache = newCache();
    const environment = dirname(dirname(python));
    symlinkSync(environment, join(cache, basename(environment)));
    return cache;
  };

  test('start a server that stays, find it again, empty it, and stop it', async () => {
    const cache = preparedCache();
    const first = await run(cache, ['up', '--json']);
    const server = JSON.parse(first.stdout) as Up;
    expect(server).toMatchObject({ started: true, environment: { AWS_ENDPOINT_URL: server.endpoint } });
    expect(server.endpoint).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);

    const again = await run(cache, ['up'], { AWS_ENDPOINT_URL: server.endpoint });
    expect(again.stdout).toContain(`export AWS_ENDPOINT_URL=${server.endpoint}\n`);
    expect(again.stdout).toContain(`pid ${server.pid}`);
    expect((await run(cache, ['up', '--auth'])).stderr).toContain('SLUICE-LOCALSTACK-RUNNING');

    const deployed = await run(cache, ['deploy', '--app', 'node -e process.exit(3)', '--json']);
    expect(JSON.parse(deployed.stderr)).toMatchObject({ error: { code: 'SLUICE-LOCALSTACK-CDK' } });

    const sqs = new SQSClient({ endpoint: server.endpoint, region, credentials: { accessKeyId: 'test', secretAccessKey: 'test' } });
    await sqs.send(new CreateQueueCommand({ QueueName: 'left-over' }));
    await resetServices(emulatorAt(server.endpoint, { isOurs: true }));
    expect((await sqs.send(new ListQueuesCommand())).QueueUrls ?? []).toEqual([]);

    expect(JSON.parse((await run(cache, ['down', '--json'])).stdout)).toEqual({
      stopped: true,
      endpoint: server.endpoint,
      pid: server.pid,
    });
    expect(isRunning(server.pid)).toBe(false);
  }, 180_000);

  test('leave no server behind when they are killed: one that is not to stay ends with whoever started it', async () => {
    const program = `const { startServer } = await import(${JSON.stringify(join(root, 'localstack/server.ts'))});
      const { pid, temporaryFolder } = await startServer();
      process.send({ pid, temporaryFolder });`;
    const owner = spawn(process.execPath, ['--input-type=module', '--eval', program], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    const [server] = (await once(owner, 'message')) as [{ readonly pid: number; readonly temporaryFolder: string }];
    expect(isRunning(server.pid)).toBe(true);
    owner.kill('SIGKILL');
    await expect.poll(() => isRunning(server.pid), { timeout: 10_000 }).toBe(false);
    expect(existsSync(server.temporaryFolder)).toBe(false);
  }, 120_000);

  test('say why a server does not start', async () => {
    const holder = createServer();
    const port = await new Promise<number>((done) => holder.listen(0, '127.0.0.1', () => done((holder.address() as AddressInfo).port)));
    const { status, stderr } = await run(preparedCache(), ['up', '--port', String(port)]);
    holder.close();
    expect(status).toBe(1);
    expect(stderr).toContain('error SLUICE-LOCALSTACK-START');
    expect(stderr).toContain('already in use');
  }, 90_000);

  test('say that the packages cannot be had', async () => {
    const nowhere = { PIP_NO_INDEX: '1', PIP_FIND_LINKS: '', PIP_CONFIG_FILE: '/dev/null' };
    const { status, stderr } = await run(newCache(), ['up'], nowhere);
    expect(status).toBe(1);
    expect(stderr).toContain('error SLUICE-LOCALSTACK-PACKAGES');
    expect(stderr).toContain('No matching distribution');
  }, 180_000);
});
