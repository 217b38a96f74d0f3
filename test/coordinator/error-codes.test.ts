import { describe, expect, test } from 'vitest';
import { SluiceError } from '../../lib/base/errors.ts';
import { completeCheckpoint } from '../../lib/coordinator/complete-checkpoint.ts';
import { readObject } from '../../lib/coordinator/coordinator-deps.ts';
import { readOperation } from '../../lib/coordinator/operation-log.ts';
import { committerOf, publishCompleted } from '../../lib/coordinator/publish-parts.ts';
import { restoreCheckpoint } from '../../lib/coordinator/restore-requests.ts';
import { decodeValue } from '../../lib/model/value-json.ts';
import { sendControl } from '../../lib/coordinator/send-control.ts';
import { checkpointFlowName, startWhenDue } from '../../lib/coordinator/start-checkpoint.ts';
import { triggerCheckpoint } from '../../lib/coordinator/trigger-checkpoint.ts';
import { readJob, updateJob } from '../../lib/coordinator/update-job.ts';
import type { JobId } from '../../lib/base/ids.ts';
import { change } from '../../lib/checkpoint/transition.ts';
import { job } from '../checkpoint/fixture.ts';
import { counter, planOf, sink } from '../checkpoint/plans.ts';
import { CoordinatorWorld } from './coordinator-world.ts';

const withCode = (code: string): Error => expect.objectContaining({ code }) as Error;

async function started(): Promise<CoordinatorWorld> {
  const world = new CoordinatorWorld();
  await world.start();
  return world;
}

describe('a step fails with a code', () => {
  test('SLUICE-JOB-UNKNOWN and SLUICE-OPERATION-UNKNOWN for what does not exist', async () => {
    const { deps } = await started();
    await expect(readJob(deps, 'f'.repeat(32) as JobId)).rejects.toThrowError(withCode('SLUICE-JOB-UNKNOWN'));
    await expect(readOperation(deps, { job, trigger: 'nobody' })).rejects.toThrowError(withCode('SLUICE-OPERATION-UNKNOWN'));
  });

  test('SLUICE-OBJECT-MISSING for an object that a record names', async () => {
    const { deps } = await started();
    await expect(readObject(deps, 'jobs/x/manifests/y')).rejects.toThrowError(withCode('SLUICE-OBJECT-MISSING'));
  });

  test('SLUICE-CONTENTION, retryable, when every write of the job record meets another', async () => {
    const world = await started();
    const busy = {
      ...world.deps,
      jobs: { ...world.stores.jobs, read: () => world.stores.jobs.read(job), replace: async () => 'conflict' as const },
    };
    const write = updateJob(busy as never, job, (record) => change(record, { sweepAtMs: 1 }, 1));
    await expect(write).rejects.toMatchObject({ code: 'SLUICE-CONTENTION', retryable: true });
  });

  test('SLUICE-SEND-FAILED, retryable, when a queue keeps refusing, after what it refuses has been sent again', async () => {
    const sent: number[] = [];
    const queue = (taken: (index: number) => boolean) => ({
      depth: async () => 0,
      sendBatch: async (_: string, messages: readonly unknown[]) => {
        sent.push(messages.length);
        return messages.map((__, index) => taken(index));
      },
    });
    const kick = { kind: 'kick', job, attempt: 1, number: 1 } as const;
    const shards = [0, 1, 2].map((shard) => ({ uid: counter, shard }));
    await expect(
      sendControl(
        queue(() => false),
        kick,
        shards,
      ),
    ).rejects.toMatchObject({ code: 'SLUICE-SEND-FAILED', retryable: true, facts: { count: 3 } });
    sent.length = 0;
    await sendControl(
      queue((index) => index === 0),
      kick,
      shards,
    );
    expect(sent).toEqual([3, 2, 1]);
  });

  test('SLUICE-CONNECTOR-UNKNOWN for a part whose sink the program does not have, and SLUICE-PUBLISH-FAILED around it', async () => {
    const world = await started();
    await world.dirty();
    await world.advance(900);
    const none = { connectors: { sources: {}, sinks: {} } };
    expect(() => committerOf(none, planOf(), sink)).toThrowError(withCode('SLUICE-CONNECTOR-UNKNOWN'));
    const publish = world.collect.publish.bind(world.collect);
    world.collect.publish = async () => Promise.reject(new Error('the bucket is gone'));
    await world.boot();
    await world.advance(1_000);
    expect(await world.record()).toMatchObject({ completed: 1, published: 0 });
    await expect(publishCompleted({ ...world.deps, ...none }, job)).rejects.toMatchObject({
      code: 'SLUICE-PUBLISH-FAILED',
      retryable: true,
    });
    world.collect.publish = publish;
    await world.boot();
    await world.advance(5_000);
    expect(await world.record()).toMatchObject({ completed: 1, published: 1, failures: 0 });
  });

  test('the code of a sink that can never publish, and it ends the job; when it can, the restored job publishes first', async () => {
    const world = await started();
    const publish = world.collect.publish.bind(world.collect);
    const gone = new SluiceError('SLUICE-PART-MISSING', 'somebody removed it', { hint: 'Put it back.', facts: { target: 't' } });
    world.collect.publish = async () => Promise.reject(gone);
    await world.dirty();
    await world.advance(2_000);
    const failed = await world.record();
    expect(failed).toMatchObject({ status: 'FAILED', completed: 1, published: 0, retained: [{ id: 1 }] });
    const failure = decodeValue(Buffer.from((await world.stores.objects.read(failed.failure!))!).toString());
    expect(failure).toMatchObject({
      code: 'SLUICE-PART-MISSING',
      message: 'the output of checkpoint 1 cannot be published: somebody removed it',
      hint: expect.stringMatching(/^Put it back\. Then run the job again/),
    });
    await world.advance(4_000_000);
    expect(await world.stores.flows.running(), 'nothing goes on trying').toEqual([]);
    world.collect.publish = publish;
    const how = { publishedSeen: null, newPlan: null, allowNonRestoredState: false, allowOtherJob: false };
    await restoreCheckpoint(world.deps, { job, trigger: 'again', checkpoint: 'newest', ...how });
    await world.advance(1_000);
    expect(await world.record()).toMatchObject({ status: 'RUNNING', completed: 1, published: 1 });
  });

  test('SLUICE-REFUSED for a checkpoint that was aborted before it could complete', async () => {
    const { deps } = await started();
    const complete = completeCheckpoint(deps, { job, flow: 'gone', checkpoint: 7, attempt: 1 });
    await expect(complete).rejects.toThrowError(withCode('SLUICE-REFUSED'));
  });

  test('SLUICE-POSTPONED to its own flow, which tries again, where the limit of concurrent checkpoints is reached', async () => {
    const world = await started();
    world.mute.add(counter);
    await world.dirty();
    await world.advance(1_100);
    await world.dirty();
    const answers: string[] = [];
    const signal = {
      succeed: async () => 'taken' as const,
      fail: async (_: string, { code }: { readonly code: string }) => (answers.push(code), 'taken' as const),
    };
    const flow = checkpointFlowName(await world.record(), false);
    await triggerCheckpoint({ ...world.deps, signal }, { job, flow, token: 't', kind: 'checkpoint', attempt: 1 });
    expect(answers).toEqual(['SLUICE-POSTPONED']);
    await startWhenDue(world.deps, await world.record(), false);
    expect((await world.record()).pending).toHaveLength(1);
  });
});
