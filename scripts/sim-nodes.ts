/**
 * `npm run sim:nodes`: the same seeds on Node 22 and on the pinned Node 24 give the same runs, decision by decision. npm fetches Node 22.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { scriptOptions } from './script-options.ts';

const help = `npm run sim:nodes -- [--seeds 10] [--first-seed 1] [--topology name]`;
/** Looked at here, so that it is refused once; the simulator gets them as they are. */
scriptOptions(help, { seeds: { type: 'string' }, 'first-seed': { type: 'string' }, topology: { type: 'string' } });

const node22 = '22.23.3';
const script = join(import.meta.dirname, 'sim.ts');
const options = ['--hashes', '--seeds', '10', ...process.argv.slice(2)];

function hashes(command: string, parameters: readonly string[]): readonly string[] {
  const { status, stdout, stderr } = spawnSync(command, [...parameters, script, ...options], { encoding: 'utf8', maxBuffer: 1 << 28 });
  if (status !== 0) throw new Error(`${command} ${parameters.join(' ')} ended with exit code ${String(status)}: ${stderr.slice(-2_000)}`);
  return stdout.split('\n').filter((line) => line !== '');
}

const here = hashes(process.execPath, []);
const there = hashes('npx', ['--yes', `--package=node@${node22}`, '--', 'node']);
const different = here.filter((line, i) => line !== there[i]);
for (const line of different.slice(0, 10)) console.error(`differs on Node ${node22}: ${line}`);
console.log(`${here.length} runs on Node ${process.versions.node} and ${node22}: ${different.length} differ`);
process.exitCode = different.length === 0 && here.length === there.length ? 0 : 1;
