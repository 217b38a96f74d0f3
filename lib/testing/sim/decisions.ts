/**
 * Every choice of a simulated run: a number that hangs on the seed, a name and how often that name has been asked for, and on nothing else. So a fault that
 * is left out, when a failing run is made smaller, changes only what follows from it.
 */
export class Decisions {
  readonly #seed: number;
  /** By name, and by what it is about: put together they would be a new text for every call. */
  readonly #streams = new Map<string, Map<string, Stream>>();

  constructor(seed: number) {
    this.#seed = mix(seed | 0);
  }

  /** 0 ≤ x < 1. `about`: the same as behind the name and a slash. */
  fraction(name: string, about = ''): number {
    const stream = this.#stream(name, about);
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

  #stream(name: string, about: string): Stream {
    let streams = this.#streams.get(name);
    if (streams === undefined) this.#streams.set(name, (streams = new Map<string, Stream>()));
    let stream = streams.get(about);
    if (stream === undefined) {
      const whole = about === '' ? name : `${name}/${about}`;
      streams.set(about, (stream = { hash: mix(this.#seed ^ hashOf(whole)), asked: 0 }));
    }
    return stream;
  }
}

interface Stream {
  readonly hash: number;
  asked: number;
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
