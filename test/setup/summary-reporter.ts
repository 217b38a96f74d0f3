import type { SerializedError } from 'vitest';
import type { Reporter, TestModule } from 'vitest/node';

interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** A file that broke outside its tests (an import, a hook) and an error that no test caught are failures too: silence would pass for success. */
export function countTests(modules: readonly TestModule[], unhandledErrors: readonly SerializedError[]): Counts {
  let passed = 0;
  let failed = unhandledErrors.length;
  let skipped = 0;
  for (const module of modules) {
    let failedInModule = 0;
    for (const test of module.children.allTests()) {
      const { state } = test.result();
      passed += state === 'passed' ? 1 : 0;
      failedInModule += state === 'failed' ? 1 : 0;
      skipped += state === 'skipped' || state === 'pending' ? 1 : 0;
    }
    failed += module.state() === 'failed' && failedInModule === 0 ? 1 : failedInModule;
  }
  return { passed, failed, skipped };
}

/** A run that fails without a failed test (its set-up threw, it found no test) must not read like a success. */
export function withExitCode(counts: Counts, exitCode: number): Counts {
  return exitCode !== 0 && counts.failed === 0 ? { ...counts, failed: 1 } : counts;
}

export function summaryLine({ passed, failed, skipped }: Counts): string {
  return `${passed} passed, ${failed} failed${skipped === 0 ? '' : `, ${skipped} skipped`}`;
}

/** Prints the totals as the very last line of the run: at the exit of the process, after every other reporter and after slow workers were closed. */
export class SummaryReporter implements Reporter {
  #counts: Counts = { passed: 0, failed: 0, skipped: 0 };

  onInit(): void {
    process.once('exit', (exitCode) => {
      process.stdout.write(`${summaryLine(withExitCode(this.#counts, exitCode))}\n`);
    });
  }

  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly SerializedError[]): void {
    this.#counts = countTests(modules, unhandledErrors);
  }
}
