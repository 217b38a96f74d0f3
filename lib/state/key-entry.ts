import type { KeyGroup, Epoch } from '../base/ids.ts';

/**
 * One key's state in memory: the overlay over the base. `slots` are the value-like states by index, `spaces` the namespaced ones.
 * All of an entry's states are loaded together (`full`), so that user code never waits.
 */
export interface KeyEntry {
  readonly key: unknown;
  readonly canonical: string;
  readonly keyGroup: KeyGroup;
  /** undefined = no value. */
  readonly slots: unknown[];
  readonly spaces: Map<string, NamespacedCell>[];
  /** Rows removed here that the base may still have, with the epoch of the removal; needed until the base has it too. */
  gone: Map<string, Epoch> | null;
  /** Which slots hold what is known (bit per slot), and whether everything is. */
  known: number;
  full: boolean;
  /** Last epoch in which it changed; at or below the base's epoch it may be dropped from memory. 0 = never. */
  changedEpoch: Epoch;
  /** Changes of the commit in hand, and of the epoch: bits of slots, and `index|namespace` of spaces. */
  dirtySlots: number;
  dirtyNames: Set<string> | null;
  /** The namespaced value that was used last: most records of a key change the one that its record before has changed. */
  lastIndex: number;
  lastNamespace: string | null;
  lastCell: NamespacedCell | null;
  /** Whether it is marked as changed in the commit in hand. */
  lastMarked: boolean;
  epochSlots: number;
  epochNames: Set<string> | null;
  /** Known timers by domain and namespace text; see timer-index.ts. */
  timers: Map<string, TimerElement> | null;
}

export interface NamespacedCell {
  value: unknown;
}

export interface TimerElement {
  readonly timestamp: number;
  /** `timerNamespace` text: time first. */
  readonly name: string;
  readonly namespace: string;
  readonly entry: KeyEntry;
  /** False once removed: the heap drops it when it comes up. */
  live: boolean;
}

export function newKeyEntry(key: unknown, canonical: string, keyGroup: KeyGroup, slots: number, spaces: number): KeyEntry {
  return {
    key,
    canonical,
    keyGroup,
    slots: new Array<unknown>(slots).fill(undefined),
    spaces: spaces === 0 ? noSpaces : Array.from({ length: spaces }, () => new Map<string, NamespacedCell>()),
    gone: null,
    known: 0,
    full: false,
    changedEpoch: 0,
    dirtySlots: 0,
    dirtyNames: null,
    lastIndex: -1,
    lastNamespace: null,
    lastCell: null,
    lastMarked: false,
    epochSlots: 0,
    epochNames: null,
    timers: null,
  };
}

const noSpaces: Map<string, NamespacedCell>[] = [];
