import { DynamoDBClient, QueryCommand } from '@aws-sdk/client-dynamodb';
import { DescribeExecutionCommand, SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { setTimeout as sleep } from 'node:timers/promises';
import { region } from '../../localstack/emulator.ts';
import type { Deployed } from './deployed.ts';
import type { Scenario } from './small-app/definition.ts';

export type Row = Readonly<Record<string, string>>;

export interface SentMessage {
  readonly name: string;
  readonly group: string;
  readonly sleepMs?: number;
  readonly wrongId?: boolean;
}

/** A server that is not ours alone has seen the same tests before. */
const run = crypto.randomUUID().slice(0, 8);
const ofThisRun = (name: string) => `${name}-${run}`;

/** What the tests of the small app do with it, by the real SDK. */
export function smallWorld({ emulator, outputs }: Deployed) {
  const options = { endpoint: emulator.endpoint, region, credentials: { accessKeyId: 'test', secretAccessKey: 'test' } };
  const dynamodb = new DynamoDBClient(options);
  const sqs = new SQSClient({ ...options, useQueueUrlAsEndpoint: false });
  const sfn = new SFNClient(options);
  const output = (name: string) => {
    const value = outputs[name];
    if (value === undefined) throw new Error(`the stack has no output ${name}: ${Object.keys(outputs).join(', ')}`);
    return value;
  };

  const messageKey = (name: string) => `message#${ofThisRun(name)}`;

  const rows = async (pk: string): Promise<readonly Row[]> => {
    const query = new QueryCommand({
      TableName: output('table'),
      KeyConditionExpression: 'pk = :pk',
      ExpressionAttributeValues: { ':pk': { S: pk } },
      ConsistentRead: true,
    });
    const { Items: items = [] } = await dynamodb.send(query);
    return items.map((item) => Object.fromEntries(Object.entries(item).map(([name, { S: text = '' }]) => [name, text])));
  };

  /** The first rows of a name that satisfy, looked for until then. */
  const until = async (pk: string, isEnough: (found: readonly Row[]) => boolean, timeoutMs = 30_000): Promise<readonly Row[]> => {
    for (const giveUpAtMs = Date.now() + timeoutMs; ; await sleep(30)) {
      const found = await rows(pk);
      if (isEnough(found)) return found;
      if (Date.now() > giveUpAtMs) throw new Error(`waited ${timeoutMs} ms for ${pk}, found ${JSON.stringify(found)}`);
    }
  };

  return {
    dynamodb,
    sqs,
    sfn,
    output,
    rows,
    messageKey,
    waitForRows: (pk: string, count: number) => until(pk, (found) => found.length >= count),
    /** The row of a message's begin or end at its first try, or a later one. */
    message: async (name: string, moment: 'begun' | 'ended', count = 1): Promise<Row> => {
      const isIt = ({ sk }: Row) => sk === `${moment}#${count}`;
      const found = await until(messageKey(name), (all) => all.some(isIt));
      return found.find(isIt) ?? {};
    },
    send: async ({ group, ...body }: SentMessage, deduplicationId = body.name): Promise<void> => {
      const ids = { MessageGroupId: ofThisRun(group), MessageDeduplicationId: ofThisRun(deduplicationId) };
      const text = JSON.stringify({ ...body, name: ofThisRun(body.name) });
      await sqs.send(new SendMessageCommand({ QueueUrl: output('queueUrl'), ...ids, MessageBody: text }));
    },
    start: async (scenario: Scenario, input: Readonly<Record<string, unknown>> = {}) => {
      const name = `${scenario}-${crypto.randomUUID().slice(0, 8)}`;
      const { executionArn } = await sfn.send(
        new StartExecutionCommand({ stateMachineArn: output('machine'), name, input: JSON.stringify({ scenario, ...input }) }),
      );
      const startedAtMs = Date.now();
      return {
        name,
        ended: async (timeoutMs = 30_000) => {
          for (;;) {
            const { status, output: text = '{}', error, cause } = await sfn.send(new DescribeExecutionCommand({ executionArn }));
            const tookMs = Date.now() - startedAtMs;
            if (status !== 'RUNNING') return { status, output: JSON.parse(text) as Record<string, unknown>, error, cause, tookMs };
            if (tookMs > timeoutMs) throw new Error(`${name} still runs after ${timeoutMs} ms`);
            await sleep(50);
          }
        },
        token: async (retry: number): Promise<string> => {
          const isIt = ({ sk }: Row) => sk === `token#${retry}`;
          const found = await until(`task#${name}`, (all) => all.some(isIt));
          return found.find(isIt)?.token ?? '';
        },
      };
    },
  };
}
