/**
 * One bundle of a whole job: the handlers of functions/, the job's own modules and the SDK, as ES modules with shared chunks, so that what one handler does
 * not need is not loaded with it. By esbuild in a process of its own, because a construct cannot wait.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { extname, join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface JobBundle {
  readonly directory: string;
  /** Of everything in it: the code that a function of it runs. */
  readonly digest: string;
}

/** In the package that users install it is built. */
const worker = fileURLToPath(new URL(`./bundle-worker${extname(import.meta.url)}`, import.meta.url));
const ofJob = ['operator', 'coordinator', 'relay', 'api', 'deployment', 'intake-sqs', 'intake-http'];
const bundles = new Map<string, JobBundle>();

/** @throws Error with esbuild's own messages where the job's modules cannot be bundled */
export function bundleJob(entry: string): JobBundle {
  return bundle(entry, { handlers: ofJob, entry });
}

/** What answers questions about all jobs: none of their modules are in it. */
export function bundleControlPlane(): JobBundle {
  return bundle('the control plane', { handlers: ['overview'] });
}

/** What fills the console's bucket, and the page itself, whose files are in the digest too. @throws Error where the folder has no page */
export function bundleConsole(folder: string): JobBundle {
  if (!existsSync(join(folder, 'index.html')))
    throw new Error(`${folder} has no index.html: build the console first, and give the folder that it was built into`);
  return bundle(`the console in ${folder}`, { handlers: ['console-site'], site: folder });
}

interface Content {
  /** Modules of functions/. */
  readonly handlers: readonly string[];
  /** The user's module with the job. */
  readonly entry?: string;
  /** A folder to be beside them, as `site`. */
  readonly site?: string;
}

function bundle(name: string, { handlers, entry, site }: Content): JobBundle {
  const known = bundles.get(name);
  if (known !== undefined) return known;
  const directory = mkdtempSync(join(tmpdir(), 'sluice-bundle-'));
  const { status, stderr } = spawnSync(process.execPath, [worker, directory, handlers.join(','), ...(entry === undefined ? [] : [entry])], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`${name} cannot be bundled:\n${stderr}`);
  if (site !== undefined) cpSync(site, join(directory, 'site'), { recursive: true });
  process.once('exit', () => rmSync(directory, { recursive: true, force: true }));
  const made = { directory, digest: digestOf(directory) };
  bundles.set(name, made);
  return made;
}

/**
 * Of the code alone: the same wherever the project lies, and from wherever it is deployed. Maps name the places of sources, and names of chunks are made of
 * their maps too, so these are left out, and the chunks are in the order of what is in them.
 */
function digestOf(directory: string): string {
  const names = readdirSync(directory, { recursive: true, encoding: 'utf8' });
  const modules = names
    .filter((name) => name.endsWith('.mjs') && !isOfSite(name))
    .map((name) => `${name}\0${readFileSync(join(directory, name), 'utf8')}\0`.replace(contentHash, '').replace(mapComment, ''));
  const page = names
    .filter((name) => isOfSite(name) && statSync(join(directory, name)).isFile())
    .map((name) => `${name}\0${readFileSync(join(directory, name), 'latin1')}\0`);
  return createHash('sha256')
    .update([...modules.sort(), ...page.sort()].join(''))
    .digest('hex')
    .slice(0, 16);
}

const isOfSite = (name: string): boolean => name.startsWith(`site${sep}`);

/** In names of files that esbuild makes: `chunk-24B66SOQ.mjs`. */
const contentHash = /-[A-Z0-9]{8}(?=\.mjs)/g;
const mapComment = /^\/\/# sourceMappingURL=.*$/gm;
