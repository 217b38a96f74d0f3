import { SFNClient } from '@aws-sdk/client-sfn';
import { beforeEach, describe, expect, test } from 'vitest';
import { createStepFunctionsSignal } from '../../../lib/adapters/step-functions/coordinator-signal.ts';
import { executionName } from '../../../lib/adapters/step-functions/execution-name.ts';
import { createStepFunctionsFlowStarter } from '../../../lib/adapters/step-functions/flow-starter.ts';
import { flowsOfExecution } from '../../../lib/coordinator/flow-names.ts';
import type { CoordinatorSignal, FlowStarter } from '../../../lib/ports/system.ts';
import { clientConfig, jsonError } from './fake-service.ts';
import { FakeStepFunctions } from './fake-step-functions.ts';

const machine = (flow: string): string => `arn:aws:states:eu-west-1:000000000000:stateMachine:sluice-job-${flow}`;
const flows = ['checkpoint', 'savepoint', 'stop'];
let fake: FakeStepFunctions;
let signal: CoordinatorSignal;
let starter: FlowStarter;

beforeEach(() => {
  fake = new FakeStepFunctions();
  const client = new SFNClient(clientConfig(fake.service));
  signal = createStepFunctionsSignal(client);
  starter = createStepFunctionsFlowStarter({
    client,
    stateMachineArn: (flow) => (flows.includes(flow) ? machine(flow) : undefined),
    flowsOf: flowsOfExecution,
  });
});

describe('a task token of Step Functions', () => {
  test('takes one answer, and is gone for the next', async () => {
    fake.waiting.add('token');
    expect(await signal.succeed('token', { checkpoint: 7 })).toBe('taken');
    expect(await signal.fail('token', { code: 'CHECKPOINT_DECLINED', cause: 'no' })).toBe('gone');
    expect(fake.answers).toEqual([['SendTaskSuccess', { output: '{"checkpoint":7}' }]]);
    expect(fake.service.take()).toEqual(['SendTaskSuccess', 'SendTaskFailure']);
  });

  test('is gone where nobody knows it, and where it never was one', async () => {
    expect([await signal.succeed('unknown', 1), await signal.succeed('not one', 1)]).toEqual(['gone', 'gone']);
  });

  test('whose answer was lost has been answered', async () => {
    fake.waiting.add('token');
    fake.service.inject('SendTaskFailure', 'lost-answer');
    expect(await signal.fail('token', { code: 'CHECKPOINT_EXPIRED', cause: 'late' })).toBe('gone');
    expect(fake.answers).toEqual([['SendTaskFailure', { error: 'CHECKPOINT_EXPIRED', cause: 'late' }]]);
  });

  test('is not gone because of a throttle, or a refusal', async () => {
    fake.waiting.add('token');
    fake.service.inject('SendTaskSuccess', () => jsonError('ThrottlingException'));
    expect(await signal.succeed('token', undefined)).toBe('taken');
    expect(fake.answers).toEqual([['SendTaskSuccess', { output: 'null' }]]);
    fake.service.inject('SendTaskSuccess', ...[1, 2, 3].map(() => () => jsonError('ThrottlingException')));
    await expect(signal.succeed('token', 1)).rejects.toMatchObject({ code: 'SLUICE-AWS-THROTTLED', retryable: true });
    fake.service.inject('SendTaskSuccess', () => jsonError('AccessDeniedException'));
    await expect(signal.succeed('token', 1)).rejects.toMatchObject({ code: 'SLUICE-AWS-REFUSED' });
  });

  test('takes 256 KiB of output and no more, and long failures are cut', async () => {
    fake.waiting.add('token').add('other');
    await expect(signal.succeed('token', 'ä'.repeat(131_072))).rejects.toMatchObject({ code: 'SLUICE-INVARIANT' });
    expect(fake.service.take()).toEqual([]);
    expect(await signal.succeed('token', 'ä'.repeat(131_071))).toBe('taken');
    await signal.fail('other', { code: 'x'.repeat(300), cause: 'y'.repeat(40_000) });
    const [, failure] = fake.answers[1] as [string, { error: string; cause: string }];
    expect([failure.error.length, failure.cause.length]).toEqual([256, 32_768]);
  });
});

