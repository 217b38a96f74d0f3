import { describe, expect, test } from 'vitest';
import { mutantRules } from '../../lib/base/mutated.ts';
import knownSeeds from '../sim/mutant-seeds.json' with { type: 'json' };
import { repositoryFiles, type Check } from './repository.ts';

const home = 'lib/base/mutated.ts';
const seedsFile = 'test/sim/mutant-seeds.json';
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

/** What is said to kill a mutant does: a run that is known to show it is none for a mutant that is gone, or that no run shows now. */
const seeded =
  (seeds: Readonly<Record<string, unknown>>): Check =>
  (files) => {
    const page = files.find(({ path }) => path === 'docs/mutants.md')?.text ?? '';
    const notShown = [...(page.split('## Not shown now')[1] ?? '').matchAll(/`([a-z-]+)`/g)].map(([, name]) => name!);
    return [
      ...Object.keys(seeds).flatMap((name) => {
        if (!names.includes(name)) return [`${seedsFile}: there is no mutant ${name}`];
        return notShown.includes(name) ? [`${seedsFile}: ${name} is not shown now, says docs/mutants.md`] : [];
      }),
      ...names
        .filter((name) => seeds[name] === undefined && !notShown.includes(name))
        .map((name) => `${seedsFile}: ${name} has no run, and docs/mutants.md does not say that it is not shown`),
      ...notShown
        .filter((name) => !names.includes(name))
        .map((name) => `docs/mutants.md: there is no mutant ${name} that could be not shown`),
    ];
  };

/** Not in the parts that work record by record. */
const perRecord: Check = (files) =>
  files
    .filter(
      ({ path, text }) => /^lib\/(?:operators|model|dsl|planner|graph|api|cli|adapters|ports)\//.test(path) && text.includes('mutated('),
    )
    .map(({ path }) => `${path}: mutants stand where work is done by commit, message or task`);

const marks = /^(?:[A-Z]{1,2}\d+|design §\d+(?:\.\d+)?|reliability §2\.6\.\d+|ADR \d+)$/;

/** Which rule: its marks, each of them in the header of a file or the title of a decision; what is in the other documents cannot be looked up here. */
const unruled =
  (rules: Readonly<Record<string, string>>): Check =>
  (files) => {
    const headers = files.filter(({ path }) => path.startsWith('lib/')).map(({ text }) => text.slice(0, 6_000));
    const isKnown = (mark: string): boolean => {
      if (/^(?:design|reliability)/.test(mark)) return true;
      const adr = /^ADR (\d+)$/.exec(mark)?.[1];
      return adr === undefined
        ? headers.some((text) => text.includes(` * ${mark}. `))
        : files.some(({ path }) => path.startsWith(`docs/adr/${adr.padStart(4, '0')}-`));
    };
    return Object.entries(rules).flatMap(([name, rule]) => {
      const [named = '', text] = rule.split(': ');
      const wrong = named.split(', ').filter((mark) => !marks.test(mark) || !isKnown(mark));
      return wrong.length === 0 && text !== undefined
        ? []
        : [`${home}: ${name} names no rule that is written down: ${wrong.join(', ') || rule}`];
    });
  };

/** Rules of the design and hazards, by name: each with mutants that there are, or with the reason why it needs none. */
const mapped: Check = (files) => {
  const page = files.find(({ path }) => path === 'docs/mutants.md')?.text ?? '';
  const rows = page.split('## Rules and hazards')[1]?.split('\n## ')[0] ?? '';
  const range = (letter: string, last: number): string[] => Array.from({ length: last }, (_, i) => `${letter}${i + 1}`);
  const ids = [...range('C', 8), ...range('H', 11), ...range('M', 12), ...range('W', 3), ...range('X', 20), ...range('2.6.', 10)];
  const missing = ids.filter((id) => !rows.includes(`| ${id} `)).map((id) => `docs/mutants.md: hazard ${id} has no row`);
  const inRows = [...rows.matchAll(/`([a-z-]+)`/g)].map(([, name]) => name!);
  const strange = inRows.filter((name) => !names.includes(name)).map((name) => `docs/mutants.md: there is no mutant ${name}`);
  const nowhere = names.filter((name) => !inRows.includes(name)).map((name) => `docs/mutants.md: ${name} stands for no rule of the design`);
  return [...missing, ...strange, ...nowhere];
};

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
    ['each has a run that shows it, or is said to have none now', seeded(knownSeeds)],
    ['each names a rule that is written down', unruled(mutantRules)],
    ['each rule of the design and each hazard has its mutants, and each mutant its place there', mapped],
  ])('%s', (_what, check) => {
    expect(check(repositoryFiles())).toEqual([]);
  });

  test('a planted violation of each is found', () => {
    expect(lib([{ path: 'lib/runtime/planted.ts', text: 'switchMutant' }])).toHaveLength(names.length + 1);
    expect(perRecord([{ path: 'lib/operators/planted.ts', text: "mutated('no-witness')" }])).toHaveLength(1);
    expect(documented([])).toHaveLength(names.length);
    const notShown = [{ path: 'docs/mutants.md', text: '## Not shown now\n`no-witness`, `strange`' }];
    expect(seeded({ 'no-witness': ['chain', 1], planted: ['chain', 1] })(notShown)).toHaveLength(names.length - 1 + 3);
    expect(unruled({ planted: 'ZZ9: no such rule', unmarked: 'something' })(repositoryFiles())).toHaveLength(2);
    expect(mapped([{ path: 'docs/mutants.md', text: '## Rules and hazards\n| C1 | `planted` |' }])).toHaveLength(64 - 1 + 1 + names.length);
  });
});
