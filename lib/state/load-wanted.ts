/** Brings the entries that a batch has asked for into memory. What is known stays as it is: the overlay wins. */
import { decodeValue } from '../model/value-json.ts';
import type { StateAddress } from '../model/state-row.ts';
import { cellsOf, type EntryCell, type EntryCells } from './entry-cells.ts';
import type { WantedEntries } from './entry-maps.ts';
import type { KeyEntry } from './key-entry.ts';
import type { KeyedBackend } from './keyed-backend.ts';
import { entryName, generationOf, keyTextOf } from './map-names.ts';

/** Of each `entries[i]`, which are loaded otherwise, those of `wanted[i]`. One point read for all single entries, one read for each whole map. */
export async function loadWanted(backend: KeyedBackend, entries: readonly KeyEntry[], wanted: readonly WantedEntries[]): Promise<void> {
  const addresses: StateAddress[] = [];
  const unread: EntryCell[] = [];
  const wholes = new Map<EntryCells, Omit<StateAddress, 'namespace'>>();
  const { operator, base, space } = backend.options;
  for (let i = 0; i < entries.length; i++) {
    const { keyGroup, canonical: key } = entries[i]!;
    for (const { index, keys } of wanted[i]!) {
      const cells = cellsOf(entries[i]!, index);
      const address = { operator, state: backend.spaceName(index), keyGroup, key };
      if (keys === 'all') {
        if (!cells.complete) wholes.set(cells, address);
        continue;
      }
      const generation = generationOf(cells);
      for (const keyText of keys) {
        const namespace = entryName(generation, keyText);
        if (cells.has(namespace)) continue;
        const cell = backend.entryMaps.add(cells, namespace, undefined, 0);
        if (cells.complete) continue;
        addresses.push({ ...address, namespace });
        unread.push(cell);
      }
    }
  }
  if (addresses.length > 0) {
    const values = await base.read(space, addresses);
    for (let i = 0; i < unread.length; i++) if (values[i] !== undefined) unread[i]!.value = decodeValue(values[i]!);
  }
  for (const [cells, address] of wholes) await loadWhole(backend, cells, address);
}

async function loadWhole(backend: KeyedBackend, cells: EntryCells, address: Omit<StateAddress, 'namespace'>): Promise<void> {
  const generation = generationOf(cells);
  for (const { namespace, value } of await backend.options.base.readKey(backend.options.space, address)) {
    if (value === undefined || cells.has(namespace) || keyTextOf(namespace, generation) === undefined) continue;
    backend.entryMaps.add(cells, namespace, decodeValue(value), 0);
  }
  cells.complete = true;
}
