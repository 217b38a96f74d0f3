/**
 * The state of a window lies under its start, as text that sorts by time. Making that text costs more than all the rest of adding a record,
 * and a shard has few windows open at a time: so it is made once per window, not once per record.
 */
import { parseTimerNamespace, sortableTime } from '../model/state-row.ts';

const remembered = 4096;

export class WindowNamespaces {
  readonly #texts = new Map<number, string>();

  of(start: number): string {
    let text = this.#texts.get(start);
    if (text !== undefined) return text;
    if (this.#texts.size >= remembered) this.#texts.clear();
    text = sortableTime(start);
    this.#texts.set(start, text);
    return text;
  }
}

export function windowStartOf(namespace: string): number {
  return parseTimerNamespace(`${namespace}|`).timestamp;
}
