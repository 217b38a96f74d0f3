/** Push sources on AWS: a queue and HTTP into a job, every message once, and nothing taken in once it has stopped. */
import { LambdaClient, ListEventSourceMappingsCommand } from '@aws-sdk/client-lambda';
import { SendMessageBatchCommand, SQSClient } from '@aws-sdk/client-sqs';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { region, type Emulator } from '../../localstack/emulator.ts';
import { requestCounts } from '../../localstack/observe.ts';
import { describeDeployed } from './deployed.ts';
import { bucket, jobApi, publishedLines, putFiles } from './flights/flights-world.ts';
import { compareGrants } from './granted/compare-grants.ts';
import { unusedByIntakes } from './granted/unused-grants.ts';

const app = 'node --conditions=sluice-source test/deployed/intake-app/app.ts';
const context = { output: `s3://${bucket}/orders` };
const messages = 2_000;
const batches = 6;
const batchRecords = 10;
const idleMs = 20_000;
const quietMs = 5_000;

/** Until nothing has been asked for a while. */
async function untilQuiet(emulator: Emulator): Promise<void> {
  for (;;) {
    await requestCounts(emulator, { restart: true });
    await sleep(quietMs);
    if ((await requestCounts(emulator)).requests.length === 0) return;
  }
}

describeDeployed(
  'a job with push sources, deployed',
  { app, context, auth: true, before: (emulator) => putFiles(emulator, 'none', []) },
  (deployed) => {
    const send = async (from: number, to: number): Promise<void> => {
      const { emulator, outputs } = deployed();
      const sqs = new SQSClient({ endpoint: emulator.endpoint, region, credentials: { accessKeyId: 'test', secretAccessKey: 'test' } });
      for (let n = from; n < to; n += 10) {
        const Entries = Array.from({ length: 10 }, (_, i) => ({ Id: `${i}`, MessageBody: JSON.stringify({ from: 'queue', n: n + i }) }));
        await sqs.send(new SendMessageBatchCommand({ QueueUrl: outputs['QueueUrl']!, Entries }));
      }
    };
    const post = (batch: number) => {
      const orders = Array.from({ length: batchRecords }, (_, i) => ({ from: 'http', n: batch * batchRecords + i }));
      return jobApi(deployed()).call('POST', '/intake/clicks', orders, { 'idempotency-key': `batch-${batch}` });
    };
    const published = async (): Promise<readonly { readonly from: string; readonly n: number; readonly seen: number }[]> =>
      (await publishedLines(deployed().emulator, 'orders')).map((line) => JSON.parse(line) as never);

    test('shows what comes, with batches that are sent again', { timeout: 240_000 }, async () => {
      await send(0, messages / 2);
      for (let batch = 0; batch < batches; batch++) {
        expect(await post(batch)).toEqual({ status: 202, body: { taken: batchRecords } });
        if (batch % 2 === 0) expect(await post(batch)).toEqual({ status: 202, body: { taken: batchRecords } });
      }
      await send(messages / 2, messages);
      const wanted = messages + batches * batchRecords;
      // Published with checkpoints: what came is there without anything more having to come.
      while ((await published()).length < wanted) await sleep(500);
    });

    test('shows the use of what its functions are granted', async () => {
      expect(await compareGrants(deployed(), 'Intakes', unusedByIntakes, /Intake(?!Table)/)).toEqual({
        usedAndNotGranted: [],
        unusedWithoutReason: [],
        reasonsForNothing: [],
      });
    });

    test('makes no request and no invocation while nothing comes', { timeout: 120_000 }, async () => {
      const { emulator } = deployed();
      // The last checkpoint, what retires behind it, and the sweep that finds nothing left to guard.
      await untilQuiet(emulator);
      await requestCounts(emulator, { restart: true });
      await sleep(idleMs);
      expect(await requestCounts(emulator)).toEqual({ requests: [], invocations: [] });
    });

    test('stops with all that was taken in, each once', { timeout: 240_000 }, async () => {
      const api = jobApi(deployed());
      await api.operation('/stop', { drain: true }, '/savepoints');
      await api.untilState('FINISHED');
      const lines = await published();
      const numbers = (from: string) => lines.filter((line) => line.from === from).map(({ n }) => n).sort((a, b) => a - b); // prettier-ignore
      expect(numbers('queue')).toEqual(Array.from({ length: messages }, (_, n) => n));
      expect(numbers('http')).toEqual(Array.from({ length: batches * batchRecords }, (_, n) => n));
    });

    test('rests once it has stopped: no event source takes anything any more', { timeout: 60_000 }, async () => {
      const { endpoint } = deployed().emulator;
      const lambda = new LambdaClient({ endpoint, region, credentials: { accessKeyId: 'test', secretAccessKey: 'test' } });
      const states = async () => {
        const { EventSourceMappings: mappings = [] } = await lambda.send(new ListEventSourceMappingsCommand());
        return mappings.map(({ State: state }) => state);
      };
      while ((await states()).some((state) => state !== 'Disabled')) await sleep(500);
      // Five vertices or fewer, the coordinator, the relay, the user's queue.
      expect((await states()).length).toBeGreaterThan(5);
    });

    test('takes nothing in once it has stopped', async () => {
      expect(await post(99)).toMatchObject({ status: 503, body: { code: 'SLUICE-INTAKE-STOPPED' } });
      expect(await jobApi(deployed()).unsigned('POST', '/intake/clicks')).toBe(403);
    });
  },
);
