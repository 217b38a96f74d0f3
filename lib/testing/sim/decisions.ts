/**
 * Every choice of a simulated run: a number that hangs on the seed, a name and how often that name has been asked for, and on nothing else. So a fault that
 * is left out, when a failing run is made smaller, changes only what follows from it.
 */
export class Decisions {
  readonly #seed: number;
  readonly #streams = new Map<string, { readonly hash: number; asked: number }>();

  constructor(seed: number) {
    this.#seed = mix(seed | 0);
  }

  /** 0 ≤ x < 1. */
  fraction(name: string): number {
    const stream = this.#stream(name);
    return mix(stream.hash ^ Math.imul(++stream.asked, 0x9e37_79b1)) / 2 ** 32;
  }

  /** A whole number from 0 to `end - 1`. */
  below(name: string, end: number): number {
    return Math.floor(this.fraction(name) * end);
  }

  chance(name: string, share: number): boolean {
    return share > 0 && this.fraction(name) < share;
  }

  pick<T>(name: string, from: readonly T[]): T {
    return from[this.below(name, from.length)]!;
  }

  hex(name: string, digits: number): string {
    let text = '';
    while (text.length < digits)
      text += this.below(name, 2 ** 32)
        .toString(16)
        .padStart(8, '0');
    return text.slice(0, digits);
  }

  #stream(name: string): { readonly hash: number; asked: number } {
    let stream = this.#streams.get(name);
    if (stream === undefined) this.#streams.set(name, (stream = { hash: mix(this.#seed ^ hashOf(name)), asked: 0 }));
    return stream;
  }
}

/** FNV-1a, 32 bits. */
function hashOf(text: string): number {
  let hash = 0x811c_9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x0100_0193);
  return hash;
}

/** The finalizer of murmur3: each bit of the input changes half of the output's. */
function mix(value: number): number {
  let mixed = value;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85eb_ca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2_ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
