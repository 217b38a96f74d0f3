/**
 * Keyed state of one shard: an overlay of what changed since the base, with everything that the current batch can touch in memory.
 *
 * Owns: the entries in memory. Does not own: what of them has changed (change-log), timers (keyed-timers), maps that are loaded by entry (entry-maps), how
 * rows of deltas come in (apply-rows), when to commit, snapshot or advance the base (runtime).
 * KB1. An entry is read by user code only when it is full: all its states known from overlay and base; maps that are loaded by entry have a rule of
 *      their own (EM1).
 * KB2. An entry leaves memory only when it is clean and its last change is at or below the base's epoch.
 * KB3. A try that is thrown away takes the whole backend with it: nothing is ever rolled back in place.
 * KB4. A key of another shard's key groups never enters.
 */
import { mutated } from '../base/mutated.ts';
import type { Epoch, KeyGroup, OperatorUid } from '../base/ids.ts';
import { invariant } from '../base/invariant.ts';
import { canonicalKey } from '../model/canonical-key.ts';
import { inRange, type KeyGroupRange } from '../model/key-group-range.ts';
import { keyGroupOf } from '../model/key-group.ts';
import type { KeyedBase } from '../ports/keyed-base.ts';
import type { FiredRange } from '../model/shard-record.ts';
import { MIN_WATERMARK } from '../model/time.ts';
import { ChangeLog, isClean } from './change-log.ts';
import { cellsOf } from './entry-cells.ts';
import { EntryMaps } from './entry-maps.ts';
import { firedByGroup } from './fired-by-group.ts';
import { loadEntries } from './load-entries.ts';
import {
  namedStateOf,
  newKeyEntry,
  putSlotValue,
  type KeyEntry,
  type NamedState,
  type NamespacedCell,
  type StateCounts,
} from './key-entry.ts';
import { KeyedTimers } from './keyed-timers.ts';
import { slotsMax, tooManyStates } from './too-many-states.ts';
import { parseJson } from '../base/parse-json.ts';

export interface KeyedBackendOptions {
  readonly operator: OperatorUid;
  readonly keyGroups: KeyGroupRange;
  readonly maxParallelism: number;
  readonly base: KeyedBase;
  /** The job's namespace in the base. */
  readonly space: string;
  /** False while nothing has ever been written to the base: then nothing is read from it. */
  readonly baseHasRows: boolean;
  readonly fired: readonly FiredRange[];
}

/** Removals remembered per key before those that the base has are forgotten. */
const goneMax = 64;

export class KeyedBackend {
  readonly options: KeyedBackendOptions;
  readonly timers: KeyedTimers;
  readonly changes: ChangeLog;
  readonly #primitives = new Map<unknown, KeyEntry>();
  readonly #composites = new Map<string, KeyEntry>();
  readonly entryMaps: EntryMaps;
  readonly #slotNames: string[] = [];
  readonly #spaceNames: string[] = [];
  readonly #firedByGroup: Map<number, number>;
  readonly #byEntry: boolean[] = [];
  #counts: StateCounts = { slots: 0, spaces: [] };
  #baseHasRows: boolean;
  current: KeyEntry | undefined;
  /** The epoch that the base has reached; kept by the runtime. */
  baseEpoch: Epoch = 0;
  watermark = MIN_WATERMARK;
  processingTimeMs = 0;

