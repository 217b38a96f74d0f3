/** The handles of map state: over all of a key's entries, and over those that were asked for. */
import { parseJson } from '../base/parse-json.ts';
import { canonicalKey } from '../model/canonical-key.ts';
import type { MapState, MapStateDescriptor } from './descriptors.ts';
import { entryName, generationOf, keyTextOf, mapFactsName } from './map-names.ts';
import type { KeyedBackend } from './keyed-backend.ts';
import { ttlCell, type Cell } from './ttl.ts';

/** The entries of the current key, by the text of their keys. */
interface Entries {
  readonly read: (key: string) => unknown;
  readonly write: (key: string, value: unknown) => void;
  readonly keys: () => readonly string[];
  readonly clear: () => void;
}

export function mapHandle(
  backend: KeyedBackend,
  name: string,
  descriptor: MapStateDescriptor<unknown, unknown>,
): MapState<unknown, unknown> {
  const entries = descriptor.load === 'by-entry' ? askedFor(backend, name) : whole(backend, name);
  const cellOf = (key: string): Cell => {
    const plain: Cell = { read: () => entries.read(key), write: (value) => entries.write(key, value) };
    return descriptor.ttl === undefined ? plain : ttlCell(plain, descriptor.ttl, () => backend.processingTimeMs);
  };
  const pairs = (): [unknown, unknown][] =>
    entries
      .keys()
      .map((key): [unknown, unknown] => [parseJson(key), cellOf(key).read()])
      .filter(([, value]) => value !== undefined);
  return {
    get: (key) => cellOf(canonicalKey(key)).read(),
    put: (key, value) => cellOf(canonicalKey(key)).write(value),
    contains: (key) => cellOf(canonicalKey(key)).read() !== undefined,
    remove: (key) => entries.write(canonicalKey(key), undefined),
    entries: pairs,
    isEmpty: () => pairs().length === 0,
    clear: entries.clear,
  };
}

function askedFor(backend: KeyedBackend, name: string): Entries {
  const index = backend.declareSpace(name, 'by-entry');
  const { entryMaps } = backend;
  return {
    read: (key) => entryMaps.read(index, key),
    write: (key, value) => entryMaps.write(index, key, value),
    keys: () => entryMaps.keys(index),
    clear: () => entryMaps.clear(index),
  };
}

function whole(backend: KeyedBackend, name: string): Entries {
  const index = backend.declareSpace(name);
  // Other than 0 where the map was once loaded by entry.
  const generation = (): number => generationOf(backend.current!.named!.spaces[index]!);
  return {
    read: (key) => backend.getNamespaced(index, entryName(generation(), key)),
    write(key, value) {
      const entry = entryName(generation(), key);
      if (value === undefined) backend.removeNamespaced(index, entry);
      else backend.setNamespaced(index, entry, value);
    },
    keys() {
      const current = generation();
      return backend.namespaces(index).flatMap((entry) => keyTextOf(entry, current) ?? []);
    },
    // What older generations left behind is at hand, and goes too.
    clear: () => backend.namespaces(index).forEach((entry) => entry !== mapFactsName && backend.removeNamespaced(index, entry)),
  };
}
