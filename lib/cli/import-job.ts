/** Imports the module that a job stands in, and says what is wrong with it in terms of what to do about it. */
import { statSync } from 'node:fs';
import { extname } from 'node:path';
import { pathToFileURL } from 'node:url';
import { errorCode, errorMessage, SluiceError } from '../base/errors.ts';

export type JobModule = Readonly<Record<string, unknown>>;

const extensions: readonly string[] = ['.ts', '.mts', '.cts', '.js', '.mjs', '.cjs'];

/**
 * `path` is what the user wrote, `file` where that is.
 *
 * @throws SluiceError `SLUICE-JOB-MISSING` or `SLUICE-JOB-MODULE`
 */
export async function importJob(path: string, file: string): Promise<JobModule> {
  try {
    const missing = problemOf(path, file);
    if (missing === undefined) return await Promise.race([import(pathToFileURL(file).href) as Promise<JobModule>, neverEnds()]);
    throw new SluiceError('SLUICE-JOB-MISSING', missing, { hint: 'Name the file that exports the job, such as job.ts.', facts: { file } });
  } catch (error) {
    if (errorCode(error) === 'SLUICE-JOB-MISSING') throw error;
    throw new SluiceError('SLUICE-JOB-MODULE', `${path} could not be loaded: ${errorMessage(error)}`, {
      hint: hintOf(error),
      facts: { file },
      cause: error,
    });
  }
}

/** Rejects when nothing is left that the import could wait for: Node would end without a word. */
function neverEnds(): Promise<never> {
  return new Promise((_, reject) => {
    process.once('beforeExit', () => reject(Object.assign(new Error('a top-level await in it never ends'), { code: neverEnding })));
  });
}

function problemOf(path: string, file: string): string | undefined {
  if (path === '') return 'the path to the job is empty';
  const found = statSync(file, { throwIfNoEntry: false });
  if (found === undefined) return `there is no file ${path}`;
  if (found.isDirectory()) return `${path} is a folder`;
  return extensions.includes(extname(file)) ? undefined : `${path} is no TypeScript or JavaScript file`;
}

function hintOf(error: unknown): string {
  const code = errorCode(error);
  if (code !== undefined && Object.hasOwn(hints, code)) return hints[code]!;
  if (/outside a module|'import' and 'export'/.test(errorMessage(error))) {
    return 'Name the file .mjs or .ts, or write "type": "module" in the package.json beside it.';
  }
  if (error instanceof SyntaxError) return 'Correct the file, or what it imports.';
  return 'Correct the file, or what it imports: it threw while it was loaded.';
}

const neverEnding = 'ERR_NEVER_ENDS';

const hints: Readonly<Record<string, string>> = {
  [neverEnding]: 'Let what is awaited end, or leave the await out.',
  EACCES: 'Look at the permissions of the file and of the folders above it.',
  ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX:
    'Write it without: Node only strips types, so enums, namespaces and parameter properties cannot be used.',
  ERR_INVALID_TYPESCRIPT_SYNTAX: 'Correct the syntax.',
  ERR_MODULE_NOT_FOUND: 'Install the package that is named, or correct the path: a relative import has its extension, as in ./total.ts.',
  ERR_UNSUPPORTED_DIR_IMPORT: 'Import a file, with its extension, as in ./shops/index.ts.',
  ERR_UNSUPPORTED_NODE_MODULES_TYPE_STRIPPING: 'Copy the file out of node_modules: Node strips no types there.',
};
