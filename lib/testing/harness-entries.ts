/**
 * What the element in hand may read of maps that are loaded by entry: the runtime's rule (lib/state/entry-maps.ts), written a second time, so that a
 * test finds what a function forgot to ask for.
 */
import { canonicalKey } from '../model/canonical-key.ts';
import { entryNotDeclared, mapNotDeclared, requestInvalid } from '../state/entry-errors.ts';
import type { EntryRequest } from '../state/entry-request.ts';

const operator = 'under-test';

export class HarnessEntries {
  readonly #maps = new Set<string>();
  readonly #readable = new Map<string, Set<string> | 'all'>();

  declare(state: string): void {
    this.#maps.add(state);
  }

  /** The next element asks for these. */
  begin(request: EntryRequest = {}): void {
    this.#readable.clear();
    for (const [state, keys] of Object.entries(request)) {
      if (!this.#maps.has(state)) throw requestInvalid(operator, `${state}, which is no map that is loaded by entry`);
      if (keys === 'all') this.#readable.set(state, 'all');
      else if (Array.isArray(keys)) this.#readable.set(state, new Set(keys.map(canonicalKey)));
      else if (keys !== undefined) throw requestInvalid(operator, `something for ${state} that is no array`);
    }
  }

  /** It has written one, or with `all` cleared the map. */
  wrote(state: string, key: string): void {
    const readable = this.#readable.get(state);
    if (readable === undefined) this.#readable.set(state, new Set([key]));
    else if (readable !== 'all') readable.add(key);
  }

  cleared(state: string): void {
    this.#readable.set(state, 'all');
  }

  mayRead(state: string, key: string): void {
    const readable = this.#readable.get(state);
    if (readable !== 'all' && readable?.has(key) !== true) throw entryNotDeclared({ operator, state }, key);
  }

  mayReadAll(state: string): void {
    if (this.#readable.get(state) !== 'all') throw mapNotDeclared({ operator, state });
  }
}
