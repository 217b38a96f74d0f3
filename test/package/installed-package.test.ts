/** What a user has who installs the package that `npm pack` makes: the command, the library and its types. Nothing here reads lib/, but for the names that must not be in it. */
import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { mutantRules } from '../../lib/base/mutated.ts';
import { oldNode } from '../cli/spawn-sluice.ts';
import { repositoryFiles, repositoryRoot } from '../tidy/repository.ts';

const run = promisify(execFile);

/** Packed from a copy, so that two test runs at a time do not build into one folder. */
let sources: string;
/** The user's project. */
let project: string;

/** As in a user's shell: nothing of the npm that runs these tests, and its Node first. */
const env = {
  ...Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(?:npm_(?:package|lifecycle|config_local_prefix)|INIT_CWD)/.test(name)),
  ),
  PATH: [dirname(process.execPath), process.env['PATH']].join(delimiter),
};

interface Ran {
  readonly exitCode: number;
  readonly out: string;
  readonly err: string;
}

async function runIn(folder: string, command: string, ...args: readonly string[]): Promise<Ran> {
  try {
    const { stdout, stderr } = await run(command, args, { cwd: folder, env });
    return { exitCode: 0, out: stdout, err: stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as { readonly code: number; readonly stdout: string; readonly stderr: string };
    return { exitCode: code, out: stdout, err: stderr };
  }
}

const inProject = (command: string, ...args: readonly string[]): Promise<Ran> => runIn(project, command, ...args);

const job = `
import { boundedOutOfOrderness, defineJob, minutes, parameter, recordsFrom, recordsTo, tumblingEventTime } from 'sluice';
import { total } from './total.ts';

interface Order {
  readonly shop: string;
  readonly amount: number;
  readonly at: string;
}

export const job = defineJob({
  name: 'sales',
  parameters: { input: parameter.uri({ default: 'orders.ndjson' }), output: parameter.uri({ default: 'out' }) },
  build(env, { input, output }) {
    env
      .fromSource(recordsFrom<Order>(input), { watermarks: boundedOutOfOrderness(minutes(5), (order) => Date.parse(order.at)) })
      .uid('orders')
      .keyBy((order) => order.shop)
      .window(tumblingEventTime(minutes(60)))
      .reduce(total, ({ amount }, { key }) => ({ shop: key, amount }))
      .uid('hourly')
      .sinkTo(recordsTo(output))
      .uid('files');
  },
});
`;

const files: Readonly<Record<string, string>> = {
  // What \`npm init\` writes: jobs are ES modules all the same.
  'package.json': JSON.stringify({ name: 'mine', private: true, type: 'commonjs' }),
  'job.ts': job,
  'total.ts': `
export function total<T extends { readonly amount: number }>(left: T, right: T): T {
  return { ...left, amount: left.amount + right.amount };
}
`,
  'orders.ndjson': [
    { shop: 'Oslo', amount: 20, at: '2026-11-20T09:10:00Z' },
    { shop: 'Oslo', amount: 15, at: '2026-11-20T09:50:00Z' },
    { shop: 'Lima', amount: 7, at: '2026-11-20T10:20:00Z' },
    { shop: 'Oslo', amount: 1, at: '2026-11-20T10:30:00Z' },
  ]
    .map((order) => `${JSON.stringify(order)}\n`)
    .join(''),
  'own-test.mts': `
import { SluiceError, type DataStream } from 'sluice';
import { harnessOf } from 'sluice/testing';

const harness = harnessOf((words: DataStream<string>) => words.map((word) => word.toUpperCase()));
harness.processElement('yes');
console.log(JSON.stringify([harness.output(), SluiceError.name]));
`,
  'app.mts': `
import { App, Stack } from 'aws-cdk-lib';
import { SluiceControlPlane, StreamingJob } from 'sluice/infra';
import { job } from './deployed-job.mts';

const app = new App({ outdir: 'cdk.out' });
const stack = new Stack(app, 'Sales');
const parameters = { input: 's3://my-orders/orders.ndjson', output: 's3://my-totals/out' };
new StreamingJob(stack, 'Job', { controlPlane: new SluiceControlPlane(stack, 'Sluice'), job, entry: './deployed-job.mts', parameters });
app.synth();
`,
  'wrong.ts': "import { minutes } from 'sluice';\nexport const delay: string = minutes(1);\n",
  'tsconfig.json': JSON.stringify({
    compilerOptions: { noEmit: true, strict: true, module: 'nodenext', allowImportingTsExtensions: true, types: [] },
    include: ['job.ts', 'own-test.mts', 'wrong.ts'],
  }),
  // The CDK's own declarations are not ours to check.
  'tsconfig.app.json': JSON.stringify({
    extends: './tsconfig.json',
    compilerOptions: { skipLibCheck: true },
    include: ['app.mts'],
  }),
};

beforeAll(async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-package-'));
  [sources, project] = [join(folder, 'sources'), join(folder, 'project')];
  mkdirSync(project);
  for (const { path } of repositoryFiles()) {
    if (/^(?:bin|lib|functions|infra|docs)\/|^scripts\/strip-mutants\.ts$|^[^/]+$/.test(path))
      cpSync(join(repositoryRoot, path), join(sources, path));
  }
  symlinkSync(join(repositoryRoot, 'node_modules'), join(sources, 'node_modules'), 'dir');
  for (const [name, text] of Object.entries(files)) writeFileSync(join(project, name), text);
  writeFileSync(join(project, 'deployed-job.mts'), job.replace("import { total } from './total.ts';", files['total.ts']!));
  const pack = await runIn(sources, 'npm', 'pack', '--pack-destination', folder);
  expect(pack.exitCode, `${pack.out}${pack.err}`).toBe(0);
  const tarball = readdirSync(folder).find((name) => name.endsWith('.tgz'))!;
  const install = await inProject('npm', 'install', '--prefer-offline', '--no-audit', '--no-fund', join(folder, tarball));
  expect(install.exitCode, install.err).toBe(0);
  // What a project that deploys has beside it; installing it anew would take as long as all the rest.
  for (const peer of ['aws-cdk-lib', 'constructs', 'esbuild', '@esbuild'])
    symlinkSync(join(repositoryRoot, 'node_modules', peer), join(project, 'node_modules', peer), 'dir');
}, 120_000);

