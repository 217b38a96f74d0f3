/**
 * Last step of the build: what users install has no mutants. Each `mutated('…')` in dist becomes `false`, and the list of them goes.
 *
 *   node scripts/strip-mutants.ts [dist]
 */
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const folder = process.argv[2] ?? 'dist';
const call = /\bmutated\(\s*['"][a-z-]+['"]\s*\)/g;
const importLine = /^import \{ mutated \} from ['"][./]*base\/mutated\.js['"];\n/m;

let replaced = 0;
for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
  const path = join(folder, name);
  if (/^lib[/\\]base[/\\]mutated\.(?:js|d\.ts)$/.test(name)) {
    rmSync(path);
    continue;
  }
  if (!name.endsWith('.js')) continue;
  const text = readFileSync(path, 'utf8');
  const stripped = text.replace(importLine, '').replace(call, () => (replaced++, 'false'));
  // In a form that is not known here it would be missing when the package runs.
  if (/base\/mutated\.js/.test(stripped)) throw new Error(`${path} still imports mutants`);
  if (stripped !== text) writeFileSync(path, stripped);
}
if (replaced === 0) throw new Error(`${folder} has no mutants: has the build changed?`);
