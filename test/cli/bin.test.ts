import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
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

  describe('the command says what to do where the pinned one', () => {
    beforeEach(() => {
      mkdirSync(join(folder, 'bin'));
      cpSync(join(root, 'bin/sluice.mjs'), join(folder, 'bin/sluice.mjs'));
    });

    async function errorText(): Promise<string> {
      const args = ['--import', oldNode, join(folder, 'bin/sluice.mjs'), '--version'];
      const { exitCode, err, out } = await exited(spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] }));
      expect([exitCode, out]).toEqual([1, '']);
      expect(err).toContain('error SLUICE-NODE-VERSION: Sluice runs on Node 24 or newer, and this is 20.19.0\n');
      return err;
    }

    function putNodePackage(version: string): void {
      mkdirSync(join(folder, 'node_modules/node'), { recursive: true });
      writeFileSync(join(folder, 'node_modules/node/package.json'), JSON.stringify({ name: 'node', version }));
    }

    test('is not there, in an installed package', async () => {
      const err = await errorText();
      expect(err).toContain('  cause: the npm package `node`, which has one, is not installed here\n');
      expect(err).toContain('  next:  Use Node 24, or install one beside Sluice: `npm install node@24');
    });

    test('was installed without its scripts, in the repository', async () => {
      mkdirSync(join(folder, 'lib'));
      putNodePackage('24.21.0');
      const err = await errorText();
      expect(err).toContain('  cause: the binary of the npm package `node` is not there; it was installed without scripts\n');
      expect(err).toContain('  next:  Run `npm rebuild node --ignore-scripts=false`, or use Node 24.\n');
    });

    test('is too old itself', async () => {
      putNodePackage('22.18.0');
      expect(await errorText()).toContain('  cause: the npm package `node` that is installed is 22.18.0\n');
    });
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
