/** Options by Flink's names: what is read, and what is said of those that cannot be. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { defaultCheckpointSettings, withOptions } from '../../lib/checkpoint/checkpoint-settings.ts';
import { readConfiguration } from '../../lib/checkpoint/read-configuration.ts';
import { absentOptions } from '../../lib/checkpoint/unknown-options.ts';
import type { SluiceError } from '../../lib/base/errors.ts';
import type { JobCheckpointing } from '../../lib/model/checkpoint-options.ts';
import type { JobConfiguration } from '../../lib/model/job-configuration.ts';

/** Also keys and values that the types do not let through: `-D` does. */
type Given = Readonly<Record<string, unknown>>;

const read = (job: Given, commandLine: Given = {}) => readConfiguration(job, commandLine);
const checkpointing = (job: Given): JobCheckpointing => read(job).checkpointing.ofJob;
const prefix = 'execution.checkpointing.';

function faultsOf(job: Given, commandLine: Given = {}): readonly string[] {
  try {
    read(job, commandLine);
  } catch (error) {
    const { code, message, facts } = error as SluiceError;
    expect(code).toBe('SLUICE-CONFIGURATION-INVALID');
    const faults = facts['faults'] as readonly string[];
    for (const fault of faults) expect(message).toContain(fault);
    return faults;
  }
  return [];
}

describe('checkpoint options by Flink’s names', () => {
  test('are read as Flink writes them, and none is lost on the way to the settings', () => {
    const every: JobConfiguration = {
      'execution.checkpointing.interval': '10 s',
      'execution.checkpointing.mode': 'AT_LEAST_ONCE',
      'execution.checkpointing.timeout': '5 min',
      'execution.checkpointing.min-pause': 250,
      'execution.checkpointing.max-concurrent-checkpoints': 3,
      'execution.checkpointing.tolerable-failed-checkpoints': '2',
      'execution.checkpointing.externalized-checkpoint-retention': 'RETAIN_ON_CANCELLATION',
      'execution.checkpointing.unaligned.enabled': true,
      'execution.checkpointing.aligned-checkpoint-timeout': '1500',
      'execution.checkpointing.num-retained': 4,
    };
    expect(withOptions(defaultCheckpointSettings, checkpointing(every))).toEqual({
      intervalMs: 10_000,
      mode: 'at-least-once',
      timeoutMs: 300_000,
      minPauseMs: 250,
      maxConcurrent: 3,
      tolerableFailures: 2,
      retentionOnCancellation: 'retain',
      unaligned: true,
      alignedTimeoutMs: 1_500,
      retained: 4,
    });
  });

  test.each([
    ['interval', '30 sec', { intervalMs: 30_000 }],
    ['interval', '2 MINUTES', { intervalMs: 120_000 }],
    ['interval', ' 10 ', { intervalMs: 10 }],
    ['interval', '365 d', { intervalMs: 31_536_000_000 }],
    ['mode', 'exactly-once', { mode: 'exactly-once' }],
    ['mode', 'Exactly_Once', { mode: 'exactly-once' }],
    ['externalized-checkpoint-retention', 'delete-on-cancellation', { externalizedCheckpointRetention: 'delete-on-cancellation' }],
    ['unaligned.enabled', 'FALSE', { unaligned: false }],
    ['tolerable-failed-checkpoints', '0', { tolerableFailedCheckpoints: 0 }],
    ['interval', undefined, {}],
  ])('%s may be %j', (name, value, options) => {
    expect(checkpointing({ [prefix + name]: value })).toEqual(options);
  });

  test.each([
    ['execution.checkpointing.unaligned', 'true', { unaligned: true }, 'execution.checkpointing.unaligned.enabled'],
    [
      'execution.checkpointing.alignment-timeout',
      '1 s',
      { alignedCheckpointTimeoutMs: 1_000 },
      'execution.checkpointing.aligned-checkpoint-timeout',
    ],
    ['state.checkpoints.num-retained', 3, { numRetained: 3 }, 'execution.checkpointing.num-retained'],
  ])('have their older name %s too, but not both at once', (old, value, options, name) => {
    expect(checkpointing({ [old]: value })).toEqual(options);
    expect(faultsOf({ [old]: value, [name]: value })).toEqual([`${old} and ${name} are the same option`]);
  });

  test.each([
    ['interval', 9, 'a duration from 10 ms to 8760 h, such as 10s'],
    ['interval', '366 d', 'a duration from 10 ms to 8760 h, such as 10s'],
    ['interval', '', 'a duration from 10 ms to 8760 h, such as 10s'],
    ['interval', null, 'a duration from 10 ms to 8760 h, such as 10s'],
    ['timeout', 'soon', 'a duration from 10 ms to 8760 h, such as 10s'],
    ['min-pause', '-1', 'a duration from 0 ms to 8760 h, such as 10s'],
    ['aligned-checkpoint-timeout', '1 fortnight', 'a duration from 0 ms to 8760 h, such as 10s'],
    ['mode', 'AT_MOST_ONCE', 'EXACTLY_ONCE or AT_LEAST_ONCE'],
    ['max-concurrent-checkpoints', 9, 'a whole number from 1 to 8'],
    ['num-retained', 0, 'a whole number from 1 to 16'],
    ['tolerable-failed-checkpoints', '1.5', 'a whole number from 0 to 9007199254740991'],
    ['unaligned.enabled', 'yes', 'true or false'],
    [
      'externalized-checkpoint-retention',
      'NO_EXTERNALIZED_CHECKPOINTS',
      'DELETE_ON_CANCELLATION or RETAIN_ON_CANCELLATION (docs/checkpoints.md says why there is no other)',
    ],
  ])('%s cannot be %j, and what it can be is said', (name, value, wanted) => {
    expect(faultsOf({ [prefix + name]: value })).toEqual([`${prefix}${name} is ${value}, ${wanted} is wanted`]);
  });
});

