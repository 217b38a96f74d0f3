/** What the documentation shows is run: its jobs, its commands, its scripts. */
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { sluice } from '../cli/test-io.ts';
import { repositoryRoot } from '../tidy/repository.ts';
import { blocksOf, documentBlocks, readPage, type CodeBlock } from './markdown.ts';
import { typeCheck } from './type-check.ts';

const blocks = documentBlocks();
const readme = blocks.filter(({ page }) => page === 'README.md');
const ofLanguage = (language: string, among: readonly CodeBlock[] = blocks): readonly CodeBlock[] =>
  among.filter((block) => block.language === language);

/** Lines that are commands, without comments. */
function commandsIn(among: readonly CodeBlock[]): readonly string[] {
  return ofLanguage('sh', among).flatMap(({ text }) =>
    text
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== '' && !line.startsWith('#')),
  );
}

describe('TypeScript in the documentation', () => {
  test('has the types that it claims, every block by itself', { timeout: 120_000 }, () => {
    expect(ofLanguage('ts').length).toBeGreaterThan(0);
    expect(typeCheck(ofLanguage('ts'))).toEqual([]);
  });

  test('is refused where it is wrong, with page and line', () => {
    const wrong = blocksOf(
      'docs/planted.md',
      "# Planted\n\n```ts\nimport { minutes } from 'sluice';\n\nexport const delay: string = minutes(1);\n```\n",
    );
    expect(typeCheck(wrong)).toEqual([expect.stringMatching(/^docs\/planted\.md:6: .*'number'.*'string'/)]);
  });
});

describe('programs in the documentation', () => {
  const programs = ofLanguage('ts').filter(({ text }) => text.includes("from 'node:assert/strict'"));

  test.each(programs.map((block) => [`${block.page}:${block.line}`, block] as const))(
    'do what they assert: %s',
    async (_place, { text }) => {
      // Inside the package, where `sluice` is found, and where git does not look.
      const folder = join(repositoryRoot, '.sluice');
      await mkdir(folder, { recursive: true });
      const file = join(folder, `documentation-${process.pid}-${Math.random().toString(36).slice(2)}.ts`);
      await writeFile(file, text);
      try {
        await import(file);
      } finally {
        await rm(file);
      }
    },
  );

  test('are there', () => {
    expect(programs).not.toEqual([]);
  });
});

describe('the README', () => {
  test('shows the job that stands in examples/readme', () => {
    expect(ofLanguage('ts', readme).map(({ text }) => text)).toEqual([readPage('examples/readme/job.ts')]);
  });

  test('shows what that job writes', async () => {
    const command = commandsIn(readme).find((line) => line.startsWith('npx sluice run'))!;
    const output = await mkdtemp(join(tmpdir(), 'sluice-readme-'));
    const args = command
      .split(/\s+/)
      .slice(2)
      .map((word) => (word.startsWith('output=') ? `output=${output}` : word));
    try {
      const { exitCode, err } = await sluice(...args, '--port', '0');
      expect(exitCode, err).toBe(0);
      const files = (await readdir(output)).filter((name) => !name.startsWith('.')).sort();
      const written = await Promise.all(files.map((name) => readFile(join(output, name), 'utf8')));
      const [shown] = ofLanguage('json', readme);
      expect(written.join('')).toBe(shown?.text);
    } finally {
      await rm(output, { recursive: true, force: true });
    }
  });

  test('begins its commands with the demonstration and the tests', () => {
    expect(commandsIn(readme).slice(0, 2)).toEqual(['npm ci && npm start', 'npm ci && npm test']);
  });
});

describe('commands in the documentation', () => {
  test('are scripts of the package where they are npm’s', () => {
    const { scripts } = JSON.parse(readPage('package.json')) as { readonly scripts: Readonly<Record<string, string>> };
    const wanted = commandsIn(blocks).flatMap((line) => [
      ...line.matchAll(/\bnpm (?:run (?:-s )?)?(?!ci\b|run\b|rebuild\b|install\b)([\w:-]+)/g),
    ]);
    expect(wanted.length).toBeGreaterThan(0);
    expect(wanted.map(([, script = '']) => script).filter((script) => !Object.hasOwn(scripts, script))).toEqual([]);
  });

  test('have options that exist where they are Sluice’s', async () => {
    const lines = commandsIn(blocks).filter((line) => /^(?:npx )?sluice [a-z]/.test(line));
    expect(lines.length).toBeGreaterThan(0);
    const unknown: string[] = [];
    for (const line of lines) {
      const [command = '', ...words] = line.replace(/^npx /, '').split(/\s+/).slice(1);
      const { exitCode, out } = await sluice(command, '--help');
      const options = words.filter((word) => word.startsWith('--') && !out.includes(`${word} `) && word !== '--help');
      if (exitCode !== 0 || options.length > 0) unknown.push(`${line}: ${[command, ...options].join(' ')}`);
    }
    expect(unknown).toEqual([]);
  });
});
