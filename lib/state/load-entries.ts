/** Brings keys into memory: what the overlay does not know of them is read from the base. */
import { decodeValue } from '../model/value-json.ts';
import type { BaseRow } from '../ports/keyed-base.ts';
import { putSlotValue, type KeyEntry } from './key-entry.ts';
import type { KeyedBackend } from './keyed-backend.ts';
import { mapFactsName } from './map-names.ts';
import { cellsOf } from './entry-cells.ts';

/** Point reads of value-like states together, one read per key and namespaced state. Overlay values win. */
export async function loadEntries(
  backend: KeyedBackend,
  slotNames: readonly string[],
  spaceNames: readonly string[],
  entries: readonly KeyEntry[],
): Promise<void> {
  const { base, space, operator } = backend.options;
  const missing = new Set<KeyEntry>();
  for (const entry of entries) if (!entry.full) missing.add(entry);
  for (let slot = 0; slot < slotNames.length; slot++) {
    const wanted: KeyEntry[] = [];
    for (const entry of missing) if ((entry.known & (1 << slot)) === 0) wanted.push(entry);
    const state = slotNames[slot]!;
    const addresses = wanted.map(({ keyGroup, canonical }) => ({ operator, state, keyGroup, key: canonical, namespace: '' }));
    const values = await base.read(space, addresses);
    for (let i = 0; i < wanted.length; i++) {
      const text = values[i];
      if (text !== undefined) putSlotValue(wanted[i]!, slot, decodeValue(text));
    }
  }
  for (const index of backend.entryMaps.indexes) await loadMapFacts(backend, index, [...missing]);
  for (const entry of missing) {
    for (let index = 0; index < spaceNames.length; index++) {
      if (backend.isByEntry(index)) continue;
      const address = { operator, state: spaceNames[index]!, keyGroup: entry.keyGroup, key: entry.canonical };
      mergeSpace(entry, index, await base.readKey(space, address));
    }
    entry.full = true;
  }
}

function mergeSpace(entry: KeyEntry, index: number, rows: readonly BaseRow[]): void {
  const { spaces, gone } = entry.named!;
  const map = spaces[index]!;
  for (const row of rows) {
    if (map.has(row.namespace) || gone?.has(`${index}|${row.namespace}`) === true) continue;
    map.set(row.namespace, { value: decodeValue(row.value) });
  }
}

/** Of a map that is loaded by entry: its generation. */
async function loadMapFacts(backend: KeyedBackend, index: number, entries: readonly KeyEntry[]): Promise<void> {
  const { base, space, operator } = backend.options;
  const wanted = entries.filter((entry) => !cellsOf(entry, index).has(mapFactsName));
  const state = backend.spaceName(index);
  const addresses = wanted.map(({ keyGroup, canonical: key }) => ({ operator, state, keyGroup, key, namespace: mapFactsName }));
  const values = await base.read(space, addresses);
  for (let i = 0; i < wanted.length; i++) {
    const text = values[i];
    if (text !== undefined) backend.entryMaps.restore(wanted[i]!, index, mapFactsName, decodeValue(text), 0);
  }
}
