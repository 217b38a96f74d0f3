import { beforeEach, describe, expect, test } from 'vitest';
import { createProgress, progressLine, type Progress } from '../../lib/cli/progress.ts';
import { createRunReport } from '../../lib/cli/run-report.ts';
import { createStatusLine } from '../../lib/cli/status-line.ts';
import { createPresentProblems } from '../../lib/local/present-problems.ts';
import { startedWorld, type ApiWorld } from '../api/api-world.ts';
import { job } from '../checkpoint/fixture.ts';
import { counter, sink, source } from '../checkpoint/plans.ts';
import { TestIo } from './test-io.ts';

let world: ApiWorld;

beforeEach(async () => {
  world = await startedWorld();
});

describe('progress', () => {
  test('counts what the sources have read, and per second since the sample before', async () => {
    const sample = createProgress(world.control, job, () => world.time.clock.monotonic());
    await world.putShard(source, 0, { recordsIn: 1_000, recordsOut: 5 });
    await world.putShard(counter, 0, { recordsIn: 77 });
    expect(await sample()).toMatchObject({ records: 1_000, recordsPerS: null, status: 'RUNNING' });
    await world.time.advance(2_000);
    await world.putShard(source, 1, { recordsIn: 5_000 });
    expect(await sample()).toMatchObject({ records: 6_000, recordsPerS: 2_500 });
  });

  test('has no rate where no time has passed', async () => {
    const sample = createProgress(world.control, job, () => 0);
    await sample();
    expect(await sample()).toMatchObject({ recordsPerS: null });
  });

  test('has no negative rate where a restore has put the sources back', async () => {
    const sample = createProgress(world.control, job, () => world.time.clock.monotonic());
    await world.putShard(source, 0, { recordsIn: 1_000 });
    await sample();
    await world.time.advance(1_000);
    await world.putShard(source, 0, { recordsIn: 10, version: 2 });
    expect(await sample()).toMatchObject({ records: 10, recordsPerS: 0 });
  });

  test('has the event time that every shard has reached', async () => {
    const sample = createProgress(world.control, job, () => 0);
    const shards = [
      [source, 0],
      [source, 1],
      [counter, 0],
      [counter, 1],
      [counter, 2],
      [sink, 0],
    ] as const;
    expect((await sample())?.eventTime).toBeNull();
    for (const [uid, shard] of shards) await world.putShard(uid, shard, { watermark: Date.UTC(2001, 0, 1) + shard });
    expect((await sample())?.eventTime).toBe('2001-01-01T00:00:00.000Z');
    for (const [uid, shard] of shards) await world.putShard(uid, shard, { watermark: 9_007_199_254_740_991, version: 2 });
    expect((await sample())?.eventTime).toBe('end');
    await world.putShard(sink, 0, { watermark: 9e15, version: 3 });
    expect((await sample())?.eventTime).toBe('9000000000000000');
  });

  test('has checkpoints and the size of the state', async () => {
    const sample = createProgress(world.control, job, () => 0);
    expect((await sample())?.checkpoints).toEqual({ completed: 0, failed: 0, lastMs: null });
    await world.dirty();
    await world.advance(2_000);
    expect(await sample()).toMatchObject({ checkpoints: { completed: 1, failed: 0, lastMs: expect.any(Number) }, stateBytes: 1_800 });
  });

  test('of an unknown job is nothing', async () => {
    expect(await createProgress(world.control, 'f'.repeat(32) as typeof job, () => 0)()).toBeUndefined();
  });

  test('is one line for people', () => {
    const progress: Progress = {
      status: 'RUNNING',
      records: 1_234_567,
      recordsPerS: 412_000,
      eventTime: '2001-01-01T00:00:00.000Z',
      checkpoints: { completed: 12, failed: 1, lastMs: 1_250 },
      stateBytes: 1_200_000,
      deadLetters: 0,
      problems: [],
    };
    expect(progressLine('flights', progress)).toBe(
      'flights  1,234,567 records  412,000/s  event time 2001-01-01 00:00  12 checkpoints (1.3 s), 1 failed  state 1.2 MB',
    );
    const first: Progress = {
      ...progress,
      status: 'RESTARTING',
      eventTime: null,
      checkpoints: { completed: 0, failed: 0, lastMs: null },
      stateBytes: 0,
    };
    expect(progressLine('flights', first)).toBe('flights RESTARTING  1,234,567 records  412,000/s  event time -  0 checkpoints  state 0 B');
    expect(progressLine('flights', { ...first, eventTime: 'end' })).toContain('  event time end  ');
    const problem = { code: 'SLUICE-OUTPUT-FAILED', message: 'm', hint: 'h', sinceMs: 1, tries: 3 };
    expect(progressLine('flights', { ...progress, problems: [problem] })).toMatch(/^flights {2}TRIES AGAIN SLUICE-OUTPUT-FAILED {2}1,234/);
    const one = { ...first, records: 1, recordsPerS: null, checkpoints: { completed: 1, failed: 0, lastMs: 5 } };
    expect(progressLine('flights', one)).toBe('flights RESTARTING  1 record  event time -  1 checkpoint (5 ms)  state 0 B');
  });
});

