import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, describe, expect, test } from 'vitest';
import { CrashCoverage } from './crash-coverage/crash-coverage.ts';
import { impossible } from './crash-coverage/fault-kinds.ts';
import { codeToCover } from './crash-coverage/port-calls.ts';

const script = join(import.meta.dirname, '../../scripts/sim-coverage.ts');

/** By a Node of its own: where a call stands is read off the stack, and Vitest runs other text than what is in the files. */
async function measured(...options: readonly string[]): Promise<Record<string, unknown>> {
  const { stdout } = await promisify(execFile)(process.execPath, [script, '--json', ...options], { maxBuffer: 1 << 26 }).catch(
    // An exit code says that something is missing; what, is printed.
    (error: unknown) => error as { stdout: string },
  );
  return JSON.parse(stdout) as Record<string, unknown>;
}

const { calls, otherAwaits } = codeToCover();

describe('what there is to cover', () => {
  test('is every call of a port in the protocol’s code, each by a name of its own', () => {
    const names = calls.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(names).toContain('lib/runtime/commit.ts commit shards.commit #1');
    expect(names).toContain('lib/coordinator/receive-message.ts takeAcknowledgement jobs.read #2');
    expect(calls.length).toBeGreaterThan(100);
  });

  test('leaves no await out: each is on a port or on what is ours, and leads to ports', () => {
    expect(otherAwaits).toEqual([]);
  });

  test('has few pairs that cannot be, each of a call that there is, with the reason', () => {
    for (const { call, why } of impossible) {
      expect(calls.map(({ name }) => name)).toContain(call);
      expect(why.length).toBeGreaterThan(40);
    }
  });
});

describe('in a folder with planted code', () => {
  let folder: string | undefined;

  afterEach(async () => {
    if (folder !== undefined) await rm(folder, { recursive: true });
  });

  async function plant(files: Readonly<Record<string, string>>): Promise<string> {
    folder = await mkdtemp(join(tmpdir(), 'planted-'));
    for (const [name, text] of Object.entries(files)) {
      await mkdir(dirname(join(folder, name)), { recursive: true });
      await writeFile(join(folder, name), text);
    }
    return folder;
  }

  test('calls are found and told apart, mutants are none, and an await on something else is told', async () => {
    const base = await plant({
      'lib/ports/store.ts': 'export interface Store { read(key: string): Promise<string>; name(): string }',
      'lib/runtime/planted.ts': `import type { Store } from '../ports/store.ts';
declare function mutated(name: string): boolean;
export const twice = async ({ store }: { store: Store }, some: Promise<string>): Promise<void> => {
  await store.read(store.name());
  await Promise.all(['a', 'b'].map((key) => store.read(key)));
  if (mutated('planted')) await store.read('c');
  await (mutated('planted') ? store.read('d') : twice({ store }, some));
  await some;
};
`,
    });
    const found = codeToCover(['lib/runtime'], base);
    expect(found.calls).toEqual([
      { name: 'lib/runtime/planted.ts twice store.read #1', method: 'read', place: 'lib/runtime/planted.ts:4:15' },
      { name: 'lib/runtime/planted.ts twice store.read #2', method: 'read', place: 'lib/runtime/planted.ts:5:51' },
    ]);
    expect(found.otherAwaits).toEqual(['lib/runtime/planted.ts:8:9: some']);
  });
});

describe('crash coverage', () => {
  test('of a call that nothing reaches is missing, with every kind of fault', () => {
    const planted = {
      name: 'lib/runtime/planted.ts planted messages.sendBatch #1',
      method: 'sendBatch',
      place: 'lib/runtime/planted.ts:1:1',
    };
    const coverage = new CrashCoverage([planted], 'six kinds');
    coverage.watch({ at: () => 'error', service: () => undefined, disturbance: () => undefined }).at('function.messages.sendBatch', 0);
    coverage.credit([{ site: 'function.messages.sendBatch', occurrence: 0, kind: 'error' }]);
    const { pairs, hit, missing } = coverage.report();
    expect([pairs, hit]).toEqual([6, 0]);
    expect(missing).toContain(`${planted.name} × error or partial`);
    expect(missing).toContain(`${planted.name} × zombie-before or zombie-after`);
  });

  test('is not whole after a few runs, and says what is missing', { timeout: 120_000 }, async () => {
    const { missing, crashCoverage } = await measured('--six', '--runs', '3');
    expect(crashCoverage).toBeGreaterThan(0.02);
    expect(crashCoverage).toBeLessThan(0.2);
    expect(missing).toContain('lib/savepoint/import-savepoint.ts importUnit objects.createIfAbsent #1 × zombie-before or zombie-after');
  });

  test(
    'of six kinds is whole: every call has been hit by a crash before and after, a lost answer or a call done twice, an error, a stall and a zombie',
    { timeout: 600_000 },
    async () => {
      const { violations, missing, crashCoverage, list } = await measured('--six');
      expect({ violations, missing, list }).toEqual({ violations: 0, missing: [], list: [] });
      expect(crashCoverage).toBe(1);
    },
  );

  test('of single faults: each of them is hit in a run of its own', { timeout: 600_000 }, async () => {
    const report = await measured('--exhaust', '--topology', 'chain', '--part', '11/90');
    expect(report).toMatchObject({ violations: 0, crashCoverage: 1, list: [] });
    expect(report['runs']).toBeGreaterThan(30);
  });
});
