import { availableParallelism } from 'node:os';
import { configDefaults, defineConfig } from 'vitest/config';
import { SummaryReporter } from './test/setup/summary-reporter.ts';

const longSuites = [
  'test/long/**/*.test.ts',
  'test/runtime/chaos*.test.ts',
  'test/process/*.test.ts',
  'test/state/keyed-backend.test.ts',
  'test/sim/mutants.test.ts',
];
const longRuns = { CHAOS_SEEDS: '1000', KILL_COUNT: '300', BACKEND_RUNS: '20000', SIM_LONG: '1' };

/**
 * `npm test`; with `--mode long` what takes minutes: test/long, and the tests that look at random histories, at many more of them. `--mode dynamodb-local`:
 * what needs that server (scripts/dynamodb-local.ts).
 */
export default defineConfig(({ mode }) => {
  const long = mode === 'long';
  const local = mode === 'dynamodb-local';
  return {
    // `import 'sluice'` in an example is lib, as for tsc.
    // Not `module`: Node itself does not know it, and the AWS SDK has files behind it that only bundlers can read.
    ssr: { resolve: { conditions: ['sluice-source', 'node'] } },
    test: {
      include: long ? longSuites : [local ? 'test/dynamodb-local/**/*.test.ts' : 'test/**/*.test.ts'],
      env: long ? longEnvironment() : {},
      exclude: [...configDefaults.exclude, ...(long ? [] : ['test/long/**']), ...(local ? [] : ['test/dynamodb-local/**'])],
      globalSetup: ['test/setup/node-version.ts'],
      reporters: ['default', new SummaryReporter()],
      // Workers are processes, so that a test may use signals and child processes without meeting another's.
      pool: 'forks',
      // Vitest leaves one core to itself; on two cores that would be one worker, and half the machine idle (measured: 5.8 s against 3.8 s).
      maxWorkers: Math.max(2, availableParallelism() - 1),
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
  };
});

/** What was chosen on the command line stays. */
function longEnvironment(): Record<string, string> {
  return Object.fromEntries(Object.entries(longRuns).map(([name, count]) => [name, process.env[name] ?? count]));
}
