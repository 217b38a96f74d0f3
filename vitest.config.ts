import { configDefaults, defineConfig } from 'vitest/config';
import { SummaryReporter } from './test/setup/summary-reporter.ts';

/**
 * `npm test`. Suites that take minutes live in test/long and run by `npm run test:long`.
 * Workers are processes, so that a test may use files, signals and child processes without meeting another's.
 */
const long = process.env['SLUICE_TEST_LONG'] === '1';

export default defineConfig({
  test: {
    include: long ? ['test/long/**/*.test.ts'] : ['test/**/*.test.ts'],
    exclude: [...configDefaults.exclude, ...(long ? [] : ['test/long/**'])],
    globalSetup: ['test/setup/node-version.ts'],
    reporters: ['default', new SummaryReporter()],
    pool: 'forks',
    testTimeout: long ? 600_000 : 20_000,
    hookTimeout: long ? 120_000 : 20_000,
    teardownTimeout: 5_000,
    // A focused test would hide the others, here as on a build machine.
    allowOnly: false,
    passWithNoTests: false,
    unstubEnvs: true,
    restoreMocks: true,
    coverage: { provider: 'v8', include: ['lib/**/*.ts'], reporter: ['text-summary', 'html'], reportsDirectory: 'coverage' },
  },
});
