import { describe, expect, test } from 'vitest';
import { sluice } from './test-io.ts';

const commands = [
  'run',
  'sim',
  'plan',
  'list',
  'savepoint',
  'stop',
  'checkpoint',
  'checkpoint-config',
  'cancel',
  'restore',
  'dead-letters',
  'audit',
  'inspect',
];

describe('help', () => {
  test('lists every command, with examples', async () => {
    const { exitCode, out, err } = await sluice('--help');
    expect([exitCode, err]).toEqual([0, '']);
    for (const command of commands) expect(out).toMatch(new RegExp(`^  ${command} `, 'm'));
    expect(out).toContain('Examples:\n  $ sluice run');
  });

  test.each(commands)('of %s has an example of it, and --json', async (command) => {
    const { exitCode, out } = await sluice(command, '--help');
    expect(exitCode).toBe(0);
    expect(out).toMatch(new RegExp(`Examples:\n  \\$ sluice ${command}\\b`));
    expect(out).toContain('--json');
  });

  test('says a default only where it says something', async () => {
    const { out } = await sluice('run', '--help');
    expect(out).toContain('(exactly-once,');
    expect(out.replace(/\s+/g, ' ')).toContain('of the HTTP API; the next free one where it is taken, 0 = any (default: 8081)');
    expect(out).not.toMatch(/default: (?:false|\{|")/);
  });

  test('the version is that of the package', async () => {
    expect(await sluice('--version')).toEqual({ exitCode: 0, out: '0.1.0\n', err: '' });
    expect(await sluice('-v')).toEqual({ exitCode: 0, out: '0.1.0\n', err: '' });
  });
});

describe('a wrong usage has exit code 2 and says what is wrong', () => {
  test.each([
    [['fly'], "unknown command 'fly'"],
    [['rum', 'job.ts'], "unknown command 'rum' (Did you mean run?)"],
    [['run', 'job.ts', '--data-dir', ''], 'A path is wanted.'],
    [['run', 'job.ts', '--from-savepoint', ''], 'A path is wanted.'],
    [['run'], "missing required argument 'job-file'"],
    [['list', '--colour'], "unknown option '--colour'"],
    [['run', 'job.ts', '--parallelism', '0'], 'A whole number from 1 to 999999999 is wanted.'],
    [['run', 'job.ts', '--port', '70000'], 'A number from 0 to 65535 is wanted.'],
    [['run', 'job.ts', '--checkpoint-mode', 'at-most-once'], 'Allowed choices are exactly-once, at-least-once.'],
    [['run', 'job.ts', '--checkpoint-interval', '5'], '--checkpoint-interval is "5", which is no duration'],
    [['plan', 'job.ts', '--set', 'limit'], '--set limit is no parameter'],
    [['plan', 'job.ts', '--set', '=5'], '--set =5 is no parameter'],
    [['plan', 'job.ts', '--set', 'a=1', '--set', 'a=2'], '--set a is given twice'],
  ] as const)('%j', async (args, text) => {
    const { exitCode, out, err } = await sluice(...args);
    expect([exitCode, out]).toEqual([2, '']);
    expect(err).toMatch(/^error SLUICE-USAGE: /);
    expect(err).toContain(text);
    expect(err).toContain('\n  next:  ');
  });

  test('the command’s own help is named', async () => {
    expect((await sluice('run', 'job.ts', '--fast')).err).toContain('next:  `sluice run --help` shows what it takes.');
    expect((await sluice('program')).err).toContain('next:  `sluice --help` shows what it takes.');
  });

  test('where no command is given the help says which there are', async () => {
    const { exitCode, out, err } = await sluice();
    expect([exitCode, out, err]).toEqual([2, '', expect.stringContaining('Commands:\n  run ')]);
  });

  test('as JSON too', async () => {
    const { exitCode, out, err } = await sluice('list', '--colour', '--json');
    expect([exitCode, err]).toEqual([2, '']);
    expect(JSON.parse(out)).toMatchObject({
      error: { code: 'SLUICE-USAGE', message: expect.stringContaining('--colour'), hint: expect.any(String) },
    });
  });
});

test('an interval that no checkpoint can keep is refused before anything runs', async () => {
  for (const interval of ['1ms', '0s', '366d']) {
    const { exitCode, err } = await sluice('run', 'job.ts', '--checkpoint-interval', interval);
    expect([exitCode, err]).toEqual([
      1,
      expect.stringContaining(`error SLUICE-CHECKPOINT-OPTIONS: --checkpoint-interval is ${interval}, `),
    ]);
  }
});
