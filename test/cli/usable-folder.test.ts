import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { usableFolder } from '../../lib/cli/usable-folder.ts';
import { TestIo } from './test-io.ts';

let io: TestIo;

beforeEach(() => {
  io = new TestIo();
  io.folder = mkdtempSync(join(tmpdir(), 'sluice-data-dir-'));
  writeFileSync(join(io.folder, 'file'), '');
  mkdirSync(join(io.folder, 'folder'));
});

afterEach(() => rmSync(io.folder, { recursive: true }));

test.each(['folder', 'new', 'new/inside/new', '.'])('a data directory may be there or not: %s', (path) => {
  expect(usableFolder(io, 'data directory', path)).toBe(join(io.folder, path));
  expect(readdirSync(io.folder).sort(), 'nothing is made by looking').toEqual(['file', 'folder']);
});

test.each(['file', 'file/inside', 'file/inside/it'])(
  'a file, or what would be in one, is refused before anything runs: %s',
  async (path) => {
    expect(() => usableFolder(io, 'data directory', path)).toThrow(
      expect.objectContaining({
        code: 'SLUICE-FOLDER-UNUSABLE',
        message: expect.stringContaining(`${join(io.folder, 'file')} is a file`),
      }),
    );
    const { exitCode, err } = await io.run('run', 'examples/readme/job.ts', '--data-dir', path);
    expect([exitCode, err]).toEqual([1, expect.stringMatching(/^error SLUICE-FOLDER-UNUSABLE: .*\n {2}next: {2}Name another folder/)]);
  },
);

test('a folder that may not be written to is refused, but for a superuser, who may', () => {
  mkdirSync(join(io.folder, 'read-only'), { mode: 0o555 });
  const look = (): string => usableFolder(io, 'data directory', 'read-only/data');
  if (process.getuid?.() === 0) expect(look()).toBe(join(io.folder, 'read-only/data'));
  else expect(look).toThrow(expect.objectContaining({ code: 'SLUICE-FOLDER-UNUSABLE' }));
});

test.each(['savepoint', 'stop'])('%s asks no server to write to a file', async (command) => {
  const { exitCode, err } = await io.run(command, 'a'.repeat(32), 'file', '--server', 'http://127.0.0.1:9');
  expect([exitCode, err]).toEqual([1, expect.stringContaining(`the directory for savepoints ${join(io.folder, 'file')} cannot be used: `)]);
});

test('a run is not begun where its savepoints could not be written', async () => {
  const { exitCode, err } = await io.run('run', 'examples/readme/job.ts', '--savepoint-dir', 'file/savepoints');
  expect([exitCode, err]).toEqual([1, expect.stringMatching(/^error SLUICE-FOLDER-UNUSABLE: the directory for savepoints /)]);
});
