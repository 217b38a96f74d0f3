import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { spawnSluice } from './spawn-sluice.ts';

/** Outside the repository: what a job file needs is not installed there. */
let folder: string;

const job = (body: string): string => `
import { collectSink, defineJob, fromCollection, parameter, noWatermarks } from 'sluice';
export const job = defineJob({
  name: 'counting',
  parameters: { limit: parameter.integer({ default: 5, min: 1 }) },
  build(env, { limit }: { limit: number }) { ${body} },
});
`;

const files: Readonly<Record<string, string>> = {
  'good.ts': job(
    "env.fromSource(fromCollection([1, 2, 3].slice(0, limit)), { watermarks: noWatermarks() }).uid('numbers').sinkTo(collectSink('all')).uid('all');",
  ),
  'throws-on-load.ts': "throw new Error('the database is gone');\n",
  'throws-in-build.ts': job("throw new TypeError('not today');"),
  'async-build.ts': job('').replace('build(env', 'async build(env'),
  'never-ends.ts': `${job('')}\nawait new Promise(() => {});\n`,
  'async-map.ts': job(
    "env.fromSource(fromCollection([1]), { watermarks: noWatermarks() }).uid('one').map(async (n) => n).uid('late').sinkTo(collectSink('all')).uid('all');",
  ),
  'leaves-behind.ts': job(
    "env.fromSource(fromCollection([1]), { watermarks: noWatermarks() }).uid('one').map((n) => (void Promise.reject(new Error('too late')), n)).uid('late').sinkTo(collectSink('all')).uid('all');",
  ),
  'no-export.ts': 'export const other = 1;\n',
  'other-export.ts': "export const job = { name: 'job' };\n",
  'enum.ts': 'enum Colour { Red }\nexport const job = Colour.Red;\n',
  'missing-import.ts': "import { x } from 'no-such-package';\nexport const job = x;\n",
  'syntax.ts': 'export const name = 1;\nexport const job = (;\n',
  'imports-syntax.ts': "import './syntax.ts';\n",
  'wrong-import.ts': "import { nope } from './no-export.ts';\nexport const job = nope;\n",
  'without-extension.ts': "import './good';\n",
  // A superuser may read everything: the error is thrown as Node throws it.
  'throws-no-access.ts': "throw Object.assign(new Error('EACCES: permission denied'), { code: 'EACCES' });\n",
  'throws-text.ts': "throw 'no reason';\n",
  'default-export.ts': `${job('')}\nexport { job as default };\n`.replace('export const', 'const'),
  'other-name.ts': job('').replace('export const job', 'export const sales'),
  'modules.js': "import { defineJob } from 'sluice';\nexport const job = defineJob({ name: 'empty', build() {} });\n",
  'package.json': '{ "type": "commonjs" }',
  'job.py': 'print("job")\n',
  'plain.mjs': "import { defineJob } from 'sluice';\nexport const job = defineJob({ name: 'empty', build() {} });\n",
};

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-jobs-'));
  mkdirSync(join(folder, 'jobs'));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, 'jobs', name), text);
});

afterAll(() => rmSync(folder, { recursive: true }));

async function plan(file: string, ...more: readonly string[]) {
  return spawnSluice(['plan', join('jobs', file), ...more], { folder });
}

