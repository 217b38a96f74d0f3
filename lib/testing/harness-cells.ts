/**
 * State of the harness: text, as a store would keep it, and the values of the element in hand.
 *
 * HC1. What is not written is not kept: every element reads fresh values, and one that was changed without being written is reported.
 */
import { SluiceError } from '../base/errors.ts';
import { decodeValue, encodeValue } from '../model/value-json.ts';

interface LiveValue {
  value: unknown;
  written: boolean;
}

export class HarnessCells {
  readonly #texts: Map<string, string>;
  readonly #live = new Map<string, LiveValue>();

  constructor(texts: Iterable<readonly [string, string]> = []) {
    this.#texts = new Map(texts);
  }

  read(address: string): unknown {
    const live = this.#live.get(address);
    if (live !== undefined) return live.value;
    const text = this.#texts.get(address);
    if (text === undefined) return undefined;
    const value = decodeValue(text);
    this.#live.set(address, { value, written: false });
    return value;
  }

  /** undefined removes. */
  write(address: string, value: unknown): void {
    this.#live.set(address, { value, written: true });
  }

  /** Addresses that hold a value, those of the element in hand included. */
  addresses(): string[] {
    const all = new Set([...this.#texts.keys(), ...this.#live.keys()]);
    return [...all].filter((address) => this.#live.get(address)?.value !== undefined || !this.#live.has(address)).sort();
  }

  /** The element is done. */
  flush(): void {
    for (const [address, { value, written }] of this.#live) {
      if (written && value === undefined) this.#texts.delete(address);
      else if (written) this.#texts.set(address, encodeValue(value));
      else if (encodeValue(value) !== this.#texts.get(address)) throw changedBehindBack(address);
    }
    this.#live.clear();
  }

  entries(): (readonly [string, string])[] {
    return [...this.#texts].sort(([a], [b]) => (a < b ? -1 : 1));
  }
}

function changedBehindBack(address: string): SluiceError {
  return new SluiceError('SLUICE-TEST-HARNESS', `state was changed without being written back: ${address}`, {
    hint: 'Give the changed value to update, add or put; or make a new value instead of changing the one that was read.',
    facts: { address },
  });
}
