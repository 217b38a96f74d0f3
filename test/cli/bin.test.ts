import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { spawn } from 'node:child_process';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { exited, oldNode, spawnSluice } from './spawn-sluice.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-bin-'));
});

afterEach(() => rmSync(folder, { recursive: true }));

describe('under an older Node', () => {
  test('the command runs itself again under the pinned one, with its arguments, streams and exit code', async () => {
    const asOldNode = { asOldNode: true, folder };
    expect(await spawnSluice(['--version'], asOldNode)).toMatchObject({ exitCode: 0, out: '0.1.0\n', err: '' });
    const missing = await spawnSluice(['plan', 'gone.ts'], asOldNode);
    expect(missing).toMatchObject({ exitCode: 1, out: '', err: expect.stringContaining('SLUICE-JOB-MISSING') });
    expect((await spawnSluice(['fly'], asOldNode)).exitCode).toBe(2);
  });

  test('the command says what to do where the pinned one was not installed', async () => {
    mkdirSync(join(folder, 'bin'));
    cpSync(join(root, 'bin/sluice.mjs'), join(folder, 'bin/sluice.mjs'));
    const args = ['--import', oldNode, join(folder, 'bin/sluice.mjs'), '--version'];
    const { exitCode, err, out } = await exited(spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] }));
    expect([exitCode, out]).toEqual([1, '']);
    expect(err).toContain('error SLUICE-NODE-VERSION: Sluice runs on Node 24, and this is 20.19.0');
    expect(err).toContain('next:  Run `npm rebuild node --ignore-scripts=false`');
  });
});

test('the command writes no warning of its own', async () => {
  const { err } = await spawnSluice(['--help'], { env: { NODE_OPTIONS: '' } });
  expect(err).toBe('');
});

test('a reader that goes away is no error', async () => {
  const child = spawn('sh', ['-c', `"${process.execPath}" bin/sluice.mjs --help | head -1; sleep 0.2`], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  expect(await exited(child)).toMatchObject({ out: 'Usage: sluice [options] [command]\n', err: '' });
});
