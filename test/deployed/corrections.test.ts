/** What Sluice relies on and the emulator would do otherwise (localstack/corrections.py), on a deployed stack; and what the observer tells. */
import { DescribeTimeToLiveCommand } from '@aws-sdk/client-dynamodb';
import { SendTaskHeartbeatCommand, SendTaskSuccessCommand } from '@aws-sdk/client-sfn';
import { GetQueueAttributesCommand, SetQueueAttributesCommand } from '@aws-sdk/client-sqs';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { functionProcesses, requestCounts } from '../../localstack/observe.ts';
import { describeDeployed } from './deployed.ts';
import { smallWorld, type Row } from './small-world.ts';

const app = 'node test/deployed/small-app/app.ts';
const numberOf = (row: Row, name: string) => Number(row[name]);
const errorOf = (output: Readonly<Record<string, unknown>>) => output.error as { readonly Error: string; readonly Cause: string };

/** `SLUICE_EMULATOR=stock npm run localstack:test` shows which faults are still there. */
const stock = process.env.SLUICE_EMULATOR === 'stock';

describeDeployed('a deployed app', { app, stock }, (deployed) => {
  const world = () => smallWorld(deployed());

  test('has the attributes of its FIFO queue, and the expiry of its table', async () => {
    const { sqs, dynamodb, output } = world();
    const { Attributes: attributes = {} } = await sqs.send(
      new GetQueueAttributesCommand({ QueueUrl: output('queueUrl'), AttributeNames: ['All'] }),
    );
    expect(attributes).toMatchObject({ FifoQueue: 'true', DeduplicationScope: 'messageGroup', FifoThroughputLimit: 'perMessageGroupId' });
    expect(attributes.VisibilityTimeout).toBe('4');
    expect(JSON.parse(attributes.RedrivePolicy ?? '{}')).toMatchObject({ deadLetterTargetArn: output('deadLettersArn') });
    const { TimeToLiveDescription: expiry } = await dynamodb.send(new DescribeTimeToLiveCommand({ TableName: output('table') }));
    expect(expiry).toEqual({ TimeToLiveStatus: 'ENABLED', AttributeName: 'expiresAt' });
  });

  test('handles the messages of a group in order, and forgets no deduplication id within a group', async () => {
    const { send, message, rows, messageKey } = world();
    for (const name of ['first', 'second', 'third']) await send({ name, group: 'ordered' });
    await send({ name: 'never', group: 'ordered' }, 'first');
    await send({ name: 'of-another-group', group: 'other' }, 'first');
    const handled = await Promise.all(['first', 'second', 'third'].map((name) => message(name, 'begun')));
    expect(new Set(handled.map(({ group }) => group)).size).toBe(1);
    expect(handled.map((row) => row.sequence)).toEqual(handled.map((row) => row.sequence).toSorted());
    expect(handled.map((row) => numberOf(row, 'atMs'))).toEqual(handled.map((row) => numberOf(row, 'atMs')).toSorted((a, b) => a - b));
    await message('of-another-group', 'ended');
    expect(await rows(messageKey('never'))).toEqual([]);
    expect(numberOf(handled[0] ?? {}, 'remainingMs')).toBeLessThanOrEqual(4_000);
  });

  test('handles another group of the queue while one is busy, in another process', async () => {
    const { send, message } = world();
    await send({ name: 'slow', group: 'busy', sleepMs: 2_500 });
    const begun = await message('slow', 'begun');
    await send({ name: 'quick', group: 'free' });
    const quick = await message('quick', 'ended');
    const slow = await message('slow', 'ended');
    expect(numberOf(quick, 'atMs')).toBeLessThan(numberOf(slow, 'atMs'));
    expect(quick.pid).not.toBe(begun.pid);
    const processes = await functionProcesses(deployed().emulator);
    expect(processes.map(({ pid }) => String(pid))).toEqual(expect.arrayContaining([quick.pid, slow.pid]));
  });

  describe.concurrent('of its queue', () => {
    test('is given a batch again whose answer names a message that is not in it', async () => {
      const { send, message } = world();
      await send({ name: 'misnamed', group: 'misnamed', wrongId: true });
      const again = await message('misnamed', 'ended', 2);
      expect(again.messageId).toBe((await message('misnamed', 'ended', 1)).messageId);
    });

    test('is given a batch again whose process was killed half-way', async () => {
      const { send, message, rows, messageKey, output } = world();
      await send({ name: 'killed', group: 'killed', sleepMs: 1_500 });
      const begun = await message('killed', 'begun');
      const victim = (await functionProcesses(deployed().emulator)).find(({ pid }) => String(pid) === begun.pid);
      expect(victim).toMatchObject({ function: output('function'), busy: true });
      process.kill(victim?.pid ?? 0, 'SIGKILL');
      const again = await message('killed', 'ended', 2);
      expect(again.pid).not.toBe(begun.pid);
      expect((await rows(messageKey('killed'))).map(({ sk }) => sk)).not.toContain('ended#1');
    });
  });

  test('goes on in a process that was held, after its messages were given to another', async () => {
    const { sqs, send, message, output } = world();
    const visibleAfter = (seconds: number) =>
      sqs.send(new SetQueueAttributesCommand({ QueueUrl: output('queueUrl'), Attributes: { VisibilityTimeout: String(seconds) } }));
    await visibleAfter(1);
    await send({ name: 'held', group: 'held', sleepMs: 200 });
    const begun = await message('held', 'begun');
    process.kill(Number(begun.pid), 'SIGSTOP');
    try {
      const again = await message('held', 'ended', 2);
      expect(again.pid).not.toBe(begun.pid);
    } finally {
      process.kill(Number(begun.pid), 'SIGCONT');
      await visibleAfter(4);
    }
    const late = await message('held', 'ended', 1);
    expect(late.pid).toBe(begun.pid);
  });

  test('does not wait for log lines that a function does not write', async () => {
    const { emulator } = deployed();
    const path = `${emulator.endpoint}/2015-03-31/functions/${world().output('function')}/invocations`;
    const invoke = async () => {
      const startedAtMs = performance.now();
      const answer = await fetch(path, { method: 'POST', body: JSON.stringify({ act: 'nothing', execution: 'none', retry: 0 }) });
      await answer.arrayBuffer();
      return performance.now() - startedAtMs;
    };
    let quickestMs = await invoke();
    for (let tries = 0; tries < 20; tries += 1) quickestMs = Math.min(quickestMs, await invoke());
    expect(quickestMs).toBeLessThan(45);
  });

  describe.concurrent('with a state machine', () => {
    test('catches the error of a function by its name, and its process lives on', async () => {
      const { start, rows } = world();
      const execution = await start('throw');
      const { status, output } = await execution.ended();
      expect(status).toBe('SUCCEEDED');
      expect(errorOf(output).Error).toBe('BarrierLost');
      expect(JSON.parse(errorOf(output).Cause)).toMatchObject({ errorType: 'BarrierLost', errorMessage: 'the barrier is gone' });
      const [thrown] = await rows(`task#${execution.name}`);
      const processes = await functionProcesses(deployed().emulator);
      expect(processes.map(({ pid }) => String(pid))).toContain(thrown?.pid);
    });

    test('fails a task with a token at once when its function throws', async () => {
      const { status, output, tookMs } = await (await world().start('token-throw')).ended();
      expect(status).toBe('SUCCEEDED');
      expect(errorOf(output).Error).toBe('BarrierLost');
      expect(tookMs).toBeLessThan(12_000);
    });

    test('goes on when the token is answered, though the function still runs', async () => {
      const { start, sfn } = world();
      const execution = await start('token-early');
      await sfn.send(new SendTaskSuccessCommand({ taskToken: await execution.token(0), output: '"early"' }));
      const answeredAtMs = Date.now();
      const { output } = await execution.ended();
      expect(output.result).toBe('early');
      expect(Date.now() - answeredAtMs).toBeLessThan(2_500);
    });

    test('misses a heartbeat, and is content with one', async () => {
      const { start, sfn } = world();
      const [silent, beating] = await Promise.all([start('heartbeat'), start('heartbeat')]);
      const token = await beating.token(0);
      for (let beats = 0; beats < 10; beats += 1) {
        await sleep(500);
        await sfn.send(new SendTaskHeartbeatCommand({ taskToken: token }));
      }
      await sfn.send(new SendTaskSuccessCommand({ taskToken: token, output: '"alive"' }));
      expect((await beating.ended()).output.result).toBe('alive');
      expect(errorOf((await silent.ended()).output).Error).toBe('States.HeartbeatTimeout');
    });

    test('takes a timeout from its input', async () => {
      const { status, output, tookMs } = await (await world().start('timeout-path', { timeoutSeconds: 2 })).ended();
      expect(status).toBe('SUCCEEDED');
      expect(errorOf(output).Error).toBe('States.Timeout');
      expect(tookMs).toBeLessThan(10_000);
    });

    test('has a new token for each try, so that a late answer to the first completes nothing', async () => {
      const { start, sfn } = world();
      const execution = await start('token-again');
      const first = await execution.token(0);
      const second = await execution.token(1);
      expect(second).not.toBe(first);
      const late = sfn.send(new SendTaskSuccessCommand({ taskToken: first, output: '"late"' }));
      await expect(late).rejects.toMatchObject({ name: expect.stringMatching(/^Task(?:DoesNotExist|TimedOut)$/) as string });
      await sfn.send(new SendTaskSuccessCommand({ taskToken: second, output: '"in time"' }));
      expect((await execution.ended()).output.result).toBe('in time');
    });

    test('pauses between tries no longer than the definition allows', async () => {
      const { status, tookMs } = await (await world().start('short-pauses')).ended(30_000);
      expect(status).toBe('SUCCEEDED');
      // 1 s and 2 s; without the bound 1 s and 20 s.
      expect(tookMs).toBeGreaterThan(2_900);
      expect(tookMs).toBeLessThan(15_000);
    });
  });

  test('is seen by the number of its requests, by function, service and operation; and makes none while it is idle', async () => {
    const { emulator } = deployed();
    const { send, message, output } = world();
    await requestCounts(emulator, { restart: true });
    await send({ name: 'counted', group: 'counted' });
    await message('counted', 'ended');
    // The row is there a little before the function returns.
    const once = [{ function: output('function'), outcome: 'ok', count: 1 }];
    await expect.poll(async () => (await requestCounts(emulator)).invocations, { timeout: 5_000 }).toEqual(once);
    const { requests } = await requestCounts(emulator);
    const own = requests.filter(({ caller }) => caller === output('function'));
    expect(own).toMatchObject([{ service: 'dynamodb', operation: 'PutItem', status: 200, count: 2 }]);
    expect(own[0]?.sentBytes).toBeGreaterThan(100);
    expect(requests.filter(({ caller }) => caller === 'test').map(({ operation }) => operation)).toContain('SendMessage');

    await requestCounts(emulator, { restart: true });
    await sleep(2_000);
    expect(await requestCounts(emulator)).toEqual({ requests: [], invocations: [] });
  });

  test('is deployed again with a change, and keeps what its table holds', async () => {
    await deployed().deployAgain({ context: { visibilitySeconds: '7' } });
    const { sqs, message, output } = world();
    const command = new GetQueueAttributesCommand({ QueueUrl: output('queueUrl'), AttributeNames: ['VisibilityTimeout'] });
    expect((await sqs.send(command)).Attributes).toEqual({ VisibilityTimeout: '7' });
    expect((await message('first', 'ended')).sk).toBe('ended#1');
  });

  test('is destroyed with all that it has', async () => {
    const { sqs, dynamodb, output } = world();
    await deployed().destroy();
    await expect(dynamodb.send(new DescribeTimeToLiveCommand({ TableName: output('table') }))).rejects.toThrow('not found');
    await expect(sqs.send(new GetQueueAttributesCommand({ QueueUrl: output('queueUrl') }))).rejects.toThrow('does not exist');
  });
});

describeDeployed('a deployed app with IAM enforced', { app, auth: true, stock }, (deployed) => {
  const world = () => smallWorld(deployed());

  test('may do what its role is granted: single messages in batches, and no more', async () => {
    const { start, waitForRows, output } = world();
    const allowed = await start('batch');
    expect(await allowed.ended()).toMatchObject({ status: 'SUCCEEDED', output: { result: { failed: 0 } } });
    await waitForRows(`message#${allowed.name}`, 2);
    const { requests } = await requestCounts(deployed().emulator);
    const own = requests.filter(({ caller }) => caller === output('function')).map(({ operation, status }) => `${operation} ${status}`);
    expect(own).toEqual(['PutItem 200', 'SendMessageBatch 200']);
  });

  test('is refused what its role is not granted, by the name of the action', async () => {
    const { error, cause } = await (await world().start('forbidden')).ended();
    expect(error).toBe('AccessDeniedException');
    expect(cause).toContain('dynamodb:DeleteItem');
  });
});
