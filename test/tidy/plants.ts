import type { TextFile } from './repository.ts';

/** For every check: cases in each of which it must find something, and their innocent twins. This file alone is exempt from the checks of text. */
interface Plant {
  readonly bad: readonly (readonly TextFile[])[];
  readonly good: readonly TextFile[];
}

const file = (path: string, text: string): TextFile => ({ path, text });
const lines = (count: number): string => 'const line = 1;\n'.repeat(count);
const exportsOf = (count: number): string =>
  Array.from({ length: count }, (_, index) => `export const name${index} = ${index};`).join('\n');
const manifest = (facts: unknown): TextFile => file('package.json', JSON.stringify(facts));
const fence = '```';

function readme(firstCodeLine: number, lineCount: number): string {
  const page = [...Array.from({ length: firstCodeLine - 1 }, () => 'text'), `${fence}sh`, 'npm start', fence];
  return `${[...page, ...Array.from({ length: lineCount - page.length }, () => 'text')].join('\n')}\n`;
}

export const plants: Readonly<Record<string, Plant>> = {
  'no code file is longer than 400 lines': {
    bad: [[file('lib/base/long.ts', lines(401))], [file('test/base/long.test.ts', lines(401))]],
    good: [file('lib/base/long.ts', lines(400)), file('docs/long.md', lines(500)), file('test/golden/long.ts', lines(500))],
  },
  'nothing is marked as left to do': {
    bad: [[file('lib/base/a.ts', '// TODO later\n')], [file('docs/a.md', 'FIXME\n')], [file('test/a.test.ts', '/* XXX */\n')]],
    good: [file('lib/base/a.ts', 'const TODOS = 1; // a to-do list, XXXL\n'), file('package-lock.json', '"integrity": "sha512-a+XXX+b"')],
  },
  'no test is focused, skipped or only planned': {
    bad: [
      [file('test/a.test.ts', "test.only('a', () => {});\n")],
      [file('test/b.test.ts', "describe.skip('b', () => {});\n")],
      [file('test/c.test.ts', "it.todo('c');\n")],
      [file('test/d.test.ts', "xit('d', () => {});\n")],
    ],
    good: [file('test/a.test.ts', "test.skipIf(endpoint === undefined)('a', () => {}); exit(1); skip.only;\n")],
  },
  'no path of one machine is named': {
    bad: [
      [file('lib/a.ts', "const folder = '/tmp/data';\n")],
      [file('docs/a.md', 'cd /work/main\n')],
      [file('.ci/run', 'cat /root/.profile\n')],
      [file('docs/b.md', 'file:///home/me/job.ts\n')],
    ],
    good: [file('lib/a.ts', "const route = '/v1/tmp/x'; const folder = join(tmpdir(), 'work/a');\n"), file('.gitignore', '/tmp/\n')],
  },
  'no registry host is named': {
    bad: [
      [file('.npmrc', 'registry=https://registry.example.org/\n')],
      [file('docs/a.md', 'from npm.pkg.example.com\n')],
      [file('package-lock.json', '  "resolved": "https://packages.example/a.tgz",\n')],
    ],
    good: [
      file('lib/a.ts', 'registry.operators.get(name); npm.run.test();\n'),
      file('package-lock.json', '"url": "https://opencollective.example"\n'),
    ],
  },
  'every lint suppression says why': {
    bad: [
      [file('lib/a.ts', '// eslint-disable-next-line max-lines-per-function\n')],
      [file('lib/b.ts', '/* eslint-disable no-var -- because */\n')],
    ],
    good: [file('lib/a.ts', '// eslint-disable-next-line max-lines-per-function -- one hot loop, split it and it is 20 % slower\n')],
  },
  'files and folders have kebab-case names': {
    bad: [[file('lib/base/keyGroup.ts', '')], [file('lib/Base/key.ts', '')], [file('docs/my_page.md', '')], [file('docs/README2.MD', '')]],
    good: [
      file('lib/base/key-group.ts', ''),
      file('test/a-b.test.ts', ''),
      file('README.md', ''),
      file('.ci/run', ''),
      file('docs/adr/0001-one-log.md', ''),
      file('test/golden/_metadata', ''),
    ],
  },
  'no file has more than 5 exports': {
    bad: [
      [file('lib/base/a.ts', exportsOf(6))],
      [file('lib/base/b.ts', 'const a=1,b=2,c=3,d=4,e=5,f=6;export {a,b,c,d,e,f};')],
      [file('lib/base/inner/index.ts', exportsOf(6))],
    ],
    good: [
      file('lib/index.ts', exportsOf(60)),
      file('lib/testing/index.ts', exportsOf(6)),
      file('lib/base/a.ts', exportsOf(5)),
      file('lib/base/types.ts', `${exportsOf(5)}\nexport type F = 1;\nexport interface G {}\n`),
      file(
        'lib/base/c.ts',
        `${exportsOf(4)}\nexport function f(a: 1): 1;\nexport function f(a: 2): 2;\nexport function f(a: number) { return a; }\n`,
      ),
      file('lib/base/d.ts', 'const internal0 = 0; const x = "export const a";\n'.repeat(6)),
    ],
  },
  'only public entries are barrels': {
    bad: [[file('lib/base/all.ts', "export * from './ids.ts';\n")]],
    good: [file('lib/index.ts', "export * from './base/ids.ts';\n"), file('lib/base/a.ts', "export { b } from './b.ts';\n")],
  },
  'no file of lib is unreachable': {
    bad: [
      [
        manifest({ exports: { '.': { 'sluice-source': './lib/index.ts', default: './dist/index.js' } } }),
        file('lib/index.ts', ''),
        file('lib/base/a.ts', ''),
        file('test/a.test.ts', "import '../lib/base/a.ts';"),
      ],
    ],
    good: [
      manifest({ exports: { '.': { 'sluice-source': './lib/index.ts', default: './dist/index.js' } } }),
      file('lib/index.ts', "export type { A } from './base/a.ts';\n"),
      file('lib/base/a.ts', "const worker = new URL('../runtime/worker.ts', import.meta.url);\n"),
      file('lib/runtime/worker.ts', "import './worker.ts';\n"),
      file('bin/sluice.mjs', "await import('../lib/cli/main.ts');\n"),
      file('lib/cli/main.ts', ''),
    ],
  },
  'every relative link of a Markdown page leads somewhere': {
    bad: [
      [file('README.md', '[a](docs/gone.md)\n')],
      [file('README.md', '# One\n[b](#no-such-heading)\n')],
      [file('README.md', '[a][c]\n\n[c]: ../outside.md\n')],
      [file('README.md', '# One\n'), file('docs/a.md', '[other](../README.md#nothing)\n')],
    ],
    good: [
      file(
        'README.md',
        `# Top, with \`code\`\n[a](docs/a.md#one--two) [b](https://example.com/x) [c](docs/ "folder") [d](#top-with-code)\n${fence}\n[x](y.md)\n${fence}\n\`[x](z.md)\`\n`,
      ),
      file('docs/a.md', '## One & two\n[up](../README.md)\n'),
    ],
  },
  'docs/errors.md lists exactly the error codes that the code has': {
    bad: [
      [file('docs/errors.md', '| `SLUICE-A` | gone |\n'), file('test/a.test.ts', 'SLUICE-A')],
      [file('docs/errors.md', '| `SLUICE-A-B` |\n'), file('lib/a.ts', "'SLUICE-A-B'; throw new SluiceError('SLUICE-A', '', {});\n")],
    ],
    good: [
      file('docs/errors.md', '| `SLUICE-A` |\n## SLUICE-B-2\n'),
      file('lib/a.ts', "'SLUICE-A'"),
      file('bin/sluice.mjs', "'SLUICE-B-2'"),
    ],
  },
  'every documented error code is provoked by a test': {
    bad: [
      [file('docs/errors.md', '`SLUICE-A`'), file('test/tidy/a.ts', 'SLUICE-A')],
      [file('docs/errors.md', '`SLUICE-A`'), file('test/a.test.ts', 'SLUICE-A-LONGER')],
    ],
    good: [file('docs/errors.md', '`SLUICE-A`'), file('test/a.test.ts', "expect(code).toBe('SLUICE-A');")],
  },
  'README.md is short and shows code early': {
    bad: [[file('README.md', 'no code\n')], [file('README.md', readme(20, 100))], [file('README.md', readme(19, 120))]],
    good: [file('README.md', readme(19, 119)), file('docs/long.md', 'text\n'.repeat(500))],
  },
  'package.json names exact versions': {
    bad: [
      [manifest({ dependencies: { a: '^1.0.0' } })],
      [manifest({ devDependencies: { a: '1.0.0', b: 'latest' } })],
      [manifest({ optionalDependencies: { c: '1.x' } })],
    ],
    good: [manifest({ dependencies: { a: '1.0.0' }, devDependencies: { b: '2.3.4-rc.1' } })],
  },
};