describe('a job file', () => {
  test('anywhere on the disk may import sluice', async () => {
    const { exitCode, out, err } = await plan('good.ts', '--json');
    expect([exitCode, err]).toEqual([0, '']);
    expect(JSON.parse(out)).toMatchObject({ plan: { name: 'counting', parameters: { limit: '5' } } });
  });

  test('is an ES module also where the package says CommonJS, as `npm init` does', async () => {
    mkdirSync(join(folder, 'common'), { recursive: true });
    writeFileSync(join(folder, 'common/package.json'), JSON.stringify({ type: 'commonjs' }));
    writeFileSync(
      join(folder, 'common/job.ts'),
      files['good.ts']!.replace('[1, 2, 3]', 'three').replace('import', "import { three } from './three.ts';\nimport"),
    );
    writeFileSync(join(folder, 'common/three.ts'), 'export const three: readonly number[] = [1, 2, 3];\n');
    const { exitCode, err } = await spawnSluice(['plan', 'common/job.ts'], { folder });
    expect([exitCode, err]).toEqual([0, '']);
  });

  test('takes parameters, also more than one, and prints its plan in three forms', async () => {
    expect((await plan('good.ts', '--set', 'limit=2', '--json')).out).toContain('"limit": "2"');
    expect((await plan('good.ts', '--format', 'mermaid')).out).toMatch(/^flowchart LR\n/);
    expect((await plan('good.ts')).out).toMatch(/^job counting, plan [0-9a-f]{12}\n/);
  });

  test.each([
    ['that is not there', 'gone.ts', 'SLUICE-JOB-MISSING', 'there is no file jobs/gone.ts', 'Name the file'],
    ['that is a folder', '.', 'SLUICE-JOB-MISSING', 'jobs is a folder', 'Name the file'],
    ['of another language', 'job.py', 'SLUICE-JOB-MISSING', 'job.py is no TypeScript or JavaScript file', 'Name the file'],
    ['that throws while it is loaded', 'throws-on-load.ts', 'SLUICE-JOB-MODULE', 'the database is gone', 'it threw while it was loaded'],
    ['that may not be read', 'throws-no-access.ts', 'SLUICE-JOB-MODULE', 'EACCES', 'Look at the permissions'],
    ['that throws no error', 'throws-text.ts', 'SLUICE-JOB-MODULE', 'could not be loaded: no reason', 'it threw while it was loaded'],
    ['that needs code generation', 'enum.ts', 'SLUICE-JOB-MODULE', 'enum', 'Node only strips types'],
    ['that imports what is not installed', 'missing-import.ts', 'SLUICE-JOB-MODULE', "package 'no-such-package'", 'Install the package'],
    ['that imports without an extension', 'without-extension.ts', 'SLUICE-JOB-MODULE', 'good', 'a relative import has its extension'],
    ['that imports what is not exported', 'wrong-import.ts', 'SLUICE-JOB-MODULE', "'nope'", 'Correct the file'],
    ['that is no TypeScript', 'syntax.ts', 'SLUICE-JOB-MODULE', 'Expression expected', 'Correct the syntax.'],
    ['of JavaScript in a CommonJS package', 'modules.js', 'SLUICE-JOB-MODULE', 'import statement', 'Name the file .mjs or .ts'],
    ['that exports no job', 'no-export.ts', 'SLUICE-JOB-EXPORT', 'exports no job\n', 'export const job'],
    ['that exports it by default', 'default-export.ts', 'SLUICE-JOB-EXPORT', 'exports no job\n', 'in place of the default export'],
    ['that calls it otherwise', 'other-name.ts', 'SLUICE-JOB-EXPORT', 'exports no job\n', 'in place of `sales`'],
    ['whose job is something else', 'other-export.ts', 'SLUICE-JOB-EXPORT', 'its export `job` is something else', 'export const job'],
    ['whose build function throws', 'throws-in-build.ts', 'SLUICE-JOB-BUILD-FAILED', 'not today', ''],
    ['an async build function', 'async-build.ts', 'SLUICE-JOB-BUILD-FAILED', 'it is async', 'Correct the job file'],
    ['one that never ends', 'never-ends.ts', 'SLUICE-JOB-MODULE', 'a top-level await in it never ends', 'Let what is awaited end'],
    ['whose graph is empty', 'plain.mjs', 'SLUICE-GRAPH-INVALID', 'empty', ''],
  ])('%s is a coded error', async (_what, file, code, text, next) => {
    const { exitCode, err, out } = await plan(file);
    expect([exitCode, out]).toEqual([1, '']);
    expect(err).toContain(`error ${code}: `);
    expect(err).toContain(text);
    expect(/\n {2}next: {2}(.*)\n$/.exec(err)?.[1]).toContain(next);
  });

  test.each(['syntax.ts', 'imports-syntax.ts'])('that cannot be read is shown where it cannot: %s', async (file) => {
    const { err } = await plan(file);
    expect(err).toMatch(/cause: Expression expected\n +.*jobs\/syntax\.ts:2\n +export const name = 1;\n +export const job = \(;\n +\^\n/);
  });

  test('that throws says where', async () => {
    const { err } = await plan('throws-on-load.ts');
    expect(err).toMatch(/cause: the database is gone\n +at .*throws-on-load\.ts:1:7/);
  });

  test('with wrong parameters names all of them', async () => {
    const { exitCode, out } = await plan('good.ts', '--set', 'limit=no', '--set', 'colour=red', '--json');
    expect([exitCode, JSON.parse(out)]).toMatchObject([
      1,
      {
        error: {
          code: 'SLUICE-PARAMETERS-INVALID',
          facts: { faults: [expect.stringContaining('colour'), expect.stringContaining('limit')] },
        },
      },
    ]);
  });

  test('with an async function is told that there are none', async () => {
    const { exitCode, err } = await spawnSluice(['run', join('jobs', 'async-map.ts'), '--port', '0'], { folder });
    expect([exitCode, err]).toEqual([
      3,
      expect.stringMatching(/error SLUICE-VALUE-UNSUPPORTED: [^]*next: {2}The functions of a job are not async/),
    ]);
  });

  test('that leaves a promise behind which fails ends with code and place', async () => {
    const { exitCode, err } = await spawnSluice(['run', join('jobs', 'leaves-behind.ts'), '--port', '0'], { folder });
    expect([exitCode, err]).toEqual([
      1,
      expect.stringMatching(/error SLUICE-UNCAUGHT: .*too late\n {2}cause: too late\n +at .*leaves-behind\.ts:6:/),
    ]);
  });
});
