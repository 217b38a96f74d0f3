import { describe, expect, test } from 'vitest';
import { mutantRules } from '../../lib/base/mutated.ts';
import { repositoryFiles, type Check } from './repository.ts';

const home = 'lib/base/mutated.ts';
const names = Object.keys(mutantRules);

const lib: Check = (files) => {
  const others = files.filter(({ path }) => path.startsWith('lib/') && path !== home);
  const all = others.map(({ text }) => text).join('\n');
  const switches = others
    .filter(({ text }) => /switchMutant|mutantRules/.test(text))
    .map(({ path }) => `${path}: only tests and scripts switch mutants`);
  return [
    ...switches,
    ...names.filter((name) => !all.includes(`mutated('${name}')`)).map((name) => `${home}: ${name} changes nothing in lib/`),
  ];
};

/** Not in the parts that work record by record. */
const perRecord: Check = (files) =>
  files
    .filter(
      ({ path, text }) => /^lib\/(?:operators|model|dsl|planner|graph|api|cli|adapters|ports)\//.test(path) && text.includes('mutated('),
    )
    .map(({ path }) => `${path}: mutants stand where work is done by commit, message or task`);

const documented: Check = (files) => {
  const page = files.find(({ path }) => path === 'docs/mutants.md')?.text ?? '';
  return Object.entries(mutantRules)
    .filter(([name, rule]) => !page.includes(`| \`${name}\``) || !page.includes(rule))
    .map(([name]) => `docs/mutants.md: ${name} is missing, or its rule is another`);
};

describe('mutants', () => {
  test.each([
    ['each is somewhere in the protocol, and nothing of the product switches one on', lib],
    ['none stands where work is done record by record', perRecord],
    ['each is listed with its rule', documented],
  ])('%s', (_what, check) => {
    expect(check(repositoryFiles())).toEqual([]);
  });

  test('a planted violation of each is found', () => {
    expect(lib([{ path: 'lib/runtime/planted.ts', text: 'switchMutant' }])).toHaveLength(names.length + 1);
    expect(perRecord([{ path: 'lib/operators/planted.ts', text: "mutated('no-witness')" }])).toHaveLength(1);
    expect(documented([])).toHaveLength(names.length);
  });
});
