import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface TextFile {
  /** Relative to the root of the repository, with `/`. */
  readonly path: string;
  readonly text: string;
}

/** Facts in, complaints out: a check sees files as values, so that a violation can be planted without touching the disk. */
export type Check = (files: readonly TextFile[]) => readonly string[];

export const repositoryRoot: string = join(import.meta.dirname, '../..');

/** Every text file that is tracked or about to be: what git ignores is no part of the project. */
export function repositoryFiles(): readonly TextFile[] {
  // A clone that another user made (a container's volume) is still this repository.
  const listed = execFileSync('git', ['-c', 'safe.directory=*', 'ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: repositoryRoot,
    encoding: 'utf8',
  });
  return [...new Set(listed.split('\0'))]
    .filter((path) => path !== '' && existsSync(join(repositoryRoot, path)))
    .map((path) => ({ path, text: readFileSync(join(repositoryRoot, path), 'utf8') }))
    .filter(({ text }) => !text.includes('\0'));
}

/** `path:line: what` for every line on which the pattern is found. */
export function linesMatching(files: readonly TextFile[], pattern: RegExp, what: string): readonly string[] {
  return files.flatMap(({ path, text }) =>
    text.split('\n').flatMap((line, index) => (pattern.test(line) ? [`${path}:${index + 1}: ${what}: ${line.trim().slice(0, 120)}`] : [])),
  );
}
