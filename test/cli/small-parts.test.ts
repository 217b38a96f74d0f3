import { describe, expect, test } from 'vitest';
import { formatBytes, formatCount, table } from '../../lib/cli/amounts.ts';
import { formatDuration, parseDuration } from '../../lib/cli/durations.ts';
import { folderOf, savepointDirectory } from '../../lib/cli/folders.ts';
import { errorText, reportOf } from '../../lib/cli/report-error.ts';
import { watchStop } from '../../lib/cli/stop-signals.ts';
import { watchControl } from '../../lib/cli/watched-control.ts';
import { SluiceError } from '../../lib/base/errors.ts';
import { startedWorld } from '../api/api-world.ts';
import { job } from '../checkpoint/fixture.ts';
import { TestIo } from './test-io.ts';

describe('durations', () => {
  test.each([
    ['500ms', 500],
    ['1s', 1_000],
    ['1.5 s', 1_500],
    ['10min', 600_000],
    ['2m', 120_000],
    ['1h', 3_600_000],
    ['1d', 86_400_000],
  ])('%s is %i ms', (text, ms) => {
    expect(parseDuration('--x', text)).toBe(ms);
  });

  test.each(['', '1', 's', '-1s', '1e3s', '1 year', 'Infinitys'])('%j is none', (text) => {
    expect(() => parseDuration('--x', text)).toThrow(expect.objectContaining({ code: 'SLUICE-USAGE' }));
  });

  test.each([
    [0, '0 ms'],
    [850, '850 ms'],
    [3_240, '3.2 s'],
    [250_000, '4 min 10 s'],
    [7_260_000, '2 h 1 min'],
  ])('%i ms is shown as %s', (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });
});

test('amounts are rounded as people read them', () => {
  expect([0, 999, 1_000, 1_234_567, 123_456_789, 5e15].map(formatBytes)).toEqual(['0 B', '999 B', '1.0 KB', '1.2 MB', '123 MB', '5000 TB']);
  expect(formatCount(1_234_567.4)).toBe('1,234,567');
  expect(
    table([
      ['A', 'LONG'],
      ['longer', 'b'],
    ]),
  ).toBe('A       LONG\nlonger  b\n');
});

test('folders are taken from where the command is called, and URIs as they are', () => {
  const io = new TestIo();
  io.folder = '/at';
  expect(['sp', '/sp', 'file:///sp', 'file:/sp', 'file:sp'].map((text) => folderOf(io, text))).toEqual([
    '/at/sp',
    '/sp',
    '/sp',
    '/sp',
    '/at/sp',
  ]);
  expect(['sp', '/sp', 's3://bucket/sp', 'file:///sp'].map((text) => savepointDirectory(io, text))).toEqual([
    '/at/sp',
    '/sp',
    's3://bucket/sp',
    'file:///sp',
  ]);
});

describe('an error', () => {
  test('is shown as code, what happened, cause and what to do next', () => {
    const cause = new Error('the disk is full');
    const error = new SluiceError('SLUICE-X', 'it broke', { hint: 'Repair it.\nThen try again.', cause });
    const text = errorText(reportOf(error));
    expect(text).toMatch(/^error SLUICE-X: it broke\n {2}cause: the disk is full\n/);
    expect(text).toMatch(/\n {2}next: {2}Repair it\.\n {9}Then try again\.\n$/);
  });

  test('of ours that has none is a fault, with its stack', () => {
    expect(reportOf(new TypeError('undefined is not a function'))).toMatchObject({
      code: 'SLUICE-UNEXPECTED',
      message: 'undefined is not a function',
      cause: expect.stringContaining('small-parts.test.ts'),
    });
    expect(reportOf('text')).toMatchObject({ code: 'SLUICE-UNEXPECTED', message: 'text' });
  });

  test('shows causes of causes', () => {
    const cause = new Error('outer', { cause: Object.assign(new Error('inner'), { code: 'ENOSPC' }) });
    expect(errorText(reportOf(new SluiceError('SLUICE-X', 'it broke', { hint: 'Repair it.', cause })))).toMatch(/because: ENOSPC: inner/);
  });
});

describe('the first signal asks, the second one kills', () => {
  test('but what comes at once is the same one', async () => {
    const io = new TestIo();
    let nowMs = 0;
    let asked = 0;
    const watch = watchStop(Object.assign(io, { clock: { now: () => nowMs, monotonic: () => nowMs } }), () => asked++);
    io.signal('SIGINT');
    nowMs = 100;
    io.signal('SIGINT');
    expect([asked, io.killed]).toEqual([1, []]);
    nowMs = 500;
    io.signal('SIGTERM');
    expect(io.killed).toEqual([143]);
    expect(await watch.stopped).toBe('SIGINT');
    watch.end();
    expect(io.listens).toBe(false);
  });
});

test('an operation is unread until its end has been read', async () => {
  const world = await startedWorld();
  const { control, unread } = watchControl(world.control);
  const triggered = await control.triggerStop(job, { trigger: null, directory: '/sp', mode: 'suspend' });
  if (triggered.outcome !== 'accepted') throw new Error(triggered.outcome);
  await control.operation(job, triggered.trigger);
  expect(unread()).toBe(1);
  await world.advance(5_000);
  expect(await control.operation(job, triggered.trigger)).toMatchObject({ status: 'COMPLETED' });
  expect(unread()).toBe(0);
  world.savepointDirectory = null;
  await watchControl(world.control).control.triggerSavepoint(job, { trigger: null, directory: null, then: 'run-on' });
  expect(unread()).toBe(0);
});
