/**
 * Rows of deltas and segments into the overlay: what a cold start does.
 *
 * AR1. Rows come in the order in which they were written; a later one of the same address wins.
 * AR2. Rows outside the given key groups, or outside the shard's, are another shard's.
 */
import { mutated } from '../base/mutated.ts';
import type { Epoch } from '../base/ids.ts';
import { inRange, type KeyGroupRange } from '../model/key-group-range.ts';
import { timerStates, type TimerDomain } from '../model/state-row.ts';
import { isDeletedAt, namespaceAt, type RowTable } from '../model/row-table.ts';
import { namedStateOf, putSlotValue, type KeyEntry } from './key-entry.ts';
import type { KeyedBackend } from './keyed-backend.ts';

export interface RowsOrigin {
  readonly epoch: Epoch;
  readonly keyGroups: KeyGroupRange;
  /** Their epoch has not ended: they belong to its delta too. */
  readonly open: boolean;
}

export function applyRows(backend: KeyedBackend, tables: readonly RowTable[], { epoch, keyGroups, open }: RowsOrigin): void {
  const { operator, keyGroups: own } = backend.options;
  const taken = mutated('deltas-of-others') ? own : keyGroups;
  for (const table of tables) {
    const apply = table.operator === operator ? applierOf({ backend, epoch, table, open }) : undefined;
    if (apply === undefined) continue;
    for (let row = 0; row < table.keys.length; row++) {
      const keyGroup = table.keyGroups[row]!;
      if (!inRange(own, keyGroup) || !inRange(taken, keyGroup)) continue;
      const entry = backend.resolveCanonical(table.keys[row]!, keyGroup);
      apply(entry, row);
      // In an open epoch the change log has set it.
      if (!open) entry.changedEpoch = epoch;
    }
  }
}

interface Source {
  readonly backend: KeyedBackend;
  readonly epoch: Epoch;
  readonly table: RowTable;
  readonly open: boolean;
}

type ApplyRow = (entry: KeyEntry, row: number) => void;

/** undefined for a state that this version of the operator no longer declares: its rows stay in the deltas and in the base, untouched. */
function applierOf(source: Source): ApplyRow | undefined {
  const { state } = source.table;
  const domain = (Object.keys(timerStates) as TimerDomain[]).find((candidate) => timerStates[candidate] === state);
  if (domain !== undefined) return (entry, row) => applyTimer(source, domain, entry, row);
  const place = source.backend.placeOf(state);
  if (place === undefined) return undefined;
  if (place.kind === 'slot') return (entry, row) => applySlot(source, place.index, entry, row);
  const isByEntry = source.backend.isByEntry(place.index);
  return (entry, row) => (isByEntry ? applyEntry : applyNamespaced)(source, place.index, entry, row);
}

function applySlot({ backend, table, open }: Source, slot: number, entry: KeyEntry, row: number): void {
  putSlotValue(entry, slot, isDeletedAt(table, row) ? undefined : table.values[row]);
  entry.known |= 1 << slot;
  if (open) backend.changes.restoreSlot(entry, slot);
}

function applyTimer({ backend, table, open }: Source, domain: TimerDomain, entry: KeyEntry, row: number): void {
  const namespace = namespaceAt(table, row);
  backend.timers.restore(entry, domain, namespace, isDeletedAt(table, row));
  if (open) backend.changes.restoreName(entry, `${domain}|${namespace}`);
}

/** Of a map that is loaded by entry. */
function applyEntry({ backend, epoch, table, open }: Source, index: number, entry: KeyEntry, row: number): void {
  const namespace = namespaceAt(table, row);
  backend.entryMaps.restore(entry, index, namespace, isDeletedAt(table, row) ? undefined : table.values[row], epoch);
  if (open) backend.changes.restoreName(entry, `${index}|${namespace}`);
}

function applyNamespaced({ backend, table, open }: Source, index: number, entry: KeyEntry, row: number): void {
  const namespace = namespaceAt(table, row);
  const name = `${index}|${namespace}`;
  const named = namedStateOf(entry);
  if (isDeletedAt(table, row)) {
    named.spaces[index]!.delete(namespace);
    backend.remember(entry, name);
  } else {
    named.spaces[index]!.set(namespace, { value: table.values[row] });
    named.gone?.delete(name);
  }
  named.lastNamespace = null;
  if (open) backend.changes.restoreName(entry, name);
}
