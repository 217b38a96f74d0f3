/** The job that a module exports: `sluice run path/to/job.ts`. */
import { existsSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { extname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { errorMessage, SluiceError } from '../base/errors.ts';
import { compileJob, type CompiledJob } from '../dsl/compile-job.ts';
import type { Job } from '../dsl/define-job.ts';
import type { CliIo } from './cli-io.ts';

/** `.ts` here, `.js` in an installed package. */
const extension = extname(import.meta.url);

const publicEntries: Readonly<Record<string, string>> = {
  sluice: new URL(`../index${extension}`, import.meta.url).href,
  'sluice/testing': new URL(`../testing/index${extension}`, import.meta.url).href,
};

/** What makes a plan out of a job, as commander hands it over. */
export interface JobOptions {
  readonly set: Readonly<Record<string, string>>;
  readonly parallelism?: number;
  readonly maxParallelism?: number;
}

/** @throws SluiceError of `loadJob` or of `compileJob` */
export async function compileFile(io: CliIo, path: string, { set, parallelism, maxParallelism }: JobOptions): Promise<CompiledJob> {
  return compileJob(await loadJob(path, io.folder), {
    parameters: set,
    ...(parallelism === undefined ? {} : { parallelism }),
    ...(maxParallelism === undefined ? {} : { maxParallelism }),
  });
}

/** @throws SluiceError `SLUICE-JOB-MISSING`, `SLUICE-JOB-MODULE`, or `SLUICE-JOB-EXPORT` */
async function loadJob(path: string, folder: string): Promise<Job> {
  const file = resolve(folder, path);
  if (!existsSync(file)) {
    throw new SluiceError('SLUICE-JOB-MISSING', `there is no file ${path}`, { hint: 'Check the path to the job.', facts: { file } });
  }
  resolveOwnName();
  const { job } = await importModule(path, file);
  if (isJob(job)) return job;
  throw new SluiceError('SLUICE-JOB-EXPORT', `${path} exports no job${job === undefined ? '' : `: its export \`job\` is something else`}`, {
    hint: "Write `export const job = defineJob({ … })` in it, with defineJob from 'sluice'.",
    facts: { file },
  });
}

async function importModule(path: string, file: string): Promise<{ readonly job?: unknown }> {
  try {
    return (await import(pathToFileURL(file).href)) as { readonly job?: unknown };
  } catch (error) {
    throw new SluiceError('SLUICE-JOB-MODULE', `${path} could not be loaded: ${errorMessage(error)}`, {
      hint: 'Correct the file, or what it imports. Node only strips types: enums, namespaces and parameter properties cannot be used.',
      facts: { file },
      cause: error,
    });
  }
}

/** The symbol may come from a bundle's own copy of Sluice, so the kind decides and not the class. */
function isJob(value: unknown): value is Job {
  return typeof value === 'object' && value !== null && (value as { readonly kind?: unknown }).kind === 'sluice-job';
}

let resolving = false;

/**
 * A job file anywhere on the disk may import 'sluice' and gets this one, whether or not it is installed beside the file. TypeScript beside it is ES modules,
 * whatever the nearest package.json says: what `npm init` writes says CommonJS.
 */
function resolveOwnName(): void {
  if (resolving) return;
  resolving = true;
  registerHooks({
    resolve: (specifier, context, next) => {
      const url = publicEntries[specifier];
      if (url !== undefined) return { url, shortCircuit: true };
      const resolved = next(specifier, context);
      const isOfUser = /^file:.*\.ts$/.test(resolved.url) && !resolved.url.includes('/node_modules/');
      return isOfUser ? { ...resolved, format: 'module-typescript' } : resolved;
    },
  });
}
