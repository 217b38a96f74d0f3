#!/usr/bin/env node
/**
 * Starts the command line under the Node that the project is pinned to, whatever Node was found first: plain JavaScript that Node 18 can read.
 *
 * Owns: the version check, running itself again under the pinned binary, whether lib/ or dist/ is run, the compile cache, and which warnings are kept from
 * the user.
 * Does not own: commands (lib/cli/main.ts).
 */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import * as nodeModule from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';

const wantedMajor = 24;
/** A package that npm packed has only what was built from lib/: under node_modules Node strips no types. */
const isSource = existsSync(new URL('../lib/', import.meta.url));

if (majorOf(process.versions.node) >= wantedMajor) {
  await start();
} else {
  runUnderPinnedNode();
}

async function start() {
  endWithParent();
  silenceExperimental();
  // A small young generation: a third less memory for records that live for one batch, at the same speed (npm run bench, memory).
  setFlagsFromString('--max-semi-space-size=8');
  // Quick starts: compiled and type-stripped sources are kept between runs.
  nodeModule.enableCompileCache?.();
  const args = process.argv.slice(2);
  if (isSource) {
    const { startProcess } = await import('../lib/cli/start-process.ts');
    return startProcess(args);
  }
  const { startProcess } = await import(new URL('../dist/lib/cli/start-process.js', import.meta.url).href);
  return startProcess(args);
}

/** Node's own features that we rely on knowingly; every other warning is shown. */
function silenceExperimental() {
  const emit = process.emitWarning.bind(process);
  const known = /^(SQLite|Type Stripping|registerHooks|module\.registerHooks) is an experimental feature/;
  /** @param {string | Error} warning @param {any[]} rest */
  process.emitWarning = (warning, ...rest) => {
    if (!known.test(typeof warning === 'string' ? warning : warning.message)) emit(warning, ...rest);
  };
}

/** Under an older Node there is a process above us: when it is killed, so are we. */
function endWithParent() {
  const isRestarted = process.env['SLUICE_RESTARTED'] !== undefined;
  // Not for what this process starts itself.
  delete process.env['SLUICE_RESTARTED'];
  if (!isRestarted || process.channel === undefined) return;
  process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
  process.channel?.unref();
}

function runUnderPinnedNode() {
  const { binary, missing } = pinnedNode();
  if (binary === undefined || process.env['SLUICE_RESTARTED'] !== undefined) {
    process.stderr.write(
      [
        `error SLUICE-NODE-VERSION: Sluice runs on Node ${wantedMajor} or newer, and this is ${process.versions.node}`,
        `  cause: ${missing ?? 'the npm package `node` does not start the Node that it names'}`,
        isSource
          ? `  next:  Run \`npm rebuild node --ignore-scripts=false\`, or use Node ${wantedMajor}.`
          : `  next:  Use Node ${wantedMajor}, or install one beside Sluice: \`npm install node@${wantedMajor} --ignore-scripts=false\`.`,
        '',
      ].join('\n'),
    );
    process.exitCode = 1;
    return;
  }
  const child = spawn(binary, [...process.execArgv, fileURLToPath(import.meta.url), ...process.argv.slice(2)], {
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    env: { ...process.env, SLUICE_RESTARTED: '1' },
  });
  for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) process.on(signal, () => child.kill(signal));
  child.on('exit', (code, signal) => {
    if (signal !== null) {
      process.removeAllListeners(signal);
      process.kill(process.pid, signal);
    } else {
      process.exitCode = code ?? 1;
    }
  });
}

/** @returns {{ binary?: string, missing?: string }} */
function pinnedNode() {
  try {
    const manifest = createRequire(import.meta.url).resolve('node/package.json');
    const { version } = JSON.parse(readFileSync(manifest, 'utf8'));
    if (majorOf(version) < wantedMajor) return { missing: `the npm package \`node\` that is installed is ${version}` };
    const binary = join(dirname(manifest), 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
    return existsSync(binary)
      ? { binary }
      : { missing: 'the binary of the npm package `node` is not there; it was installed without scripts' };
  } catch {
    return { missing: 'the npm package `node`, which has one, is not installed here' };
  }
}

/** @param {string} version */
function majorOf(version) {
  return Number(version.split('.')[0]);
}
