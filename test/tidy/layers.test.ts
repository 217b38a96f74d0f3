import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { repositoryRoot } from './repository.ts';

/** The architecture once more, independently of .dependency-cruiser.cjs: whoever changes a layer changes both, on purpose. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  base: [],
  model: ['base'],
  ports: ['base', 'model'],
  checkpoint: ['base', 'model'],
  cost: ['base', 'model'],
  state: ['base', 'model', 'ports'],
  operators: ['base', 'model', 'state'],
  connectors: ['base', 'model', 'ports', 'operators'],
  graph: ['base', 'model'],
  dsl: ['base', 'model', 'state', 'graph', 'operators', 'connectors', 'planner'],
  planner: ['base', 'model', 'graph'],
  runtime: ['base', 'model', 'ports', 'state', 'operators', 'checkpoint'],
  savepoint: ['base', 'model', 'ports', 'checkpoint', 'state'],
  coordinator: ['base', 'model', 'ports', 'checkpoint', 'state', 'savepoint'],
  api: ['base', 'model', 'ports', 'checkpoint', 'coordinator', 'cost', 'savepoint', 'state'],
  intake: ['base', 'model', 'ports', 'checkpoint'],
  adapters: ['base', 'model', 'ports'],
};
const compositionRoots = ['local', 'testing', 'cli'];
const layers = [...Object.keys(mayImport), ...compositionRoots];
const around = ['infra', 'functions', 'localstack', 'examples', 'bench', 'test', 'bin', 'scripts'];
const infraMayImport = ['base', 'model', 'graph', 'dsl', 'planner'];

/** Who may use which npm package; every pair that is not listed is refused. */
const packageUsers: Readonly<Record<string, readonly string[]>> = {
  hono: ['api', 'local', 'adapters'],
  valibot: ['dsl', 'savepoint', 'api', 'local', 'cli', 'adapters'],
  commander: ['cli', 'adapters'],
  hyparquet: ['adapters'],
  '@aws-sdk/client-sqs': ['adapters'],
};

const planted = new Map<string, string>();
const importOf = (target: string): string => `import { one } from '${target}';\nexport const two = one;\n`;
const typeImportOf = (target: string): string => `import type { One } from '${target}';\nexport type Two = One;\n`;

function plantFolders(): void {
  for (const folder of [...layers.map((layer) => `lib/${layer}`), ...around]) {
    planted.set(`${folder}/main.ts`, 'export const one = 1;\nexport type One = 1;\n');
  }
  for (const from of layers) {
    for (const to of layers.filter((layer) => layer !== from)) {
      planted.set(`lib/${from}/value-${to}.ts`, importOf(`../${to}/main.ts`));
      planted.set(`lib/${from}/type-${to}.ts`, typeImportOf(`../${to}/main.ts`));
    }
    for (const to of around) {
      planted.set(`lib/${from}/outside-${to}.ts`, importOf(`../../${to}/main.ts`));
    }
    for (const name of Object.keys(packageUsers)) {
      planted.set(`lib/${from}/package-${name.replaceAll(/[@/]/g, '')}.ts`, importOf(name));
    }
  }
  for (const from of around) {
    for (const to of layers) {
      planted.set(`${from}/value-${to}.ts`, importOf(`../lib/${to}/main.ts`));
    }
    planted.set(`${from}/package-aws.ts`, importOf('@aws-sdk/client-sqs'));
    planted.set(`${from}/package-cdk.ts`, importOf('aws-cdk-lib'));
  }
}

function plantSpecialCases(): void {
  planted.set('lib/coordinator/flow.ts', 'export const one = 1;\n');
  planted.set('lib/api/route-scopes.ts', 'export const one = 1;\n');
  planted.set('infra/scopes.ts', importOf('../lib/api/route-scopes.ts'));
  planted.set('infra/flow.ts', importOf('../lib/coordinator/flow.ts'));
  planted.set('lib/index.ts', importOf('./dsl/main.ts'));
  planted.set('lib/dsl/barrel.ts', importOf('../index.ts'));
  planted.set('lib/stray/main.ts', importOf('../base/main.ts'));
  planted.set('lib/base/gone.ts', importOf('./no-such-file.ts'));
  planted.set('lib/adapters/development.ts', importOf('knip'));
  planted.set('examples/uses-test.ts', importOf('../test/main.ts'));
  planted.set('lib/base/dynamic.ts', "export const later = import('../model/main.ts');\n");
  planted.set('lib/model/cycle-a.ts', `${importOf('./cycle-b.ts')}export const one = 1;\n`);
  planted.set('lib/model/cycle-b.ts', `${importOf('./cycle-a.ts')}export const one = 1;\n`);
  planted.set('lib/model/type-cycle-a.ts', `${importOf('./type-cycle-b.ts')}export type One = 1;\n`);
  planted.set('lib/model/type-cycle-b.ts', `${typeImportOf('./type-cycle-a.ts')}export const one = 1;\n`);
}

function plantPackages(): void {
  const dependencies = [...Object.keys(packageUsers), 'aws-cdk-lib'];
  planted.set(
    'package.json',
    JSON.stringify({
      type: 'module',
      dependencies: Object.fromEntries(dependencies.map((name) => [name, '1.0.0'])),
      devDependencies: { knip: '1.0.0' },
    }),
  );
  for (const name of [...dependencies, 'knip']) {
    planted.set(`node_modules/${name}/package.json`, JSON.stringify({ name, version: '1.0.0', type: 'module', exports: './index.js' }));
    planted.set(`node_modules/${name}/index.js`, 'export const one = 1;\n');
  }
  planted.set('tsconfig.json', JSON.stringify({ compilerOptions: { module: 'nodenext', allowImportingTsExtensions: true, noEmit: true } }));
}

