import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The modules of a bundle that are loaded with one of them: itself, and what it imports statically, and so on. */
export function loadedAtInit(directory: string, handler: string): readonly string[] {
  const loaded = new Set<string>();
  const load = (name: string): void => {
    if (loaded.has(name)) return;
    loaded.add(name);
    // `import("./x.mjs")` has a parenthesis, and waits until it is called.
    for (const [, chunk] of readFileSync(join(directory, name), 'utf8').matchAll(/(?:from|import)"\.\/([^"]+\.mjs)"/g)) load(chunk!);
  };
  load(handler);
  return [...loaded];
}
