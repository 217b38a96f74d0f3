import { describe, expect, test } from 'vitest';
import { defaultCheckpointSettings } from '../../lib/checkpoint/checkpoint-settings.ts';
import { checkpointSettings, type RunOptions } from '../../lib/cli/run-options.ts';
import type { JobConfiguration } from '../../lib/model/job-configuration.ts';
import { collectSink, compileJob, defineJob, fromCollection, seconds, type CheckpointOptions, type CompiledJob } from '../../lib/index.ts';

const none: RunOptions = { set: {}, define: {}, allowNonRestoredState: false, port: 0, json: false, verbose: false };

function jobWith(options: CheckpointOptions, intervalMs = seconds(5), configuration: JobConfiguration = {}): CompiledJob {
  const job = defineJob({
    name: 'numbers',
    configuration,
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
    expect(checkpointSettings(none, {})).toEqual(defaultCheckpointSettings);
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
    expect(checkpointSettings(none, { checkpointing })).toEqual(ofJob);
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
    expect(checkpointSettings(line, { checkpointing })).toEqual({
      ...defaultCheckpointSettings,
      intervalMs: 2_000,
      timeoutMs: 60_000,
      maxConcurrent: 2,
      unaligned: true,
      alignedTimeoutMs: 70,
    });
  });

  test("by Flink's names are below the code in the job, and above it on the command line, where its own options hold last", () => {
    const configuration: JobConfiguration = {
      'execution.checkpointing.interval': '1 min',
      'execution.checkpointing.timeout': '2 min',
      'execution.checkpointing.min-pause': '3 s',
      'execution.checkpointing.tolerable-failed-checkpoints': 4,
      'state.checkpoints.num-retained': 5,
    };
    const job = jobWith({ timeoutMs: 60_000, minPauseMs: 100, tolerableFailedCheckpoints: 3 }, seconds(5), configuration);
    const ofJob = {
      ...defaultCheckpointSettings,
      intervalMs: 5_000,
      timeoutMs: 60_000,
      minPauseMs: 100,
      tolerableFailures: 3,
      retained: 5,
    };
    expect(checkpointSettings(none, job)).toEqual(ofJob);
    const define: JobConfiguration = {
      'execution.checkpointing.min-pause': '7 s',
      'execution.checkpointing.tolerable-failed-checkpoints': '8',
      'execution.checkpointing.num-retained': '9',
    };
    expect(checkpointSettings({ ...none, define }, job)).toEqual({ ...ofJob, minPauseMs: 7_000, tolerableFailures: 8, retained: 9 });
    const line: RunOptions = { ...none, define, checkpointMinPause: '1s' };
    expect(checkpointSettings(line, job)).toEqual({ ...ofJob, minPauseMs: 1_000, tolerableFailures: 8, retained: 9 });
  });

  test('of the configuration that contradict each other are refused as those of the command line are', () => {
    const configuration = { 'execution.checkpointing.min-pause': '5 ms', 'execution.checkpointing.max-concurrent-checkpoints': 2 };
    expect(() => checkpointSettings(none, { configuration })).toThrowError(
      expect.objectContaining({ code: 'SLUICE-CHECKPOINT-OPTIONS', message: expect.stringContaining('minPauseMs above 0') }),
    );
  });

  test('are no part of the plan: with others the job just goes on', () => {
    const { planHash } = jobWith({ numRetained: 9 });
    expect(jobWith({}, 77).planHash).toBe(planHash);
    expect(jobWith({}, 77, { 'execution.checkpointing.timeout': '1 min' }).planHash).toBe(planHash);
  });

  test.each([
    [{ minPauseMs: 5, maxConcurrentCheckpoints: 2 }, 'minPauseMs above 0 needs maxConcurrent 1'],
    [{ maxConcurrentCheckpoints: 9 }, 'maxConcurrent is 9'],
    [{ numRetained: 0 }, 'retained is 0'],
    [{ unaligned: true, mode: 'at-least-once' as const }, 'unaligned needs mode exactly-once'],
    [{ mode: 'at-most-once' as 'at-least-once' }, 'mode is at-most-once'],
    [{ externalizedCheckpointRetention: 'never' as 'retain-on-cancellation' }, 'retentionOnCancellation is never'],
  ])('that cannot be are refused by name: %j', (options, text) => {
    const check = (): unknown => checkpointSettings(none, jobWith(options));
    expect(check).toThrowError(expect.objectContaining({ code: 'SLUICE-CHECKPOINT-OPTIONS', message: expect.stringContaining(text) }));
  });
});