describe('a job and a command line', () => {
  test('are read apart; what the command line says replaces the job’s, under either name of the option', () => {
    const job = { 'state.checkpoints.num-retained': 'many', 'execution.checkpointing.timeout': '1 min', 'restart-strategy.type': 'none' };
    const line = { 'execution.checkpointing.num-retained': '3', 'restart-strategy.type': 'fixed-delay' };
    expect(read(job, line)).toEqual({
      restart: { type: 'fixed-delay', attempts: 1, delayMs: 1_000 },
      checkpointing: { ofJob: { timeoutMs: 60_000 }, ofCommandLine: { numRetained: 3 } },
    });
  });

  test('are told all that is wrong with both, with restart strategies too, in one error', () => {
    const job = { 'execution.checkpointing.mode': 'sometimes', 'restart-strategy.type': 'maybe', 'state.checkpoints.num-retained': 99 };
    const line = { 'execution.checkpointing.interval': '0', 'execution.checkpointing.incremental': 'true', 'no.such.option': '1' };
    expect(faultsOf(job, line)).toEqual([
      'restart-strategy.type is maybe; none, fixed-delay, failure-rate and exponential-delay are possible',
      'execution.checkpointing.mode is sometimes, EXACTLY_ONCE or AT_LEAST_ONCE is wanted',
      'state.checkpoints.num-retained is 99, a whole number from 1 to 16 is wanted',
      'execution.checkpointing.interval is 0, a duration from 10 ms to 8760 h, such as 10s is wanted',
      'execution.checkpointing.incremental is not there: docs/checkpoints.md says why',
      'there is no option no.such.option',
    ]);
  });
});

describe('an option that is not there', () => {
  test.each([
    ['execution.checkpointing.intervall', 'execution.checkpointing.interval'],
    ['execution.checkpointing.min_pause', 'execution.checkpointing.min-pause'],
    ['checkpointing.timeout', 'execution.checkpointing.timeout'],
    ['restart-strategy.typ', 'restart-strategy.type'],
  ])('but nearly is one that is: %s', (key, meant) => {
    expect(faultsOf({ [key]: 1 })).toEqual([`there is no option ${key}; ${meant} is meant?`]);
  });

  test.each(['execution.checkpointing.xyz', 'parallelism.default', '__proto__', 'constructor'])(
    'nor anything near it is just that: %s',
    (key) => {
      expect(faultsOf(Object.fromEntries([[key, 1]]))).toEqual([`there is no option ${key}`]);
    },
  );

  test.each([...absentOptions, 'execution.checkpointing.file-merging.max-file-size', 'execution.checkpointing.local-backup.dirs'])(
    'because it is not wanted, %s, has its reason in the docs',
    (key) => {
      expect(faultsOf({ [key]: 'true' })).toEqual([`${key} is not there: docs/checkpoints.md says why`]);
    },
  );

  test('for that reason is named there', () => {
    const page = readFileSync(new URL('../../docs/checkpoints.md', import.meta.url), 'utf8');
    const names = absentOptions.map((key) => key.replace(/^execution\.(checkpointing|state-recovery)\./, ''));
    expect(names.filter((name) => !page.includes(`\`${name}\``) && !page.includes(`\`${name}.*\``))).toEqual([]);
  });

  test.each([
    ['execution.checkpointing.dir', '--data-dir'],
    ['state.checkpoints.dir', '--data-dir'],
    ['execution.checkpointing.savepoint-dir', '--savepoint-dir'],
    ['state.savepoints.dir', '--savepoint-dir'],
    ['execution.state-recovery.path', '--from-savepoint'],
    ['execution.state-recovery.ignore-unclaimed-state', '--allow-non-restored-state'],
  ])('because a run has it, %s, is shown its place', (key, option) => {
    expect(faultsOf({ [key]: 'x' })).toEqual([`${key} is given as ${option} on the command line`]);
  });
});
