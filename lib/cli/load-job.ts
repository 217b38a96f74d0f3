/** The job that a module exports: `sluice run path/to/job.ts`. */
import { registerHooks } from 'node:module';
import { extname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { SluiceError } from '../base/errors.ts';
import { compileJob, type CompiledJob } from '../dsl/compile-job.ts';
import type { Job } from '../dsl/define-job.ts';
import type { CliIo } from './cli-io.ts';
import { importJob } from './import-job.ts';
import { moduleDigest, noteImport } from './job-modules.ts';

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

export interface CompiledFile extends CompiledJob {
  /** Digest of the job's own modules. */
  readonly code: string;
}

/** @throws SluiceError of `loadJob` or of `compileJob` */
export async function compileFile(io: CliIo, path: string, { set, parallelism, maxParallelism }: JobOptions): Promise<CompiledFile> {
  const { job, code } = await loadJob(path, io.folder);
  const compiled = compileJob(job, {
    parameters: set,
    ...(parallelism === undefined ? {} : { parallelism }),
    ...(maxParallelism === undefined ? {} : { maxParallelism }),
  });
  return { ...compiled, code };
}

/** @throws SluiceError `SLUICE-JOB-MISSING`, `SLUICE-JOB-MODULE`, or `SLUICE-JOB-EXPORT` */
export async function loadJob(path: string, folder: string): Promise<{ readonly job: Job; readonly code: string }> {
  const file = resolve(folder, path);
  resolveOwnName();
  const exports = await importJob(path, file);
  const { job } = exports;
  if (isJob(job)) return { job, code: moduleDigest(pathToFileURL(file).href) };
  const misnamed = Object.keys(exports).find((name) => isJob(exports[name]));
  throw new SluiceError('SLUICE-JOB-EXPORT', `${path} exports no job${job === undefined ? '' : `: its export \`job\` is something else`}`, {
    hint:
      misnamed === undefined
        ? "Write `export const job = defineJob({ … })` in it, with defineJob from 'sluice'."
        : `The job must be called \`job\`: write \`export const job = …\` ${misnamed === 'default' ? 'in place of the default export' : `in place of \`${misnamed}\``}.`,
    facts: { file },
  });
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
      noteImport(context.parentURL, resolved.url);
      const isOfUser = /^file:.*\.ts$/.test(resolved.url) && !resolved.url.includes('/node_modules/');
      return isOfUser ? { ...resolved, format: 'module-typescript' } : resolved;
    },
  });
}
