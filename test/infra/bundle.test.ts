/** What a function loads before its first message: Lambda bills it, and everybody waits for it. */
import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { bundleJob } from '../../infra/bundle-job.ts';
import { loadedAtInit } from './loaded-at-init.ts';

const entry = fileURLToPath(new URL('../../examples/flights/job.ts', import.meta.url));
const { directory, digest } = bundleJob(entry);
const kilobytes = (handler: string): number =>
  loadedAtInit(directory, handler).reduce((sum, name) => sum + statSync(join(directory, name)).size, 0) / 1_000;
const textOf = (handler: string): string => loadedAtInit(directory, handler).map((name) => readFileSync(join(directory, name), 'utf8')).join('\n'); // prettier-ignore

describe('the bundle of a job', () => {
  test('has at most 700 kB that an operator loads at its start', () => {
    expect(kilobytes('operator.mjs')).toBeLessThanOrEqual(700);
  });

  test('keeps from an operator what only others need: the HTTP API, the clients of Step Functions, Lambda and Scheduler, Parquet', () => {
    const holds = (handler: string, text: string): boolean => textOf(handler).includes(text);
    const foreign = ['SFN', 'Lambda', 'Scheduler'].map((service) => `client-${service.toLowerCase()}`);
    for (const text of [...foreign, 'sluice-error-code', 'footer != PAR1']) expect(holds('operator.mjs', text), text).toBe(false);
    expect(holds('coordinator.mjs', 'client-sfn')).toBe(true);
  });

  test('keeps the names of the user’s functions and classes, which stand in messages', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sluice-names-'));
    const module = join(folder, 'job.mts');
    writeFileSync(
      module,
      'class OrderOfTheUser {}\nfunction build(): OrderOfTheUser { return new OrderOfTheUser(); }\nexport const job = { build };\n',
    );
    const { directory: bundled } = bundleJob(module);
    rmSync(folder, { recursive: true });
    const text = readdirSync(bundled).filter((name) => name.endsWith('.mjs')).map((name) => readFileSync(join(bundled, name), 'utf8')).join(''); // prettier-ignore
    expect(text.includes('"OrderOfTheUser"')).toBe(true);
  });

  test(
    'is the same for the same sources, wherever the project lies and from wherever it is deployed; other code is another',
    { timeout: 120_000 },
    async () => {
      expect(digest).toMatch(/^[0-9a-f]{16}$/);
      const root = fileURLToPath(new URL('../..', import.meta.url));
      const places = [mkdtempSync(join(tmpdir(), 'sluice-here-')), join(mkdtempSync(join(tmpdir(), 'sluice-')), 'deep', 'down')];
      const digests: string[] = [];
      for (const [index, place] of places.entries()) {
        for (const name of ['lib', 'functions', 'infra', 'examples', 'package.json', 'tsconfig.json']) cpSync(join(root, name), join(place, name), { recursive: true }); // prettier-ignore
        symlinkSync(join(root, 'node_modules'), join(place, 'node_modules'));
        const script = `import { bundleJob } from ${JSON.stringify(join(place, 'infra/bundle-job.ts'))}; console.log(bundleJob(${JSON.stringify(join(place, 'examples/flights/job.ts'))}).digest)`;
        const run = () => promisify(execFile)(process.execPath, ['--conditions=sluice-source', '--input-type=module', '--eval', script], { cwd: index === 0 ? place : tmpdir() }); // prettier-ignore
        digests.push((await run()).stdout.trim());
        if (index > 0) continue;
        const file = join(place, 'examples/flights/job.ts');
        writeFileSync(file, `${readFileSync(file, 'utf8')}\nexport const more = process.argv.length;\n`);
        expect((await run()).stdout.trim()).not.toBe(digests[0]);
      }
      for (const place of [places[0]!, join(places[1]!, '../..')]) rmSync(place, { recursive: true });
      expect(digests).toEqual([digest, digest]);
    },
  );

  test('has a source map beside each module, and no mutants', () => {
    const modules = readdirSync(directory).filter((name) => name.endsWith('.mjs'));
    for (const name of modules) expect(readdirSync(directory)).toContain(`${name}.map`);
    const mutants = modules.filter((name) => readFileSync(join(directory, name), 'utf8').includes('no-version-condition'));
    expect(mutants).toEqual([]);
  });
});