describe('a flow on Step Functions', () => {
  test('is started once under a name, on the machine of that flow', async () => {
    expect(await starter.start('savepoint', 'savepoint-1', { job: 'j' })).toBe('started');
    expect([...fake.executions]).toEqual([[`${machine('savepoint').replace('stateMachine', 'execution')}:savepoint-1`, { input: '{"job":"j"}', status: 'RUNNING' }]]); // prettier-ignore
    expect(await starter.start('savepoint', 'savepoint-1', { job: 'other' })).toBe('exists');
    expect(fake.service.take()).toEqual(['StartExecution', 'StartExecution']);
  });

  test('is running until it has ended, and one that nobody knows is not', async () => {
    await starter.start('checkpoint', 'chk-1', {});
    expect(await starter.isRunning('chk-1')).toBe(true);
    for (const execution of fake.executions.values()) execution.status = 'FAILED';
    expect(await starter.isRunning('chk-1')).toBe(false);
    expect(await starter.start('checkpoint', 'chk-1', {})).toBe('exists');
    fake.service.take();
    expect(await starter.isRunning('chk-2')).toBe(false);
    expect(fake.service.take()).toEqual(['DescribeExecution']);
  });

  test('that a person has started under any name is running in one of the flows that people start', async () => {
    for (const name of ['0b7c7c7a-5f0e-4d5c-9e53-000000000000', 'stop-on-friday', 'savepoint-before-we-stop']) {
      await starter.start('stop', name, {});
      expect(await starter.isRunning(name)).toBe(true);
    }
    expect(await starter.isRunning('nobody')).toBe(false);
  });

  test('that was started by a request whose answer was lost is started', async () => {
    fake.service.inject('StartExecution', 'lost-answer');
    expect(await starter.start('checkpoint', 'chk-1', {})).toBe('started');
    expect(fake.executions.size).toBe(1);
  });

  test('is not taken for one that runs, or does not, when the question is not answered', async () => {
    fake.service.inject('DescribeExecution', ...[1, 2, 3].map(() => () => jsonError('ThrottlingException')));
    await expect(starter.isRunning('chk-1')).rejects.toMatchObject({ code: 'SLUICE-AWS-THROTTLED' });
    fake.service.inject('StartExecution', () => jsonError('StateMachineDoesNotExist'));
    await expect(starter.start('checkpoint', 'chk-1', {})).rejects.toMatchObject({ name: 'StateMachineDoesNotExist' });
    await expect(starter.start('unknown', 'unknown-1', {})).rejects.toMatchObject({ code: 'SLUICE-INVARIANT' });
  });

  test('has the name that it was given, or one that says the same in 80 characters and stays so', async () => {
    const job = 'a'.repeat(32);
    const plain = `savepoint-${job}-${job}`;
    expect(executionName(plain)).toBe(plain);
    const long = [
      `manual-checkpoint-${job}-${job}`,
      `manual-checkpoint-${job}-${'a'.repeat(31)}b`,
      'with space',
      'with/slash',
      'with:slash',
    ];
    const names = long.map(executionName);
    expect(new Set(names).size).toBe(long.length);
    for (const [i, name] of names.entries()) {
      expect(name).toMatch(/^[A-Za-z0-9._-]{1,80}$/);
      expect(name.slice(0, 4)).toBe(long[i]!.slice(0, 4));
      expect(executionName(name)).toBe(name);
    }
    await starter.start('savepoint', `savepoint-${'x'.repeat(100)}`, {});
    expect(await starter.isRunning(`savepoint-${'x'.repeat(100)}`)).toBe(true);
  });
});
