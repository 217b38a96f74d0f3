/** Markdown as these tests need it: fenced blocks by language. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { repositoryFiles, repositoryRoot } from '../tidy/repository.ts';

export interface CodeBlock {
  readonly page: string;
  /** Of its first line of code. */
  readonly line: number;
  readonly language: string;
  readonly text: string;
}

export function readPage(path: string): string {
  return readFileSync(join(repositoryRoot, path), 'utf8');
}

/** Blocks of the README, CONTRIBUTING and everything below docs. */
export function documentBlocks(): readonly CodeBlock[] {
  return repositoryFiles()
    .filter(({ path }) => /^(?:README|CONTRIBUTING)\.md$|^docs\/.*\.md$/.test(path))
    .flatMap(({ path, text }) => blocksOf(path, text));
}

export function blocksOf(page: string, text: string): readonly CodeBlock[] {
  return [...text.matchAll(/^```(\w*)[^\n]*\n([\s\S]*?)^```[ \t]*$/gm)].map(({ index, 1: language = '', 2: code = '' }) => ({
    page,
    line: text.slice(0, index).split('\n').length + 1,
    language,
    text: code,
  }));
}
