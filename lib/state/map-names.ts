/**
 * What the entries of a map state are called as rows (docs/formats/savepoint.md): by the canonical JSON of their keys, and once the map has been cleared
 * without being loaded, with the number of its generation before that.
 *
 * MN1. A row is an entry of the map only when its name is of the map's generation. Others are what a clear left behind, until they are swept.
 */
import type { NamespacedCell } from './key-entry.ts';

/** No key's canonical JSON is empty, so this row is the map's own. Without it the generation is 0. */
export const mapFactsName = '';

export interface MapFacts {
  readonly generation: number;
  /** Whether nothing of earlier generations is left in the base. */
  readonly swept: boolean;
}

export function generationOf(cells: ReadonlyMap<string, NamespacedCell>): number {
  const facts = cells.get(mapFactsName)?.value as MapFacts | undefined;
  return facts?.generation ?? 0;
}

/** No canonical JSON begins with `#`. */
export function entryName(generation: number, keyText: string): string {
  return generation === 0 ? keyText : `#${generation}|${keyText}`;
}

/** The key's text; undefined where the row is no entry of that generation. */
export function keyTextOf(name: string, generation: number): string | undefined {
  if (name === mapFactsName) return undefined;
  if (generation === 0) return name.startsWith('#') ? undefined : name;
  const prefix = `#${generation}|`;
  return name.startsWith(prefix) ? name.slice(prefix.length) : undefined;
}
