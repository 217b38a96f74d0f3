/** What a function loads before its first message: Lambda bills it, and everybody waits for it. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
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

  test('is the same for the same sources, whatever folder it is made in', () => {
    expect(digest).toMatch(/^[0-9a-f]{16}$/);
    expect(bundleJob(`${entry.slice(0, -'job.ts'.length)}./job.ts`).digest).toBe(digest);
  });

  test('has a source map beside each module, and no mutants', () => {
    const modules = readdirSync(directory).filter((name) => name.endsWith('.mjs'));
    for (const name of modules) expect(readdirSync(directory)).toContain(`${name}.map`);
    const mutants = modules.filter((name) => readFileSync(join(directory, name), 'utf8').includes('no-version-condition'));
    expect(mutants).toEqual([]);
  });
});