async function rulesBrokenIn(root: string): Promise<ReadonlyMap<string, readonly string[]>> {
  for (const [path, text] of planted) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  }
  const cruiser = join(repositoryRoot, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs');
  const config = join(repositoryRoot, '.dependency-cruiser.cjs');
  // The cruiser's exit code is the number of errors: with so many planted ones it is never 0.
  const run = promisify(execFile)(process.execPath, [cruiser, '--config', config, '--output-type', 'json', 'lib', ...around], {
    cwd: root,
    maxBuffer: 256 * 1024 * 1024,
  }).catch((error: unknown) => error as { stdout: string });
  const report = JSON.parse((await run).stdout) as { summary: { violations: readonly { from: string; rule: { name: string } }[] } };
  const broken = new Map<string, string[]>();
  for (const { from, rule } of report.summary.violations) {
    broken.set(from, [...(broken.get(from) ?? []), rule.name]);
  }
  return broken;
}

describe('the layers', () => {
  let root = '';
  let broken: ReadonlyMap<string, readonly string[]> = new Map();
  const rulesOf = (path: string): readonly string[] => {
    expect(planted.has(path), `${path} is planted`).toBe(true);
    return broken.get(path) ?? [];
  };

  beforeAll(async () => {
    plantFolders();
    plantSpecialCases();
    plantPackages();
    root = await mkdtemp(join(tmpdir(), 'sluice-layers-'));
    broken = await rulesBrokenIn(root);
  }, 60_000);
  afterAll(() => rm(root, { recursive: true, force: true }));

  test.each(Object.entries(mayImport))('lib/%s imports %j of lib and nothing else, types included', (from, allowed) => {
    for (const to of layers.filter((layer) => layer !== from)) {
      const expected = allowed.includes(to) ? [] : [`layer-${from}`];
      expect(rulesOf(`lib/${from}/value-${to}.ts`), `${from} → ${to}`).toEqual(expected);
      expect(rulesOf(`lib/${from}/type-${to}.ts`), `${from} → ${to}, type only`).toEqual(expected);
    }
  });

  test.each(compositionRoots)('lib/%s imports anything of lib', (from) => {
    for (const to of layers.filter((layer) => layer !== from)) {
      expect(rulesOf(`lib/${from}/value-${to}.ts`), to).toEqual([]);
    }
  });

  test('nothing in lib imports what stands outside lib', () => {
    for (const from of layers) {
      for (const to of around) {
        expect(rulesOf(`lib/${from}/outside-${to}.ts`), `${from} → ${to}`).toEqual([`layer-${from}`]);
      }
    }
  });

  test('infra imports the plan and its makers, of the coordinator only the flow description, of the API only its table of routes', () => {
    for (const to of layers) {
      expect(rulesOf(`infra/value-${to}.ts`), to).toEqual(infraMayImport.includes(to) ? [] : ['layer-infra']);
    }
    expect(rulesOf('infra/flow.ts')).toEqual([]);
    expect(rulesOf('infra/scopes.ts')).toEqual([]);
  });

  test('localstack imports the base only', () => {
    for (const to of layers) {
      expect(rulesOf(`localstack/value-${to}.ts`), to).toEqual(to === 'base' ? [] : ['layer-localstack']);
    }
  });

  test('functions, examples, bench, test, bin and scripts import anything of lib', () => {
    for (const from of around.filter((folder) => !['infra', 'localstack'].includes(folder))) {
      for (const to of layers) {
        expect(rulesOf(`${from}/value-${to}.ts`), `${from} → ${to}`).toEqual([]);
      }
    }
    expect(rulesOf('examples/uses-test.ts')).toEqual(['nothing-imports-its-users']);
  });

  test('an npm package is used only by the folders that own the concern', () => {
    for (const [name, users] of Object.entries(packageUsers)) {
      for (const from of layers) {
        const rules = rulesOf(`lib/${from}/package-${name.replaceAll(/[@/]/g, '')}.ts`);
        expect(rules.includes(`packages-${from}`), `${from} → ${name}`).toBe(!users.includes(from));
      }
    }
    expect(rulesOf('lib/adapters/development.ts')).toEqual(['no-development-dependency-in-lib']);
  });

  test('only adapters and tests use the AWS SDK, only infra and tests the CDK', () => {
    for (const from of around) {
      expect(rulesOf(`${from}/package-aws.ts`), from).toEqual(from === 'test' ? [] : ['aws-only-in-adapters']);
      expect(rulesOf(`${from}/package-cdk.ts`), from).toEqual(['infra', 'test'].includes(from) ? [] : ['cdk-only-in-infra']);
    }
  });

  test('a folder without a row, the public barrel used from within, a dynamic import and a missing file are refused', () => {
    expect(rulesOf('lib/stray/main.ts')).toEqual(['lib-has-known-layers']);
    expect(rulesOf('lib/dsl/barrel.ts')).toContain('barrel-is-for-users');
    expect(rulesOf('lib/index.ts')).toEqual([]);
    expect(rulesOf('lib/base/dynamic.ts')).toEqual(['layer-base']);
    expect(rulesOf('lib/base/gone.ts')).toEqual(['no-unresolvable']);
  });

  test('a cycle of values is refused, one that a type-only import closes is not', () => {
    // A cycle is reported once, at whichever of its files was met first.
    expect([...rulesOf('lib/model/cycle-a.ts'), ...rulesOf('lib/model/cycle-b.ts')]).toEqual(['no-cycle']);
    expect([...rulesOf('lib/model/type-cycle-a.ts'), ...rulesOf('lib/model/type-cycle-b.ts')]).toEqual([]);
  });
});
