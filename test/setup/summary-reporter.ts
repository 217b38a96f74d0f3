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

/** What tests said when they skipped themselves, with how many said it: a skip must be heard, and so must its reason. */
export function skipLines(modules: readonly TestModule[]): readonly string[] {
  const counts = new Map<string, number>();
  for (const module of modules) {
    for (const test of module.children.allTests('skipped')) {
      const { state, note } = test.result() as { readonly state: string; readonly note?: string };
      if (state === 'skipped' && note !== undefined) counts.set(note, (counts.get(note) ?? 0) + 1);
    }
  }
  return [...counts].map(([note, count]) => `SKIPPED ${count} of the ${note}`);
}

/** Prints the totals as the very last line of the run: at the exit of the process, after every other reporter and after slow workers were closed. */
export class SummaryReporter implements Reporter {
  #counts: Counts = { passed: 0, failed: 0, skipped: 0 };
  #skips: readonly string[] = [];

  onInit(): void {
    process.once('exit', (exitCode) => {
      const lines = [...this.#skips, summaryLine(withExitCode(this.#counts, exitCode))];
      process.stdout.write(`${lines.join('\n')}\n`);
    });
  }

  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly SerializedError[]): void {
    this.#counts = countTests(modules, unhandledErrors);
    this.#skips = skipLines(modules);
  }
}
