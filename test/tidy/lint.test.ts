import { ESLint } from 'eslint';
import tseslint from 'typescript-eslint';
import { describe, expect, test } from 'vitest';
import { repositoryRoot } from './repository.ts';

/** The project's own rules on text that is in no file; without types where the rule needs none, because that is fifty times faster. */
const untyped = new ESLint({
  cwd: repositoryRoot,
  overrideConfig: [{ ...tseslint.configs.disableTypeChecked, linterOptions: { reportUnusedDisableDirectives: 'off' } }],
});
const typed = new ESLint({
  cwd: repositoryRoot,
  overrideConfig: { languageOptions: { parserOptions: { projectService: { allowDefaultProject: ['lib/runtime/planted.ts'] } } } },
});

async function rulesBrokenBy(eslint: ESLint, path: string, code: string): Promise<readonly (string | null)[]> {
  const [result] = await eslint.lintText(code, { filePath: path });
  return (result?.messages ?? []).map(({ ruleId, message }) => ruleId ?? message);
}

const nondeterminism: readonly (readonly [code: string, rule: string])[] = [
  ['export const now = Date.now();', 'no-restricted-properties'],
  ['const { now } = Date; export const time = now();', 'no-restricted-properties'],
  ['export const now = new Date();', 'no-restricted-syntax'],
  ['export const now = Date();', 'no-restricted-syntax'],
  ['export const now = globalThis.Date;', 'no-restricted-properties'],
  ['export const random = Math.random();', 'no-restricted-properties'],
  ['export const id = crypto.randomUUID();', 'no-restricted-globals'],
  ['export const id = globalThis.crypto.randomUUID();', 'no-restricted-properties'],
  ["import { randomUUID } from 'node:crypto'; export const id = randomUUID();", 'no-restricted-imports'],
  ["import { randomBytes } from 'node:crypto'; export const id = randomBytes(4);", 'no-restricted-imports'],
  ["import * as crypto from 'node:crypto'; export const id = crypto.randomInt(4);", 'no-restricted-imports'],
  ["export const { randomInt } = await import('node:crypto');", 'no-restricted-syntax'],
  ['setTimeout(() => {}, 1);', 'no-restricted-globals'],
  ['globalThis.setTimeout(() => {}, 1);', 'no-restricted-properties'],
  ['setInterval(() => {}, 1);', 'no-restricted-globals'],
  ['setImmediate(() => {});', 'no-restricted-globals'],
  ["import { setTimeout } from 'node:timers/promises'; await setTimeout(1);", 'no-restricted-imports'],
  ["const { setTimeout } = await import('node:timers/promises'); await setTimeout(1);", 'no-restricted-syntax'],
  ['export const signal = AbortSignal.timeout(1);', 'no-restricted-properties'],
  ['export const now = performance.now();', 'no-restricted-globals'],
  ["import { performance } from 'node:perf_hooks'; export const now = performance.now();", 'no-restricted-imports'],
  ['export const now = process.hrtime.bigint();', 'no-restricted-properties'],
];

const io: readonly (readonly [code: string, rule: string])[] = [
  ["import { readFileSync } from 'node:fs'; export const text = readFileSync('a');", 'no-restricted-imports'],
  ["import { readFile } from 'node:fs/promises'; export const text = readFile('a');", 'no-restricted-imports'],
  ["import { connect } from 'node:net'; connect(1);", 'no-restricted-imports'],
  ["import { request } from 'node:http'; request('a');", 'no-restricted-imports'],
  ["import { spawn } from 'node:child_process'; spawn('a');", 'no-restricted-imports'],
  ["import { DatabaseSync } from 'node:sqlite'; export const base = new DatabaseSync('a');", 'no-restricted-imports'],
  ["import type { Stats } from 'node:fs'; export type Facts = Stats;", 'no-restricted-imports'],
  ["export const fs = await import('node:fs');", 'no-restricted-syntax'],
];

const awsClient = "import { SQSClient } from '@aws-sdk/client-sqs'; export const client = new SQSClient({});";

const engineFolders = ['lib/base', 'lib/runtime', 'lib/api', 'lib/testing'];
const compositionRoots = ['lib/cli', 'lib/local'];

