/** The functions of a deployment as they are bundled, with a job's module that cannot be loaded where they run. */
import { createHash } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { bundleJob } from '../../infra/bundle-job.ts';
import type { CustomResourceEvent } from '../../lib/adapters/lambda/custom-resource.ts';

type Handler = (event: CustomResourceEvent<{ readonly allowNonRestoredState: string }>) => Promise<void>;
type Answer = Readonly<Record<'Status' | 'Reason' | 'PhysicalResourceId' | 'RequestId', string>>;

// Each module is bundled.
vi.setConfig({ testTimeout: 120_000 });

const folder = mkdtempSync(join(tmpdir(), 'sluice-failing-'));
const answers: Answer[] = [];
let cloudFormation: Server;
let url: string;

beforeAll(async () => {
  cloudFormation = createServer((request, response) => {
    let text = '';
    request.on('data', (chunk: Buffer) => (text += chunk.toString()));
    request.on('end', () => {
      answers.push(JSON.parse(text) as Answer);
      response.end();
    });
  });
  await new Promise<void>((resolve) => cloudFormation.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(cloudFormation.address() as AddressInfo).port}/`;
});

afterAll(async () => {
  await new Promise((resolve) => cloudFormation.close(resolve));
  rmSync(folder, { recursive: true });
});

async function answerOf(module: string, name: 'check' | 'restore', RequestType: 'Create' | 'Delete'): Promise<Answer> {
  // The same module in the same file: it is bundled once.
  const file = join(folder, `job-${createHash('sha256').update(module).digest('hex')}.mts`);
  writeFileSync(file, module);
  const handlers = (await import(pathToFileURL(join(bundleJob(file).directory, 'deployment.mjs')).href)) as Readonly<
    Record<string, Handler>
  >;
  const ids = { StackId: 'stack', RequestId: `request-${answers.length}`, LogicalResourceId: 'First' };
  await handlers[name]!({ ...ids, RequestType, ResponseURL: url, ResourceProperties: { allowNonRestoredState: 'false' } });
  return answers.at(-1)!;
}

describe('CloudFormation is answered', () => {
  const throwing = `throw new Error('the file prices.csv is not there'); export const job = {};`;
  const variables = ['SLUICE_CODE', 'SLUICE_TABLE', 'SLUICE_BUCKET', 'SLUICE_ACCOUNT', 'SLUICE_QUEUES', 'SLUICE_MACHINES'];

  test.each(['check', 'restore'] as const)('by %s where the job’s module throws as it is loaded, with what it threw', async (name) => {
    vi.stubEnv('SLUICE_JOB_ID', '0123456789abcdef0123456789abcdef');
    vi.stubEnv('SLUICE_OPTIONS', '{"parameters":{}}');
    for (const variable of variables) vi.stubEnv(variable, 'some');
    const answer = await answerOf(throwing, name, 'Create');
    expect(answer).toMatchObject({ Status: 'FAILED', PhysicalResourceId: 'First' });
    expect(answer.Reason).toContain('the file prices.csv is not there');
  });

  test('where the function is told nothing', async () => {
    const { Status, Reason } = await answerOf(throwing, 'check', 'Create');
    expect([Status, Reason]).toEqual([
      'FAILED',
      expect.stringContaining('SLUICE-FUNCTION-ENVIRONMENT: the environment variable SLUICE_JOB_ID'),
    ]);
  });

  test('with success where the resource goes, whatever the job’s module does', async () => {
    for (const name of ['check', 'restore'] as const)
      expect(await answerOf(throwing, name, 'Delete')).toMatchObject({ Status: 'SUCCESS', PhysicalResourceId: 'First' });
  });

  test('where the module exports no job, and one as its default is taken', async () => {
    vi.stubEnv('SLUICE_JOB_ID', '0123456789abcdef0123456789abcdef');
    vi.stubEnv('SLUICE_OPTIONS', '{"parameters":{}}');
    for (const variable of variables) vi.stubEnv(variable, 'some');
    expect(await answerOf('export const other = 1;', 'check', 'Create')).toMatchObject({
      Reason: expect.stringContaining('SLUICE-JOB-EXPORT') as unknown,
    });
    // It is asked for its graph.
    const asked = await answerOf(
      `export default { name: 'named', parameters: {}, build() { throw new Error('built by default'); } };`,
      'check',
      'Create',
    );
    expect(asked.Reason).toContain('built by default');
  });
});
