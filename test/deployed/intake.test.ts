/** Push sources on AWS: a queue and HTTP into a job, every message once, and nothing taken in once it has stopped. */
import { SendMessageBatchCommand, SQSClient } from '@aws-sdk/client-sqs';
import { expect, test } from 'vitest';
import { region } from '../../localstack/emulator.ts';
import { describeDeployed } from './deployed.ts';
import { bucket, jobApi, publishedLines, putFiles } from './flights/flights-world.ts';

const app = 'node --conditions=sluice-source test/deployed/intake-app/app.ts';
const context = { output: `s3://${bucket}/orders` };
const messages = 240;
const batches = 6;
const batchRecords = 10;

describeDeployed(
  'a job with push sources, deployed',
  { app, context, before: (emulator) => putFiles(emulator, 'none', []) },
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

    test('counts each message once, and each batch however often it is sent', { timeout: 240_000 }, async () => {
      const api = jobApi(deployed());
      await send(0, messages / 2);
      for (let batch = 0; batch < batches; batch++) {
        expect(await post(batch)).toEqual({ status: 202, body: { taken: batchRecords } });
        if (batch % 2 === 0) expect(await post(batch)).toEqual({ status: 202, body: { taken: batchRecords } });
      }
      await send(messages / 2, messages);
      const wanted = messages + batches * batchRecords;
      // Published with checkpoints: what came is there without anything more having to come.
      for (;;) if ((await published()).length >= wanted) break;
      await api.operation('/stop', { drain: true }, '/savepoints');
      await api.untilState('FINISHED');
      const lines = await published();
      const numbers = (from: string) => lines.filter((line) => line.from === from).map(({ n }) => n).sort((a, b) => a - b); // prettier-ignore
      expect(numbers('queue')).toEqual(Array.from({ length: messages }, (_, n) => n));
      expect(numbers('http')).toEqual(Array.from({ length: batches * batchRecords }, (_, n) => n));
    });

    test('takes nothing in once it has stopped', async () => {
      expect(await post(99)).toMatchObject({ status: 503, body: { code: 'SLUICE-INTAKE-STOPPED' } });
      expect(await jobApi(deployed()).unsigned('POST', '/intake/clicks')).toBe(403);
    });
  },
);
