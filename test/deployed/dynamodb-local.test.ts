/** The contract suites of the stores on AWS's own engine, where this machine can run it: `npm run test:dynamodb-local` as somebody types it. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { skipOrFail } from './available.ts';

const root = join(import.meta.dirname, '../..');
/** Maven fetches the engine once. */
const fromNothingMs = 300_000;
/** What the script ends with where a program that it needs is missing, or may not be used. */
const refused = 2;

test('the stores keep their contracts on DynamoDB Local', { timeout: fromNothingMs }, async (context) => {
  // Of the run that this test is in.
  const own = ([name]: readonly [string, unknown]) => /^(?:VITEST|TEST$|NODE_ENV$|CHAOS_|SIM_)/.test(name);
  const env = Object.fromEntries(Object.entries(process.env).filter((entry) => !own(entry)));
  const { status, out, err } = await new Promise<{ readonly status: number; readonly out: string; readonly err: string }>((done) => {
    execFile(process.execPath, [join(root, 'scripts', 'dynamodb-local.ts')], { cwd: root, env }, (error, stdout, stderr) => {
      done({ status: error === null ? 0 : Number(error.code), out: stdout, err: stderr });
    });
  });
  if (status === refused) skipOrFail({ why: `DynamoDB Local: ${err.trim().split('\n')[0]}`, isFailure: false }, context);
  expect(status, `${out}${err}`.slice(-4_000)).toBe(0);
  expect(out).toMatch(/\n[1-9]\d+ passed, 0 failed(?:, \d+ skipped)?\n$/);
});
