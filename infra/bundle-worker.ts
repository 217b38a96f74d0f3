/** `node bundle-worker.ts DIRECTORY HANDLER,… [JOB-MODULE]`: see bundle-job.ts. */
import { readFile } from 'node:fs/promises';
import { extname, join, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, transform, type Plugin } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
/** Sources in the repository; in the package that users install what was built from them. */
const extension = extname(import.meta.url);
const [outdir, handlers, entry] = process.argv.slice(2);
if (outdir === undefined || handlers === undefined) throw new Error('node bundle-worker.ts DIRECTORY HANDLER,… [JOB-MODULE]');

/** What runs in production has no mutants (docs/testing.md): each call becomes `false` before anything else sees it. */
const withoutMutants: Plugin = {
  name: 'without-mutants',
  setup: (bundle) => {
    bundle.onLoad({ filter: /[\\/]lib[\\/].*\.ts$/ }, async ({ path }) => {
      const text = await readFile(path, 'utf8');
      return { contents: text.replace(/\bmutated\(\s*'[a-z-]+'\s*,?\s*\)/g, 'false'), loader: 'ts' };
    });
  },
};

/** Names of the user's functions and classes stand in messages; names of everybody else's are 40 kB that each cold start would load. */
const withUsersNames: Plugin = {
  name: 'with-users-names',
  setup: (bundle) => {
    bundle.onLoad({ filter: /\.[cm]?[jt]s$/ }, async ({ path }) => {
      if (/[\\/]node_modules[\\/]/.test(path) || path.startsWith(join(root, 'lib', sep)) || path.startsWith(join(root, 'functions', sep)))
        return undefined;
      const loader = /ts$/.test(path) ? 'ts' : 'js';
      const text = await readFile(path, 'utf8');
      const { code } = await transform(text, { loader, keepNames: true, sourcemap: 'inline', sourcefile: path, target: 'node24' });
      return { contents: code, loader: 'js' };
    });
  },
};

/** The user's module in the place of functions/bundled-job.ts. */
const withJob: Plugin = {
  name: 'with-job',
  setup: (bundle) => {
    if (entry !== undefined) bundle.onResolve({ filter: /[\\/]bundled-job\.[tj]s$/ }, () => ({ path: resolve(entry) }));
  },
};

await build({
  entryPoints: Object.fromEntries(handlers.split(',').map((name) => [name, join(root, 'functions', `${name}${extension}`)])),
  outdir,
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node24',
  outExtension: { '.js': '.mjs' },
  // The SDK's CommonJS entry points cannot be shaken: a quarter more to load.
  mainFields: ['module', 'main'],
  conditions: [...(extension === '.ts' ? ['sluice-source'] : []), 'module'],
  minify: true,
  sourcemap: 'linked',
  sourcesContent: false,
  legalComments: 'none',
  banner: { js: "import{createRequire as __createRequire}from'node:module';const require=__createRequire(import.meta.url);" },
  plugins: [withoutMutants, withUsersNames, withJob],
  logLevel: 'error',
});
