/**
 * One key's state in memory: the overlay over the base. All of an entry's states are loaded together (`full`), so that user code never waits; only of
 * maps that are loaded by entry it has what was asked for.
 * There may be a million of them: what only some keys have stands in objects of its own.
 */
import type { KeyGroup, Epoch } from '../base/ids.ts';
import { EntryCells } from './entry-cells.ts';

export interface KeyEntry {
  readonly key: unknown;
  readonly canonical: string;
  readonly keyGroup: KeyGroup;
  /** The first value-like state: most operators have one. undefined = no value. */
  value: unknown;
  /** The other value-like states, from index 1 on. */
  more: unknown[] | null;
  named: NamedState | null;
  /** Which value-like states hold what is known (bit per slot), and whether everything is. */
  known: number;
  full: boolean;
  /** Last epoch in which it changed; at or below the base's epoch it may be dropped from memory. 0 = never. */
  changedEpoch: Epoch;
  /** Changed slots of the commit in hand, and of the epoch `changedEpoch`, as bits. */
  dirtySlots: number;
  epochSlots: number;
}

/** Windows, maps and timers of one key. */
export interface NamedState {
  /** The namespaced states by index. */
  readonly spaces: readonly Map<string, NamespacedCell>[];
  /** Rows removed here that the base may still have, with the epoch of the removal; needed until the base has it too. */
  gone: Map<string, Epoch> | null;
  /** Known timers by domain and namespace text; see timer-index.ts. */
  timers: Map<string, TimerElement> | null;
  /** Changes of the commit in hand, and of the epoch: `index|namespace` of spaces, `domain|namespace` of timers. */
  dirtyNames: Set<string> | null;
  epochNames: Set<string> | null;
  /** The namespaced value that was used last: most records of a key change the one that its record before has changed. */
  lastIndex: number;
  lastNamespace: string | null;
  lastCell: NamespacedCell | null;
  /** Whether it is marked as changed in the commit in hand. */
  lastMarked: boolean;
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

/** How many value-like states an operator has, and of each namespaced one whether it is a map that is loaded by entry. */
export interface StateCounts {
  readonly slots: number;
  readonly spaces: readonly boolean[];
}

export function newKeyEntry(key: unknown, canonical: string, keyGroup: KeyGroup, { slots, spaces }: StateCounts): KeyEntry {
  return {
    key,
    canonical,
    keyGroup,
    value: undefined,
    more: slots > 1 ? new Array<unknown>(slots - 1).fill(undefined) : null,
    named: spaces.length > 0 ? newNamedState(spaces) : null,
    known: 0,
    full: false,
    changedEpoch: 0,
    dirtySlots: 0,
    epochSlots: 0,
  };
}

export function namedStateOf(entry: KeyEntry): NamedState {
  return (entry.named ??= newNamedState([]));
}

export function slotValue(entry: KeyEntry, slot: number): unknown {
  return slot === 0 ? entry.value : entry.more![slot - 1];
}

export function putSlotValue(entry: KeyEntry, slot: number, value: unknown): void {
  if (slot === 0) entry.value = value;
  else entry.more![slot - 1] = value;
}

function newNamedState(spaces: readonly boolean[]): NamedState {
  return {
    spaces: spaces.length === 0 ? noSpaces : spaces.map((isByEntry) => (isByEntry ? new EntryCells() : new Map<string, NamespacedCell>())),
    gone: null,
    timers: null,
    dirtyNames: null,
    epochNames: null,
    lastIndex: -1,
    lastNamespace: null,
    lastCell: null,
    lastMarked: false,
  };
}

const noSpaces: readonly Map<string, NamespacedCell>[] = [];
