/** A source of records `{ key }` that stops at a gate, waits there, and goes on when the gate is moved: for benches of single moments. */
import type { SplitReader } from '../lib/ports/connectors.ts';

export interface GatedSource extends SplitReader {
  gate: number;
}

/** The key of record n. */
export type KeyOfRecord = (record: number) => number;

export function createGatedSource(keyOf: KeyOfRecord): GatedSource {
  return {
    gate: 0,
    splits: async () => ['all'],
    async read(_source, _split, position, { recordsMax }) {
      const at = (position as number | null) ?? 0;
      const count = Math.max(0, Math.min(recordsMax, this.gate - at));
      const values = Array.from({ length: count }, (_, i) => ({ key: keyOf(at + i), delay: 1 }));
      return { values, position: at + count, ended: false };
    },
  };
}
