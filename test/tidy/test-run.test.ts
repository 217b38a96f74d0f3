import type { TestModule } from 'vitest/node';
import { describe, expect, test } from 'vitest';
import { unsupportedNode } from '../setup/node-version.ts';
import { countTests, skipLines, summaryLine, withExitCode } from '../setup/summary-reporter.ts';

function moduleOf(state: string, testStates: readonly string[]): TestModule {
  const tests = testStates.map((testState) => ({ result: () => ({ state: testState }) }));
  return { state: () => state, children: { allTests: () => tests } } as unknown as TestModule;
}

describe('the last line of a test run', () => {
  test('counts over all suites', () => {
    const modules = [moduleOf('passed', ['passed', 'passed', 'skipped']), moduleOf('failed', ['failed', 'passed'])];
    expect(summaryLine(countTests(modules, []))).toBe('3 passed, 1 failed, 1 skipped');
    expect(summaryLine(countTests([moduleOf('passed', ['passed'])], []))).toBe('1 passed, 0 failed');
  });

  test('counts a file that could not be loaded, and an error that no test caught, as failed', () => {
    expect(countTests([moduleOf('failed', [])], [])).toEqual({ passed: 0, failed: 1, skipped: 0 });
    expect(countTests([moduleOf('failed', ['passed'])], [])).toEqual({ passed: 1, failed: 1, skipped: 0 });
    expect(countTests([moduleOf('passed', ['passed'])], [{ message: 'late' }])).toEqual({ passed: 1, failed: 1, skipped: 0 });
  });

  test('stands behind the reasons of tests that skipped themselves, each once', () => {
    const skippedWith = (note?: string) => ({ result: () => ({ state: 'skipped', note }) });
    const tests = [skippedWith('deployed tests: no Python'), skippedWith('deployed tests: no Python'), skippedWith()];
    const module = { children: { allTests: () => tests } } as unknown as TestModule;
    expect(skipLines([module])).toEqual(['SKIPPED 2 of the deployed tests: no Python']);
    expect(skipLines([])).toEqual([]);
  });

  test('never reads like a success where the run failed', () => {
    const none = { passed: 0, failed: 0, skipped: 0 };
    expect(withExitCode(none, 1)).toEqual({ passed: 0, failed: 1, skipped: 0 });
    expect(withExitCode(none, 0)).toEqual(none);
    expect(withExitCode({ ...none, failed: 2 }, 1)).toEqual({ ...none, failed: 2 });
  });
});

describe('the set-up of a test run', () => {
  test('refuses a Node older than 24 by a code and says what to do', () => {
    expect(unsupportedNode('20.19.0')).toMatch(/^SLUICE-NODE-VERSION: .*Node 24.*20\.19\.0.*npm rebuild node/);
    expect(unsupportedNode('23.11.1')).toMatch(/^SLUICE-NODE-VERSION/);
    expect(unsupportedNode('24.0.0')).toBeUndefined();
    expect(unsupportedNode('26.1.0')).toBeUndefined();
  });

  test('found that this very run is on Node 24 or newer', () => {
    expect(Number(process.versions.node.split('.')[0])).toBeGreaterThanOrEqual(24);
  });
});
