/** The tables of docs/mutants.md: each mutant, the rule that it breaks and the files of lib/ where it stands. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { mutantRules } from '../lib/base/mutated.ts';

const root = join(import.meta.dirname, '..');
const files = globSync('lib/**/*.ts', { cwd: root }).map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }));

console.log('| mutant | rule that it breaks | where, in `lib/` |\n| --- | --- | --- |');
for (const [name, rule] of Object.entries(mutantRules)) {
  const places = files
    .filter(({ text }) => text.includes(`mutated('${name}')`))
    .map(({ path }) => path.slice('lib/'.length).replace(/\.ts$/, ''));
  console.log(`| \`${name}\` | ${rule} | ${places.sort().join(', ')} |`);
}
