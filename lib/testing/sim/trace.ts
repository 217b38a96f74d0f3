/** What happened in a run, call by call: a hash of all of it, and the lines of what went wrong. */
export interface TraceLine {
  readonly atMs: number;
  readonly who: string;
  readonly what: string;
}

export class Trace {
  #low = 0x811c_9dc5;
  #high = 0x1234_5678;
  calls = 0;
  /** Faults, and whatever the run found worth telling; not every call. */
  readonly lines: TraceLine[] = [];

  /** Of decisions only: what two versions of Node or of a compressor may do differently is not in it. */
  add(text: string): void {
    this.calls++;
    for (let i = 0; i < text.length; i++) {
      const unit = text.charCodeAt(i);
      this.#low = Math.imul(this.#low ^ unit, 0x0100_0193);
      this.#high = Math.imul(this.#high ^ (unit + i), 0x0100_01b3);
    }
  }

  tell(atMs: number, who: string, what: string): void {
    this.lines.push({ atMs, who, what });
  }

  /** 16 hex digits. */
  get hash(): string {
    return [this.#low, this.#high].map((half) => (half >>> 0).toString(16).padStart(8, '0')).join('');
  }
}
