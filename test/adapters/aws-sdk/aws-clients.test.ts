import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { GetItemCommand } from '@aws-sdk/client-dynamodb';
import { GetObjectCommand, HeadBucketCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { CreateScheduleCommand } from '@aws-sdk/client-scheduler';
import { SendTaskSuccessCommand } from '@aws-sdk/client-sfn';
import { SendMessageCommand } from '@aws-sdk/client-sqs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { AwsClientOptions } from '../../../lib/adapters/aws-sdk/client-settings.ts';
import { createDynamoDbClient } from '../../../lib/adapters/aws-sdk/dynamodb-client.ts';
import { Meter } from '../../../lib/adapters/aws-sdk/meter.ts';
import { createS3Client } from '../../../lib/adapters/aws-sdk/s3-client.ts';
import { createSchedulerClient } from '../../../lib/adapters/aws-sdk/scheduler-client.ts';
import { createStepFunctionsClient } from '../../../lib/adapters/aws-sdk/step-functions-client.ts';
import { createSqsClient } from '../../../lib/adapters/aws-sdk/sqs-client.ts';

interface Seen {
  readonly path: string;
  readonly headers: Readonly<Record<string, unknown>>;
}

const get = new GetItemCommand({ TableName: 't', Key: { pk: { S: 'a' } }, ConsistentRead: true });

describe('clients of AWS', () => {
  let server: Server;
  let seen: Seen[];
  let sockets: Set<unknown>;
  /** Answers so many requests with 500 first; negative: none at all. */
  let failing: number;

  beforeEach(async () => {
    [seen, sockets, failing] = [[], new Set(), 0];
    server = createServer((request, response) => {
      seen.push({ path: request.url ?? '', headers: request.headers });
      sockets.add(request.socket);
      if (failing < 0) return;
      request.resume().on('end', () => {
        response.writeHead(failing > 0 ? 500 : 200, { 'content-type': 'application/x-amz-json-1.0' }).end('{}');
        failing = Math.max(0, failing - 1);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  afterEach(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  const options = (more: AwsClientOptions = {}): AwsClientOptions => ({
    region: 'eu-test-1',
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    ...more,
  });

  test('give up a call that gets no answer, and count each of its attempts', async () => {
    failing = -1;
    const meter = new Meter();
    const client = createDynamoDbClient(options({ meter, requestTimeoutMs: 200, attemptsMax: 2 }));
    // On a busy machine an attempt may be over before the server has seen it.
    await expect(client.send(get)).rejects.toMatchObject({ name: 'TimeoutError' });
    expect(meter.take()).toEqual([{ service: 'dynamodb', operation: 'GetItem', unit: 'read-unit', requests: 2, units: 2 }]);
    client.destroy();
  });

  test('give up an answer whose body stops in the midst', async () => {
    server.removeAllListeners('request').on('request', (_request, response: ServerResponse) => {
      response.writeHead(200, { 'content-length': '1000' }).write('some');
    });
    const client = createS3Client(options({ requestTimeoutMs: 200 }));
    const { Body: body } = await client.send(new GetObjectCommand({ Bucket: 'b', Key: 'k' }));
    await expect(body!.transformToByteArray()).rejects.toMatchObject({ name: 'TimeoutError' });
    client.destroy();
  });

  test('try again what failed, count it by itself, and keep the connection', async () => {
    failing = 2;
    const meter = new Meter();
    const client = createDynamoDbClient(options({ meter }));
    await client.send(get);
    await client.send(get);
    expect(meter.take()).toEqual([{ service: 'dynamodb', operation: 'GetItem', unit: 'read-unit', requests: 4, units: 2 }]);
    expect(meter.take()).toEqual([]);
    expect([seen.length, sockets.size]).toEqual([4, 1]);
    client.destroy();
  });

  test('have limits of time by themselves', async () => {
    const client = createDynamoDbClient(options());
    await client.send(get);
    const handler = client.config.requestHandler as unknown as { httpHandlerConfigs(): object };
    expect(handler.httpHandlerConfigs()).toMatchObject({
      connectionTimeout: 1_000,
      requestTimeout: 4_000,
      throwOnRequestTimeout: true,
    });
    expect(await client.config.maxAttempts()).toBe(4);
    client.destroy();
  });

  test('of five services are counted by one meter', async () => {
    const meter = new Meter();
    const given = options({ meter });
    await createSqsClient(given)
      .send(new SendMessageCommand({ QueueUrl: 'https://elsewhere.test/1/q.fifo', MessageBody: 'x', MessageGroupId: 'g' }))
      .catch(() => undefined);
    await createS3Client(given).send(new HeadBucketCommand({ Bucket: 'bucket' }));
    await createStepFunctionsClient(given).send(new SendTaskSuccessCommand({ taskToken: 't', output: '{}' }));
    const schedule = {
      Name: 'n',
      ScheduleExpression: 'at(2030-01-01T00:00:00)',
      FlexibleTimeWindow: { Mode: 'OFF' },
      Target: { Arn: 'a', RoleArn: 'r' },
    } as const;
    await createSchedulerClient(given).send(new CreateScheduleCommand(schedule));
    expect(meter.take().map(({ service, operation, unit }) => `${service} ${operation} ${unit}`)).toEqual([
      'sqs SendMessage fifo-64kb',
      's3 HeadBucket class-2',
      'step-functions SendTaskSuccess call',
      'scheduler CreateSchedule call',
    ]);
    // The queue's URL names another host, and the bucket is in the path.
    expect(seen.map(({ path }) => path.slice(0, 7))).toEqual(['/', '/bucket', '/', '/schedu']);
  });

  test('of S3 add no checksum of their own', async () => {
    const client = createS3Client(options());
    await client.send(new PutObjectCommand({ Bucket: 'bucket', Key: 'k', Body: 'x' }));
    expect(Object.keys(seen[0]!.headers).filter((name) => name.startsWith('x-amz-checksum'))).toEqual([]);
    client.destroy();
  });

  test('of S3 say whose the job’s own bucket must be, and nothing of others', async () => {
    const client = createS3Client({ ...options(), owned: { bucket: 'ours', account: '111122223333' } });
    await client.send(new PutObjectCommand({ Bucket: 'ours', Key: 'k', Body: 'x' }));
    await client.send(new HeadBucketCommand({ Bucket: 'ours' }));
    await client.send(new PutObjectCommand({ Bucket: 'theirs', Key: 'k', Body: 'x' }));
    expect(seen.map(({ headers }) => headers['x-amz-expected-bucket-owner'])).toEqual(['111122223333', '111122223333', undefined]);
    client.destroy();
  });
});