afterAll(() => rmSync(dirname(project), { recursive: true, force: true }));

describe('the installed package', () => {
  test('has what it needs and nothing of the repository', () => {
    const installed = join(project, 'node_modules', 'sluice');
    expect(readdirSync(installed).sort()).toEqual(['CHANGELOG.md', 'LICENSE', 'README.md', 'bin', 'dist', 'docs', 'package.json']);
    const sourcesInside = readdirSync(installed, { recursive: true, encoding: 'utf8' }).filter((name) => /(?<!\.d)\.ts$/.test(name));
    expect(sourcesInside).toEqual([]);
  });

  test('has none of the wrong variants of the protocol that the simulator is examined with', () => {
    const dist = join(project, 'node_modules', 'sluice', 'dist');
    const built = readdirSync(dist, { recursive: true, encoding: 'utf8' }).filter((name) => /\.(?:js|ts)$/.test(name));
    expect(built.length).toBeGreaterThan(100);
    const telling = new RegExp(`mutated|[mM]utant|['"](?:${Object.keys(mutantRules).join('|')})['"]`);
    // What bundles a job of this repository takes them out itself.
    built.splice(built.indexOf(join('infra', 'bundle-worker.js')), 1);
    expect(built.filter((name) => telling.test(name) || telling.test(readFileSync(join(dist, name), 'utf8')))).toEqual([]);
  });

  test('says its version', async () => {
    const { version } = JSON.parse(readFileSync(join(repositoryRoot, 'package.json'), 'utf8')) as { readonly version: string };
    expect(await inProject('npx', 'sluice', '--version')).toMatchObject({ exitCode: 0, out: `${version}\n` });
  });

  test('runs a job that stands in a project as `npm init` makes it', async () => {
    const { exitCode, err, out } = await inProject('npx', 'sluice', 'run', 'job.ts', '--data-dir', 'data', '--port', '0');
    expect(exitCode, err).toBe(0);
    expect(out).toMatch(/^job sales is FINISHED after .*: 4 records, 1 checkpoint\n$/);
    expect(err).not.toContain('Warning');
    const lines = readdirSync(join(project, 'out'))
      .filter((name) => !name.startsWith('.'))
      .flatMap((name) =>
        readFileSync(join(project, 'out', name), 'utf8')
          .trimEnd()
          .split('\n'),
      );
    expect(lines.sort()).toEqual(['{"shop":"Lima","amount":7}', '{"shop":"Oslo","amount":1}', '{"shop":"Oslo","amount":35}']);
  });

  test('prints a plan', async () => {
    const { exitCode, err, out } = await inProject('npx', 'sluice', 'plan', 'job.ts', '--json');
    expect(exitCode, err).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ plan: { name: 'sales', parameters: { input: 'orders.ndjson' } } });
  });

  test('is imported by a program of the user', async () => {
    expect(await inProject('node', 'own-test.mts')).toEqual({ exitCode: 0, out: '[["YES"],"SluiceError"]\n', err: '' });
  });

  test('deploys a job with an app of the user’s own: its functions are bundled from the package', { timeout: 60_000 }, async () => {
    const { exitCode, err } = await inProject('node', 'app.mts');
    expect(exitCode, err).toBe(0);
    const cloud = readdirSync(join(project, 'cdk.out'));
    const { Resources: resources } = JSON.parse(readFileSync(join(project, 'cdk.out', 'Sales.template.json'), 'utf8')) as {
      readonly Resources: Readonly<Record<string, { readonly Type: string }>>;
    };
    expect(Object.values(resources).filter(({ Type }) => Type === 'AWS::StepFunctions::StateMachine').length).toBeGreaterThan(5);
    const assets = cloud.filter((name) => name.startsWith('asset.')).map((name) => join(project, 'cdk.out', name));
    const bundle = assets.find((folder) => existsSync(join(folder, 'operator.mjs')))!;
    const environment = {
      SLUICE_JOB_ID: 'a'.repeat(32),
      SLUICE_CODE: 'c',
      SLUICE_OPTIONS: '{}',
      SLUICE_TABLE: 't',
      SLUICE_BUCKET: 'b',
      SLUICE_ACCOUNT: '111122223333',
    };
    const program = `Object.assign(process.env, ${JSON.stringify({ ...environment, SLUICE_QUEUES: 'q', SLUICE_MACHINES: 'm', AWS_REGION: 'eu-west-1' })});
      const { tasks } = await import(${JSON.stringify(join(bundle, 'coordinator.mjs'))});
      console.log(typeof tasks);`;
    const loaded = await inProject('node', '--input-type=module', '--eval', program);
    expect(loaded, loaded.err).toMatchObject({ exitCode: 0, out: 'function\n' });
    const tsc = join(repositoryRoot, 'node_modules', 'typescript', 'bin', 'tsc');
    expect(await inProject('node', tsc, '-p', 'tsconfig.app.json', '--pretty', 'false')).toMatchObject({ exitCode: 0, out: '' });
  });

  test('has types: right programs pass a strict check of everything, wrong ones do not', async () => {
    const tsc = join(repositoryRoot, 'node_modules', 'typescript', 'bin', 'tsc');
    const { exitCode, out } = await inProject('node', tsc, '-p', '.', '--pretty', 'false');
    expect([exitCode, out]).toEqual([2, "wrong.ts(2,14): error TS2322: Type 'number' is not assignable to type 'string'.\n"]);
  });

  test('under an older Node says which it needs, and how to get it', async () => {
    const bin = join('node_modules', 'sluice', 'bin', 'sluice.mjs');
    const { exitCode, err, out } = await inProject('node', '--import', oldNode, bin, 'run', 'job.ts');
    expect([exitCode, out]).toEqual([1, '']);
    expect(err).toBe(
      [
        'error SLUICE-NODE-VERSION: Sluice runs on Node 24 or newer, and this is 20.19.0',
        '  cause: the npm package `node`, which has one, is not installed here',
        '  next:  Use Node 24, or install one beside Sluice: `npm install node@24 --ignore-scripts=false`.',
        '',
      ].join('\n'),
    );
    expect(existsSync(join(project, 'node_modules', 'node'))).toBe(false);
  });
});