describe('lint refuses', () => {
  test.each(nondeterminism)('a hidden clock, timer or random source in the engine and its composition roots: %s', async (code, rule) => {
    for (const folder of [...engineFolders, ...compositionRoots]) {
      expect(await rulesBrokenBy(untyped, `${folder}/planted.ts`, code), folder).toContain(rule);
    }
    expect(await rulesBrokenBy(untyped, 'lib/adapters/system/planted.ts', code)).toEqual([]);
  });

  test.each(io)('I/O in the engine, but not in adapters and composition roots: %s', async (code, rule) => {
    for (const folder of engineFolders) {
      expect(await rulesBrokenBy(untyped, `${folder}/planted.ts`, code), folder).toContain(rule);
    }
    for (const folder of [...compositionRoots, 'lib/adapters/fs']) {
      expect(await rulesBrokenBy(untyped, `${folder}/planted.ts`, code), folder).toEqual([]);
    }
  });

  test('the AWS SDK anywhere but in adapters and their tests', async () => {
    for (const folder of [...engineFolders, ...compositionRoots, 'functions', 'infra', 'bench', 'test']) {
      expect(await rulesBrokenBy(untyped, `${folder}/planted.ts`, awsClient), folder).toContain('no-restricted-imports');
    }
    for (const folder of ['lib/adapters/sqs', 'test/adapters/aws', 'test/dynamodb-local']) {
      expect(await rulesBrokenBy(untyped, `${folder}/planted.ts`, awsClient), folder).toEqual([]);
    }
  });

  test('JSON.parse where data of users is read, because it misreads escaped names', async () => {
    const code = "export const value: unknown = JSON.parse('1');";
    for (const folder of ['lib/model', 'lib/state', 'lib/savepoint', 'lib/adapters/connectors']) {
      expect(await rulesBrokenBy(untyped, `${folder}/planted.ts`, code), folder).toContain('no-restricted-properties');
    }
    expect(await rulesBrokenBy(untyped, 'lib/base/planted.ts', code)).toEqual([]);
  });

  test('default exports, builtins without their prefix, `any`, and files and functions that are too long', async () => {
    const broken = (code: string) => rulesBrokenBy(untyped, 'lib/adapters/fs/planted.ts', code);
    const longFunction = `export function long(): number {\n  let n = 0;\n${'  n += 1;\n'.repeat(58)}  return n;\n}\n`;
    expect(await broken('export default 1;')).toContain('no-restricted-syntax');
    expect(await broken('const one = 1; export { one as default };')).toContain('no-restricted-syntax');
    expect(await broken("import { readFileSync } from 'fs'; readFileSync('a');")).toContain('no-restricted-imports');
    expect(await broken('export const one: any = 1;')).toContain('@typescript-eslint/no-explicit-any');
    expect(await broken(longFunction)).toContain('max-lines-per-function');
    expect(await broken('export const n = 1;\n'.repeat(401))).toContain('max-lines');
  });

  // It type-checks the engine first, which takes a while on a busy machine.
  test('promises that nobody waits for, switches that forget a case, and value imports of types', { timeout: 60_000 }, async () => {
    const code = [
      "import { SluiceError } from '../base/errors.ts';",
      "export async function work(kind: 'a' | 'b', error: SluiceError): Promise<void> {",
      '  work(kind, error);',
      '  [1].forEach(async () => work(kind, error));',
      '  switch (kind) {',
      "    case 'a':",
      '  }',
      '}',
      '',
    ].join('\n');
    expect(await rulesBrokenBy(typed, 'lib/runtime/planted.ts', code)).toEqual(
      expect.arrayContaining([
        '@typescript-eslint/no-floating-promises',
        '@typescript-eslint/no-misused-promises',
        '@typescript-eslint/switch-exhaustiveness-check',
        '@typescript-eslint/consistent-type-imports',
      ]),
    );
  });
});

describe('lint allows', () => {
  test('in the engine what only computes', async () => {
    const code = [
      "import { createHash } from 'node:crypto';",
      "import { zstdCompressSync } from 'node:zlib';",
      "export const day = new Date('2001-01-01').getTime() + Date.UTC(2001, 1, 1) + Date.parse('2001-01-01');",
      "export const digest = createHash('sha256').update(zstdCompressSync(new Uint8Array(day))).digest('hex');",
      '',
    ].join('\n');
    expect(await rulesBrokenBy(untyped, 'lib/runtime/planted.ts', code)).toEqual([]);
  });
});
