/** The identities of the records that a partition has had lately: what a record is compared with, to know whether it came before. */
import type { IntakeOptions } from '../../model/intake.ts';
import { partsOfIdentity } from '../../model/intake-identity.ts';

interface Sighting {
  readonly ordinal: number;
  readonly takenAtMs: number;
  readonly content: string;
}

type Horizon = Pick<IntakeOptions, 'duplicateRecords' | 'duplicateMs'>;

export class SeenIdentities {
  readonly #horizon: Horizon;
  /** Oldest sighting first. */
  readonly #last = new Map<string, Sighting>();
  #ordinal = 0;

  constructor(horizon: Horizon) {
    this.#horizon = horizon;
  }

  /**
   * Whether it was seen within the horizon; from now on it has been. What it says is compared with the last of that identity, which is all that a cold process
   * is sure to read. Without an identity nothing is known.
   */
  see(id: string, takenAtMs: number): 'new' | 'duplicate' | 'conflict' {
    const ordinal = ++this.#ordinal;
    if (id === '') return 'new';
    const { name, content } = partsOfIdentity(id);
    const before = this.#last.get(name);
    const { duplicateRecords, duplicateMs } = this.#horizon;
    const isKnown = before !== undefined && ordinal - before.ordinal <= duplicateRecords && takenAtMs - before.takenAtMs <= duplicateMs;
    this.#last.delete(name);
    this.#last.set(name, { ordinal, takenAtMs, content });
    this.#forget();
    if (!isKnown) return 'new';
    return before.content === content ? 'duplicate' : 'conflict';
  }

  #forget(): void {
    for (const [id, { ordinal }] of this.#last) {
      if (this.#ordinal - ordinal < this.#horizon.duplicateRecords) return;
      this.#last.delete(id);
    }
  }
}
