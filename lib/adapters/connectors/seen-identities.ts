/** The identities of the records that a partition has had lately: what a record is compared with, to know whether it came before. */
import type { IntakeOptions } from '../../model/intake.ts';

interface Sighting {
  readonly ordinal: number;
  readonly takenAtMs: number;
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

  /** Whether it was seen within the horizon; from now on it has been. Without an identity nothing is known. */
  isDuplicate(id: string, takenAtMs: number): boolean {
    const ordinal = ++this.#ordinal;
    if (id === '') return false;
    const before = this.#last.get(id);
    this.#last.delete(id);
    this.#last.set(id, { ordinal, takenAtMs });
    this.#forget();
    const { duplicateRecords, duplicateMs } = this.#horizon;
    return before !== undefined && ordinal - before.ordinal <= duplicateRecords && takenAtMs - before.takenAtMs <= duplicateMs;
  }

  #forget(): void {
    for (const [id, { ordinal }] of this.#last) {
      if (this.#ordinal - ordinal < this.#horizon.duplicateRecords) return;
      this.#last.delete(id);
    }
  }
}
