import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '../..');

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function run(script: string, ...args: readonly string[]): Promise<Ended> {
  return promisify(execFile)(process.execPath, [join(root, script), ...args], { cwd: root }).then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    (error: unknown) => error as Ended,
  );
}

const scripts: readonly string[] = [
  ...['sim', 'sim-long', 'sim-coverage', 'sim-mutants', 'sim-nodes', 'demo'].map((name) => `scripts/${name}.ts`),
  ...['main', 'aws-cost'].map((name) => `bench/${name}.ts`),
];

test.each(scripts)(
  '%s refuses an option that it does not know with a line, and tells its options',
  { timeout: 120_000 },
  async (script) => {
    const [refused, helped] = await Promise.all([run(script, '--wrong'), run(script, '--help')]);
    expect(refused).toMatchObject({ code: 2, stdout: '', stderr: "Unknown option '--wrong'\n  next:  --help says what there is\n" });
    expect(helped).toMatchObject({ code: 0, stderr: '', stdout: expect.stringMatching(/^npm (?:run|start) .*--/) as string });
  },
);

test.each([
  ['scripts/sim.ts', '--seeds', 'many'],
  ['scripts/sim.ts', '--topology', 'none'],
  ['scripts/sim.ts', '--minutes', '-1'],
  ['scripts/sim-long.ts', '--processes', '1.5'],
  ['scripts/sim-mutants.ts', 'no-such-rule', '--json'],
  ['scripts/sim-coverage.ts', '--runs', ''],
])('%s %s %s is refused in the same way', { timeout: 120_000 }, async (script, ...args) => {
  const { code, stdout, stderr } = await run(script, ...args);
  expect([code, stdout, stderr]).toEqual([2, '', expect.stringMatching(/^.+\n {2}next: {2}--help says what there is\n$/)]);
});
