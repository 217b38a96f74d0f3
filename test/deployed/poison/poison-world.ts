/** What the test of poison does to the deployed job: ways in for whatever somebody may send, and what becomes of it. */
import { InvokeCommand, LambdaClient, UpdateFunctionConfigurationCommand, GetFunctionConfigurationCommand } from '@aws-sdk/client-lambda';
import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { GetQueueAttributesCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { randomUUID } from 'node:crypto';
import { region } from '../../../localstack/emulator.ts';
import type { JobId, OperatorUid } from '../../../lib/base/ids.ts';
import type { DeadLetter } from '../../../lib/model/dead-letter.ts';
import { awsCoordinatorQueueName, awsDelayQueueName, awsQueueName } from '../../../lib/model/aws-names.ts';
import type { Deployed } from '../deployed.ts';
import { callApi, jobApi, publishedLines } from '../flights/flights-world.ts';

export type PoisonWorld = ReturnType<typeof poisonWorld>;
export type Line = Readonly<Record<string, unknown>>;

const waysIn = { http: 'clicks', queue: 'orders', file: 'files' } as const;
export type WayIn = keyof typeof waysIn;

export function poisonWorld(deployed: Deployed) {
  const { emulator, outputs } = deployed;
  const options = { endpoint: emulator.endpoint, region, credentials: { accessKeyId: 'test', secretAccessKey: 'test' } };
  const sqs = new SQSClient({ ...options, useQueueUrlAsEndpoint: false });
  const s3 = new S3Client({ ...options, forcePathStyle: true });
  const lambda = new LambdaClient(options);
  const api = jobApi(deployed);
  const job = outputs['JobId']! as JobId;
  const bucket = outputs['Bucket']!;
  const urlOf = (queue: string): string => `${emulator.endpoint}/000000000000/${queue}`;

  const post = (body: Uint8Array, headers: Readonly<Record<string, string>> = {}): Promise<Response> =>
    callApi(deployed, {
      method: 'POST',
      path: `/jobs/${job}/intake/${waysIn.http}`,
      content: body,
      headers: { 'content-type': 'application/x-ndjson', ...headers },
    });

  return {
    ...api,
    job,
    bucket,
    post,
    request: (method: 'GET' | 'POST' | 'PATCH' | 'DELETE', path: string, content?: object, headers = {}): Promise<Response> =>
      callApi(deployed, { method, path: path.replace(':job', job), content, headers }),

    /** Into the user's queue. */
    send: async (text: string): Promise<void> => {
      await sqs.send(new SendMessageCommand({ QueueUrl: outputs['QueueUrl']!, MessageBody: text }));
    },

    /** Straight into a queue of the job, past everybody: of a vertex, `#coordinator` or `#delay`. */
    forge: async (queue: string, group: string, text: string): Promise<void> => {
      const named: Readonly<Record<string, string>> = { '#coordinator': awsCoordinatorQueueName(job), '#delay': awsDelayQueueName(job) };
      const name = named[queue] ?? awsQueueName(job, queue as OperatorUid);
      const fifo = name.endsWith('.fifo') ? { MessageGroupId: group, MessageDeduplicationId: randomUUID() } : {};
      await sqs.send(new SendMessageCommand({ QueueUrl: urlOf(name), MessageBody: text, ...fifo }));
    },

    invoke: async (functionName: string, event: unknown): Promise<{ readonly failed: boolean; readonly answer: string }> => {
      const sent = { FunctionName: outputs[functionName]!, Payload: Buffer.from(JSON.stringify(event)) };
      const { FunctionError, Payload } = await lambda.send(new InvokeCommand(sent));
      return { failed: FunctionError !== undefined, answer: Buffer.from(Payload ?? []).toString('utf8') };
    },

    /** The correction of a function: it ends the processes that have the old one. */
    correct: async (uid: string): Promise<void> => {
      const FunctionName = outputs[`Operator${uid}`]!;
      const { Environment } = await lambda.send(new GetFunctionConfigurationCommand({ FunctionName }));
      const Variables = { ...Environment?.Variables, CORRECTED: 'yes' };
      await lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName, Environment: { Variables } }));
    },

    /** Messages in the queue of a vertex. */
    waiting: async (uid: string): Promise<number> => {
      const QueueUrl = urlOf(awsQueueName(job, uid as OperatorUid));
      const { Attributes = {} } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['All'] }));
      return Number(Attributes['ApproximateNumberOfMessages']) + Number(Attributes['ApproximateNumberOfMessagesNotVisible']);
    },

    /** Of a savepoint, once it is complete. */
    locationOf: async (triggerId: string): Promise<string | undefined> => {
      const { body } = await api.call('GET', `/savepoints/${triggerId}`);
      return (body['operation'] as { readonly location?: string } | null)?.location;
    },

    letters: async (): Promise<readonly DeadLetter[]> =>
      (await api.call('GET', '/dead-letters')).body['dead-letters'] as readonly DeadLetter[],

    published: async (branch: string): Promise<readonly Line[]> =>
      (await publishedLines(emulator, `out/${branch}`)).map((line) => JSON.parse(line) as Line),

    /** What was taken out of queues because it is nobody's. */
    strange: async (): Promise<readonly Line[]> => {
      const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: `jobs/${job}/strange/` }));
      return Promise.all(
        Contents.map(async ({ Key }) => {
          const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key }));
          return { queue: Key!.split('/').at(-1)!, ...(JSON.parse(await Body!.transformToString()) as object) };
        }),
      );
    },

    /** What is below a prefix, by the rest of the name. */
    readFolder: async (prefix: string): Promise<Readonly<Record<string, Buffer>>> => {
      const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix }));
      const read = async (Key: string): Promise<Buffer> => {
        const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key }));
        return Buffer.from(await Body!.transformToByteArray());
      };
      return Object.fromEntries(await Promise.all(Contents.map(async ({ Key }) => [Key!.slice(prefix.length), await read(Key!)] as const)));
    },

    writeObject: async (Key: string, Body: Uint8Array): Promise<void> => {
      await s3.send(new PutObjectCommand({ Bucket: bucket, Key, Body }));
    },

    /** The log lines of a function, by a part of its name. */
    logOf: async (functionName: string): Promise<readonly string[]> => logEvents(emulator.endpoint, functionName),
  };
}

/** Without a package of their own: CloudWatch Logs speaks JSON. */
async function logEvents(endpoint: string, functionName: string): Promise<readonly string[]> {
  const ask = async (operation: string, body: object): Promise<Record<string, unknown>> => {
    const headers = {
      'content-type': 'application/x-amz-json-1.1',
      'x-amz-target': `Logs_20140328.${operation}`,
      authorization: `AWS4-HMAC-SHA256 Credential=test/20260101/${region}/logs/aws4_request, SignedHeaders=host, Signature=0`,
    };
    const answer = await fetch(endpoint, { method: 'POST', headers, body: JSON.stringify(body) });
    return (await answer.json()) as Record<string, unknown>;
  };
  const { logGroups = [] } = (await ask('DescribeLogGroups', {})) as { readonly logGroups?: readonly { readonly logGroupName: string }[] };
  const events: string[] = [];
  for (const { logGroupName } of logGroups.filter((group) => group.logGroupName.includes(functionName))) {
    const found = (await ask('FilterLogEvents', { logGroupName })) as { readonly events?: readonly { readonly message: string }[] };
    events.push(...(found.events ?? []).map(({ message }) => message));
  }
  return events;
}
