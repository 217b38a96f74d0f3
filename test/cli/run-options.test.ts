import { describe, expect, test } from 'vitest';
import { defaultCheckpointSettings } from '../../lib/checkpoint/checkpoint-settings.ts';
import { checkpointSettings, type RunOptions } from '../../lib/cli/run-options.ts';
import { collectSink, compileJob, defineJob, fromCollection, seconds, type CheckpointOptions, type CompiledJob } from '../../lib/index.ts';

const none: RunOptions = { set: {}, define: {}, allowNonRestoredState: false, port: 0, json: false, verbose: false };

function jobWith(options: CheckpointOptions, intervalMs = seconds(5)): CompiledJob {
  const job = defineJob({
    name: 'numbers',
    build(env) {
      env.enableCheckpointing(intervalMs, options);
      env
        .fromSource(fromCollection([1]))
        .uid('numbers')
        .sinkTo(collectSink('all'))
        .uid('all');
    },
  });
  return compileJob(job);
}

describe('checkpoint options', () => {
  test('are the defaults where neither job nor command line say anything', () => {
    expect(checkpointSettings(none)).toEqual(defaultCheckpointSettings);
  });

  test('of the job hold where the command line says nothing, each by itself', () => {
    const { checkpointing } = jobWith({
      mode: 'at-least-once',
      timeoutMs: 60_000,
      minPauseMs: 100,
      tolerableFailedCheckpoints: 3,
      numRetained: 4,
      externalizedCheckpointRetention: 'retain-on-cancellation',
      alignedCheckpointTimeoutMs: 50,
    });
    const ofJob = {
      intervalMs: 5_000,
      mode: 'at-least-once',
      timeoutMs: 60_000,
      minPauseMs: 100,
      maxConcurrent: 1,
      tolerableFailures: 3,
      retained: 4,
      retentionOnCancellation: 'retain',
      unaligned: false,
      alignedTimeoutMs: 50,
    };
    expect(checkpointSettings(none, checkpointing)).toEqual(ofJob);
    const line: RunOptions = {
      ...none,
      checkpointInterval: '2s',
      checkpointMode: 'exactly-once',
      checkpointMinPause: '0ms',
      maxConcurrentCheckpoints: 2,
      tolerableFailedCheckpoints: 0,
      numRetained: 1,
      externalizedCheckpointRetention: 'delete-on-cancellation',
      unalignedCheckpoints: true,
      alignedCheckpointTimeout: '70ms',
    };
    expect(checkpointSettings(line, checkpointing)).toEqual({
      ...defaultCheckpointSettings,
      intervalMs: 2_000,
      timeoutMs: 60_000,
      maxConcurrent: 2,
      unaligned: true,
      alignedTimeoutMs: 70,
    });
  });

  test('are no part of the plan: with others the job just goes on', () => {
    expect(jobWith({ numRetained: 9 }).planHash).toBe(jobWith({}, 77).planHash);
  });

  test.each([
    [{ minPauseMs: 5, maxConcurrentCheckpoints: 2 }, 'minPauseMs above 0 needs maxConcurrent 1'],
    [{ maxConcurrentCheckpoints: 9 }, 'maxConcurrent is 9'],
    [{ numRetained: 0 }, 'retained is 0'],
    [{ unaligned: true, mode: 'at-least-once' as const }, 'unaligned needs mode exactly-once'],
    [{ mode: 'at-most-once' as 'at-least-once' }, 'mode is at-most-once'],
    [{ externalizedCheckpointRetention: 'never' as 'retain-on-cancellation' }, 'retentionOnCancellation is never'],
  ])('that cannot be are refused by name: %j', (options, text) => {
    const check = (): unknown => checkpointSettings(none, jobWith(options).checkpointing);
    expect(check).toThrowError(expect.objectContaining({ code: 'SLUICE-CHECKPOINT-OPTIONS', message: expect.stringContaining(text) }));
  });
});