describe('a problem that is tried again', () => {
  test('is told when it begins with what to do, not with every sample, and when it is over', () => {
    const io = new TestIo();
    const report = createRunReport(io, 'flights', false);
    const progress: Progress = {
      status: 'RUNNING',
      records: 1,
      recordsPerS: null,
      eventTime: null,
      checkpoints: { completed: 0, failed: 0, lastMs: null },
      stateBytes: 0,
      deadLetters: 0,
      problems: [],
    };
    const problem = {
      code: 'SLUICE-OUTPUT-FAILED',
      message: 'the disk is full',
      hint: 'Make room.',
      operator: 'files',
      shard: 0,
      sinceMs: 1,
      tries: 3,
    };
    for (const problems of [[], [problem], [{ ...problem, tries: 9 }], []]) report.progress({ ...progress, problems });
    expect(io.errText.split('\n').filter((line) => !line.startsWith('flights'))).toEqual([
      'problem SLUICE-OUTPUT-FAILED: the disk is full',
      '  cause: operator files, shard 0: tried 3 times, and tried again until it works',
      '  next:  Make room.',
      'SLUICE-OUTPUT-FAILED is over, the job goes on',
      '',
    ]);
  });

  test('is shown from the third try on, until it has passed', () => {
    let nowMs = 5;
    const board = createPresentProblems({ now: () => nowMs++, monotonic: () => 0 });
    const problem = { code: 'c', message: 'm', hint: 'h', operator: 'files', shard: 1 };
    for (let tries = 1; tries < 3; tries++) board.met('files/1', problem);
    expect(board.list()).toEqual([]);
    board.met('files/1', { ...problem, message: 'another' });
    expect(board.list()).toEqual([{ ...problem, message: 'another', sinceMs: 5, tries: 3 }]);
    board.passed('files/1');
    expect(board.list()).toEqual([]);
  });
});

describe('the status line', () => {
  test('on a terminal is written in place, cut to its width, below what is logged', () => {
    const io = new TestIo();
    io.isTerminal = true;
    const line = createStatusLine(io);
    line.show('x'.repeat(100));
    line.print('a warning\n');
    line.end();
    line.end();
    const cleared = '\r\u001b[2K';
    const cut = 'x'.repeat(59);
    expect(io.errText).toBe(`${cleared}${cut}${cleared}a warning\n${cut}\n`);
  });

  test('elsewhere is a line now and then', () => {
    const io = new TestIo();
    let nowMs = 0;
    const line = createStatusLine(Object.assign(io, { clock: { now: () => nowMs, monotonic: () => nowMs } }));
    for (; nowMs <= 11_000; nowMs += 1_000) line.show(`at ${nowMs}`);
    line.print('a warning\n');
    expect(io.errText).toBe('at 0\nat 5000\nat 10000\na warning\n');
  });
});