  constructor(options: KeyedBackendOptions) {
    this.options = options;
    this.#baseHasRows = options.baseHasRows;
    this.changes = new ChangeLog(options.operator, { slots: this.#slotNames, spaces: this.#spaceNames });
    this.timers = new KeyedTimers(this, options.baseHasRows);
    this.entryMaps = new EntryMaps(this);
    this.#firedByGroup = firedByGroup(options.fired, options.keyGroups);
  }

  get size(): number {
    return this.#primitives.size + this.#composites.size;
  }

  /** Declares a value-like state; in `open` only. */
  declareSlot(name: string): number {
    if (this.#slotNames.length >= slotsMax) throw tooManyStates(this.options.operator);
    return this.#declare(this.#slotNames, name);
  }

  /** Declares a namespaced state: windows, maps. */
  declareSpace(name: string, load: 'whole' | 'by-entry' = 'whole'): number {
    this.#byEntry.push(load === 'by-entry');
    const index = this.#declare(this.#spaceNames, name);
    if (load === 'by-entry') this.entryMaps.declare(name, index);
    return index;
  }

  isByEntry(index: number): boolean {
    return this.#byEntry[index]!;
  }

  spaceName(index: number): string {
    return this.#spaceNames[index]!;
  }

  #declare(names: string[], name: string): number {
    invariant(!this.#slotNames.includes(name) && !this.#spaceNames.includes(name), 'KB1', `state ${name} is declared twice`);
    invariant(this.size === 0, 'KB1', 'state is declared before the first key comes');
    names.push(name);
    this.#counts = { slots: this.#slotNames.length, spaces: [...this.#byEntry] };
    return names.length - 1;
  }

  /** The entry of a key, made if it is not in memory; full only where the base is known to be empty. */
  resolve(key: unknown): KeyEntry {
    const entry = typeof key === 'object' && key !== null ? undefined : this.#primitives.get(key);
    return entry ?? this.#resolveSlow(key);
  }

  #resolveSlow(key: unknown): KeyEntry {
    const canonical = canonicalKey(key);
    const composite = typeof key === 'object' && key !== null;
    if (composite) {
      const found = this.#composites.get(canonical);
      if (found !== undefined) return found;
    }
    // What comes back from the text: the operator sees the same key warm and cold, whatever becomes of the object that the selector returned.
    const own: unknown = composite || key === 0 ? parseJson(canonical) : key;
    return this.#add(own, canonical, keyGroupOf(canonical, this.options.maxParallelism));
  }

  /** The entry of a key that is known by its text. */
  resolveCanonical(canonical: string, keyGroup: KeyGroup): KeyEntry {
    const key: unknown = parseJson(canonical);
    const isComposite = typeof key === 'object' && key !== null;
    return (isComposite ? this.#composites.get(canonical) : this.#primitives.get(key)) ?? this.#add(key, canonical, keyGroup);
  }

  #add(key: unknown, canonical: string, keyGroup: KeyGroup): KeyEntry {
    invariant(inRange(this.options.keyGroups, keyGroup), 'KB4', 'a record came to a shard that does not own its key group', {
      operator: this.options.operator,
      key: canonical,
      keyGroup,
      range: this.options.keyGroups,
    });
    const entry = newKeyEntry(key, canonical, keyGroup, this.#counts);
    entry.full = !this.#baseHasRows;
    if (entry.full && this.entryMaps.isUsed) for (const index of this.entryMaps.indexes) cellsOf(entry, index).complete = true;
    if (typeof key === 'object' && key !== null) this.#composites.set(canonical, entry);
    else this.#primitives.set(key, entry);
    return entry;
  }

  /** Reads from the base what the entries do not know yet. Overlay values win. */
  load(entries: readonly KeyEntry[]): Promise<void> {
    return loadEntries(this, this.#slotNames, this.#spaceNames, entries);
  }

  setSlot(slot: number, value: unknown): void {
    const entry = this.current!;
    putSlotValue(entry, slot, value);
    this.changes.markSlot(entry, slot);
  }

  getNamespaced(index: number, namespace: string): unknown {
    const named = this.current!.named!;
    if (named.lastNamespace === namespace && named.lastIndex === index) return named.lastCell!.value;
    const cell = named.spaces[index]!.get(namespace);
    if (cell === undefined) return undefined;
    rememberLast(named, index, namespace, cell);
    return cell.value;
  }

  setNamespaced(index: number, namespace: string, value: unknown): void {
    const entry = this.current!;
    const named = entry.named!;
    if (named.lastNamespace !== namespace || named.lastIndex !== index) {
      const map = named.spaces[index]!;
      let cell = map.get(namespace);
      if (cell === undefined) map.set(namespace, (cell = { value: undefined }));
      rememberLast(named, index, namespace, cell);
    }
    named.lastCell!.value = value;
    if (named.lastMarked) return;
    this.changes.markName(entry, `${index}|${namespace}`);
    named.lastMarked = true;
  }

  removeNamespaced(index: number, namespace: string): void {
    const entry = this.current!;
    const named = entry.named!;
    if (!named.spaces[index]!.delete(namespace)) return;
    named.lastNamespace = null;
    this.changes.markName(entry, `${index}|${namespace}`);
  }

  namespaces(index: number): string[] {
    return [...this.current!.named!.spaces[index]!.keys()];
  }

  /** A removal that the base may not have yet. Pruned as the base catches up, so that a busy key's memory stays bounded. */
  remember(entry: KeyEntry, name: string): void {
    const gone = (namedStateOf(entry).gone ??= new Map<string, Epoch>());
    gone.set(name, this.changes.epoch);
    if (gone.size < goneMax || gone.size % goneMax !== 0) return;
    for (const [other, epoch] of gone) if (epoch <= this.baseEpoch) gone.delete(other);
  }

  /** Event time up to which the current key's group is closed. */
  closedUpTo(): number {
    const fired = this.#firedByGroup.size === 0 ? undefined : this.#firedByGroup.get(this.current!.keyGroup);
    return fired === undefined || fired < this.watermark ? this.watermark : fired;
  }

  /** Where the rows of a state belong; undefined where this version of the operator no longer declares it: they stay in the deltas and in the base. */
  placeOf(state: string): { readonly kind: 'slot' | 'space'; readonly index: number } | undefined {
    const slot = this.#slotNames.indexOf(state);
    if (slot >= 0) return { kind: 'slot', index: slot };
    const index = this.#spaceNames.indexOf(state);
    return index >= 0 ? { kind: 'space', index } : undefined;
  }

  /** From now on the base may hold rows. */
  baseWritten(): void {
    this.#baseHasRows = true;
  }

  /** Drops clean keys beyond `keysMax`, and entries of maps that are loaded by entry beyond `entriesMax`; oldest first. */
  evict(keysMax: number, entriesMax: number): void {
    const maps: readonly Map<unknown, KeyEntry>[] = [this.#primitives, this.#composites];
    for (const map of maps) this.#evictFrom(map, keysMax);
    if (this.entryMaps.isUsed) for (const map of maps) this.entryMaps.evict(map.values(), entriesMax);
  }

  #evictFrom(map: Map<unknown, KeyEntry>, keysMax: number): void {
    if (this.size <= keysMax) return;
    const inBase = mutated('unwritten-evicted') ? Number.POSITIVE_INFINITY : this.baseEpoch;
    for (const [key, entry] of map) {
      if (entry.changedEpoch > inBase || !isClean(entry) || this.entryMaps.sweeper.needs(entry)) continue;
      this.timers.forget(entry);
      this.entryMaps.forget(entry);
      map.delete(key);
      if (this.size <= keysMax) return;
    }
  }
}

function rememberLast(named: NamedState, index: number, namespace: string, cell: NamespacedCell): void {
  named.lastIndex = index;
  named.lastNamespace = namespace;
  named.lastCell = cell;
  named.lastMarked = false;
}
