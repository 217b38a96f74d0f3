import { describe, expect, test } from 'vitest';
import { scenarioNames } from '../scenarios/scenario.ts';
import { repositoryFiles, type Check } from './repository.ts';

const page = 'docs/scenarios.md';
const numbers = Object.keys(scenarioNames).map(Number);

/** `scenario` runs in all three modes, so one call is enough. */
const callOf = (number: number): RegExp => new RegExp(String.raw`\bscenario\(\s*${number},`);

/** A path that the table names, relative to it. */
const row = (number: number, name: string, file: string): RegExp =>
  new RegExp(String.raw`^\| +${number} +\| ${name} +\|.*\]\(\.\./${file.replaceAll('.', String.raw`\.`)}\)`, 'm');

const scenarios: Check = (files) => {
  const tests = files.filter(({ path }) => /^test\/scenarios\/.*\.test\.ts$/.test(path));
  const text = files.find(({ path }) => path === page)?.text ?? '';
  return Object.entries(scenarioNames).flatMap(([number, name]) => {
    const homes = tests.filter((file) => callOf(Number(number)).test(file.text));
    const missing = homes.length === 0 ? [`scenario ${number}, ${name}, is no test in every mode`] : [];
    return [
      ...missing,
      ...homes.filter(({ path }) => !row(Number(number), name, path).test(text)).map(({ path }) => `${page}: ${number} is in ${path}`),
    ];
  });
};

describe('the scenarios', () => {
  test('are 24', () => {
    expect(numbers).toEqual(Array.from({ length: 24 }, (_, i) => i + 1));
  });

  test('are tests by their number, each in every mode, and listed', () => {
    expect(scenarios(repositoryFiles())).toEqual([]);
  });

  test.each([
    ['is gone', (text: string) => text.replace('scenario(1,', 'scenario(2,'), (text: string) => text],
    ['runs in some modes only', (text: string) => text.replaceAll('scenario(1,', 'scenarioIn(exactlyOnce, 1,'), (text: string) => text],
    ['is not listed', (text: string) => text, (text: string) => text.replace('keyed-sum-once-fail.test.ts)', 'other.test.ts)')],
  ])('are missed where one %s', (_what, changeTest, changePage) => {
    const changed = repositoryFiles().map(({ path, text }) => {
      if (path === 'test/scenarios/keyed-sum-once-fail.test.ts') return { path, text: changeTest(text) };
      return path === page ? { path, text: changePage(text) } : { path, text };
    });
    expect(scenarios(changed)).not.toEqual([]);
  });
});
