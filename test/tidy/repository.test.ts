import { describe, expect, test } from 'vitest';
import { documentChecks } from './document-checks.ts';
import { moduleChecks } from './module-checks.ts';
import { plants } from './plants.ts';
import { repositoryFiles, type Check } from './repository.ts';
import { textChecks } from './text-checks.ts';

const checks: Readonly<Record<string, Check>> = { ...textChecks, ...moduleChecks, ...documentChecks };

describe('the repository', () => {
  const files = repositoryFiles();

  test('is read whole: it holds at least its own checks', () => {
    expect(files.map(({ path }) => path)).toEqual(
      expect.arrayContaining(['package.json', 'test/tidy/repository.test.ts', 'lib/base/errors.ts']),
    );
  });

  test.each(Object.entries(checks))('%s', (_name, check) => {
    expect(check(files)).toEqual([]);
  });
});

describe('the checks', () => {
  test('each has planted violations', () => {
    expect(Object.keys(plants).toSorted()).toEqual(Object.keys(checks).toSorted());
  });

  test.each(Object.entries(checks))('are able to fail: %s', (name, check) => {
    const cases = plants[name]?.bad ?? [];
    expect(cases).not.toEqual([]);
    for (const files of cases) {
      expect(check(files), JSON.stringify(files).slice(0, 200)).not.toEqual([]);
    }
  });

  test.each(Object.entries(checks))('leave the innocent alone: %s', (name, check) => {
    expect(check(plants[name]?.good ?? [])).toEqual([]);
  });
});
