import { availableParallelism } from 'node:os';
import { configDefaults, defineConfig, type TestProjectInlineConfiguration } from 'vitest/config';
import { SummaryReporter } from './test/setup/summary-reporter.ts';

/** Their servers and functions fill the machine: two of these files at once would tell only how busy it is. */
const deployedSuites = ['test/deployed/**/*.test.ts'];
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
export default defineConfig(({ mode }) => ({
  // `import 'sluice'` in an example is lib, as for tsc.
  // Not `module`: Node itself does not know it, and the AWS SDK has files behind it that only bundlers can read.
  ssr: { resolve: { conditions: ['sluice-source', 'node'] } },
  test: {
    projects: projectsOf(mode),
    globalSetup: ['test/setup/node-version.ts'],
    reporters: ['default', new SummaryReporter()],
    // Workers are processes, so that a test may use signals and child processes without meeting another's.
    pool: 'forks',
    // Vitest leaves one core to itself; on two cores that would be one worker, and half the machine idle (measured: 5.8 s against 3.8 s).
    maxWorkers: Math.max(2, availableParallelism() - 1),
    testTimeout: 20_000,
    hookTimeout: 20_000,
    teardownTimeout: 5_000,
    // A focused test would hide the others, here as on a build machine.
    allowOnly: false,
    passWithNoTests: false,
    unstubEnvs: true,
    restoreMocks: true,
    coverage: { provider: 'v8', include: ['lib/**/*.ts'], reporter: ['text-summary', 'html'], reportsDirectory: 'coverage' },
  },
}));

function projectsOf(mode: string): TestProjectInlineConfiguration[] {
  if (mode === 'long') return [project('long', longSuites, { env: longEnvironment(), testTimeout: 600_000, hookTimeout: 120_000 })];
  const local = ['test/dynamodb-local/**/*.test.ts'];
  if (mode === 'dynamodb-local') return [project(mode, local, {})];
  const elsewhere = [...configDefaults.exclude, 'test/long/**', ...local, ...deployedSuites];
  return [
    project('here', ['test/**/*.test.ts'], { exclude: elsewhere, sequence: { groupOrder: 0 } }),
    project('deployed', deployedSuites, { maxWorkers: 1, sequence: { groupOrder: 1 } }),
  ];
}

function project(name: string, include: string[], test: TestProjectInlineConfiguration['test']): TestProjectInlineConfiguration {
  return { extends: true, test: { name, include, ...test } };
}

/** What was chosen on the command line stays. */
function longEnvironment(): Record<string, string> {
  return Object.fromEntries(Object.entries(longRuns).map(([name, count]) => [name, process.env[name] ?? count]));
}
