/**
 * Keyed state of one shard: an overlay of what changed since the base, with everything that the current batch can touch in memory.
 *
 * Owns: the entries in memory, what of them is dirty, timers. Does not own: when to commit, snapshot or advance the base (runtime), bytes (delta-codec).
 * KB1. An entry is read by user code only when it is full: all its states known from overlay and base.
 * KB2. An entry leaves memory only when it is clean and its last change is at or below the base's epoch.
 * KB3. A try that is thrown away takes the whole backend with it: nothing is ever rolled back in place.
 * KB4. A key of another shard's key groups never enters.
 */
import type { Epoch, OperatorUid } from '../base/ids.ts';
import { SluiceError } from '../base/errors.ts';
import { invariant } from '../base/invariant.ts';
import { canonicalKey, inRange, keyGroupOf, type KeyGroupRange } from '../model/key-group.ts';
import type { KeyedBase } from '../ports/keyed-base.ts';
import type { FiredRange } from '../model/shard-record.ts';
import { MIN_WATERMARK } from '../model/time.ts';
import { timerStates, type TimerDomain } from '../model/state-row.ts';
import { appendRow, type DeltaTable } from './delta-codec.ts';
import { loadEntries } from './load-entries.ts';
import { TableSet } from './table-set.ts';
import { newKeyEntry, type KeyEntry, type NamespacedCell } from './key-entry.ts';
import { KeyedTimers } from './keyed-timers.ts';

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

/** Bits of a 32-bit integer mark the value-like states. */
const slotsMax = 30;
/** Removals remembered per key before those that the base has are forgotten. */
const goneMax = 64;

export class KeyedBackend {
  readonly options: KeyedBackendOptions;
  readonly timers: KeyedTimers;
  readonly #primitives = new Map<unknown, KeyEntry>();
  readonly #composites = new Map<string, KeyEntry>();
  readonly #slotNames: string[] = [];
  readonly #spaceNames: string[] = [];
  readonly #firedByGroup: Map<number, number>;
  #dirty: KeyEntry[] = [];
  #epochChanged: KeyEntry[] = [];
  #baseHasRows: boolean;
  current: KeyEntry | undefined;
  /** The epoch being filled and the one the base has reached; kept by the runtime. */
  epoch: Epoch = 0;
  baseEpoch: Epoch = 0;
  watermark = MIN_WATERMARK;
  processingTimeMs = 0;

  constructor(options: KeyedBackendOptions) {
    this.options = options;
    this.#baseHasRows = options.baseHasRows;
    this.timers = new KeyedTimers(this, options.baseHasRows);
    this.#firedByGroup = firedByGroup(options);
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
  declareSpace(name: string): number {
    return this.#declare(this.#spaceNames, name);
  }

  #declare(names: string[], name: string): number {
    invariant(!this.#slotNames.includes(name) && !this.#spaceNames.includes(name), 'KB1', `state ${name} is declared twice`);
    invariant(this.size === 0, 'KB1', 'state is declared before the first key comes');
    names.push(name);
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
    const keyGroup = keyGroupOf(canonical, this.options.maxParallelism);
    invariant(inRange(this.options.keyGroups, keyGroup), 'KB4', 'a record came to a shard that does not own its key group', {
      operator: this.options.operator,
      key: canonical,
      keyGroup,
      range: this.options.keyGroups,
    });
    // What comes back from the text: the operator sees the same key warm and cold, whatever becomes of the object that the selector returned.
    const own: unknown = composite || key === 0 ? JSON.parse(canonical) : key;
    const entry = newKeyEntry(own, canonical, keyGroup, this.#slotNames.length, this.#spaceNames.length);
    entry.full = !this.#baseHasRows;
    if (composite) this.#composites.set(canonical, entry);
    else this.#primitives.set(key, entry);
    return entry;
  }

  resolveCanonical(canonical: string): KeyEntry {
    return this.resolve(JSON.parse(canonical));
  }

  /** Reads from the base what the entries do not know yet. Overlay values win. */
  load(entries: readonly KeyEntry[]): Promise<void> {
    return loadEntries(this.options, this.#slotNames, this.#spaceNames, entries);
  }

  setSlot(slot: number, value: unknown): void {
    const entry = this.current!;
    entry.slots[slot] = value;
    const bit = 1 << slot;
    if ((entry.dirtySlots & bit) !== 0) return;
    this.#markDirty(entry);
    entry.dirtySlots |= bit;
  }

  getNamespaced(index: number, namespace: string): unknown {
    const entry = this.current!;
    if (entry.lastNamespace === namespace && entry.lastIndex === index) return entry.lastCell!.value;
    const cell = entry.spaces[index]!.get(namespace);
    if (cell === undefined) return undefined;
    rememberLast(entry, index, namespace, cell);
    return cell.value;
  }

  setNamespaced(index: number, namespace: string, value: unknown): void {
    const entry = this.current!;
    if (entry.lastNamespace !== namespace || entry.lastIndex !== index) {
      const map = entry.spaces[index]!;
      let cell = map.get(namespace);
      if (cell === undefined) map.set(namespace, (cell = { value: undefined }));
      rememberLast(entry, index, namespace, cell);
    }
    entry.lastCell!.value = value;
    if (entry.lastMarked) return;
    this.markName(entry, `${index}|${namespace}`);
    entry.lastMarked = true;
  }

  removeNamespaced(index: number, namespace: string): void {
    const entry = this.current!;
    if (!entry.spaces[index]!.delete(namespace)) return;
    entry.lastNamespace = null;
    this.markName(entry, `${index}|${namespace}`);
  }

  /** `name` is `index|namespace` of a namespaced state, or a timer's name with its domain. */
  markName(entry: KeyEntry, name: string): void {
    if (entry.dirtyNames?.has(name) === true) return;
    this.#markDirty(entry);
    (entry.dirtyNames ??= new Set()).add(name);
  }

  #markDirty(entry: KeyEntry): void {
    if (entry.dirtySlots === 0 && entry.dirtyNames === null) this.#dirty.push(entry);
  }

  /** A removal that the base may not have yet. Pruned as the base catches up, so that a busy key's memory stays bounded. */
  remember(entry: KeyEntry, name: string): void {
    const gone = (entry.gone ??= new Map<string, Epoch>());
    gone.set(name, this.epoch);
    if (gone.size < goneMax || gone.size % goneMax !== 0) return;
    for (const [other, epoch] of gone) if (epoch <= this.baseEpoch) gone.delete(other);
  }

  /** Event time up to which the current key's group is closed. */
  closedUpTo(): number {
    const fired = this.#firedByGroup.size === 0 ? undefined : this.#firedByGroup.get(this.current!.keyGroup);
    return fired === undefined || fired < this.watermark ? this.watermark : fired;
  }

  get hasChanges(): boolean {
    return this.#dirty.length > 0;
  }

  get epochHasChanges(): boolean {
    return this.#epochChanged.length > 0 || this.#dirty.length > 0;
  }

  /** Rows of the commit in hand. */
  commitTables(): DeltaTable[] {
    const tables = new TableSet(this.options.operator);
    for (const entry of this.#dirty) this.#appendRows(tables, entry, entry.dirtySlots, entry.dirtyNames);
    return tables.list();
  }

  /** Rows of the whole epoch, the commit in hand included, in parts of at most `rowsMax` entries. */
  epochTables(rowsMax: number): DeltaTable[][] {
    this.#foldDirty();
    const parts: DeltaTable[][] = [];
    for (let at = 0; at < this.#epochChanged.length; at += rowsMax) {
      const tables = new TableSet(this.options.operator);
      for (const entry of this.#epochChanged.slice(at, at + rowsMax)) this.#appendRows(tables, entry, entry.epochSlots, entry.epochNames);
      parts.push(tables.list());
    }
    return parts;
  }

  #appendRows(tables: TableSet, entry: KeyEntry, slots: number, names: ReadonlySet<string> | null): void {
    for (let slot = 0; slots >> slot !== 0; slot++) {
      if ((slots & (1 << slot)) === 0) continue;
      const value = entry.slots[slot];
      appendRow(tables.of(this.#slotNames[slot]!), entry.canonical, entry.keyGroup, '', value, value === undefined);
    }
    if (names === null) return;
    for (const name of names) {
      const bar = name.indexOf('|');
      const owner = name.slice(0, bar);
      const namespace = name.slice(bar + 1);
      if (owner in timerStates) {
        const set = entry.timers?.has(name) === true;
        appendRow(tables.of(timerStates[owner as TimerDomain]), entry.canonical, entry.keyGroup, namespace, true, !set);
      } else {
        const index = Number(owner);
        const map = entry.spaces[index]!;
        const cell = map.get(namespace);
        appendRow(tables.of(this.#spaceNames[index]!), entry.canonical, entry.keyGroup, namespace, cell?.value, cell === undefined);
      }
    }
  }

  #foldDirty(): void {
    for (const entry of this.#dirty) {
      this.#markEpoch(entry);
      entry.epochSlots |= entry.dirtySlots;
      entry.dirtySlots = 0;
      entry.lastMarked = false;
      if (entry.dirtyNames === null) continue;
      if (entry.epochNames === null) entry.epochNames = entry.dirtyNames;
      else for (const name of entry.dirtyNames) entry.epochNames.add(name);
      entry.dirtyNames = null;
    }
    this.#dirty = [];
  }

  /** The commit went through: its changes now belong to `epoch`. */
  committed(epoch: Epoch): void {
    for (const entry of this.#dirty) entry.changedEpoch = epoch;
    this.#foldDirty();
  }

  /** The snapshot that ends `epoch` went through. */
  epochCommitted(epoch: Epoch): void {
    for (const entry of this.#epochChanged) {
      entry.changedEpoch = epoch;
      entry.epochSlots = 0;
      entry.epochNames = null;
    }
    this.#epochChanged = [];
  }

  /** Puts rows of a delta or segment into the overlay; `open` = their epoch has not ended. Rows outside `keyGroups` are another shard's. */
  apply(
    tables: readonly DeltaTable[],
    { epoch, keyGroups, open }: { readonly epoch: Epoch; readonly keyGroups: KeyGroupRange; readonly open: boolean },
  ): void {
    for (const table of tables) {
      if (table.operator !== this.options.operator) continue;
      for (let i = 0; i < table.keys.length; i++) {
        const keyGroup = table.keyGroups[i]!;
        if (!inRange(this.options.keyGroups, keyGroup) || !inRange(keyGroups, keyGroup)) continue;
        const entry = this.resolveCanonical(table.keys[i]!);
        entry.changedEpoch = epoch;
        this.#applyRow(entry, table, i, open);
      }
    }
  }

  #applyRow(entry: KeyEntry, table: DeltaTable, row: number, open: boolean): void {
    const { state } = table;
    const namespace = table.namespaces[row]!;
    const deleted = table.deleted[row] === 1;
    const slot = this.#slotNames.indexOf(state);
    if (slot >= 0) {
      entry.slots[slot] = deleted ? undefined : table.values[row];
      entry.known |= 1 << slot;
      if (open) {
        this.#markEpoch(entry);
        entry.epochSlots |= 1 << slot;
      }
      return;
    }
    const domain = (Object.keys(timerStates) as TimerDomain[]).find((candidate) => timerStates[candidate] === state);
    const index = this.#spaceNames.indexOf(state);
    // A state that this version of the operator no longer declares: its rows stay in the deltas and in the base, untouched.
    if (domain === undefined && index < 0) return;
    const name = `${domain ?? index}|${namespace}`;
    if (domain !== undefined) {
      this.timers.restore(entry, domain, namespace, deleted);
    } else {
      if (deleted) entry.spaces[index]!.delete(namespace);
      else entry.spaces[index]!.set(namespace, { value: table.values[row] });
      entry.lastNamespace = null;
      if (deleted) this.remember(entry, name);
      else entry.gone?.delete(name);
    }
    if (!open) return;
    this.#markEpoch(entry);
    (entry.epochNames ??= new Set()).add(name);
  }

  #markEpoch(entry: KeyEntry): void {
    if (entry.epochSlots === 0 && entry.epochNames === null) this.#epochChanged.push(entry);
  }

  /** From now on the base may hold rows. */
  baseWritten(): void {
    this.#baseHasRows = true;
  }

  /** Drops clean entries beyond `countMax`, oldest first. */
  evict(countMax: number): void {
    const maps: readonly Map<unknown, KeyEntry>[] = [this.#primitives, this.#composites];
    for (const map of maps) {
      if (this.size <= countMax) return;
      for (const [key, entry] of map) {
        if (entry.changedEpoch > this.baseEpoch || entry.dirtySlots !== 0 || entry.dirtyNames !== null) continue;
        if (entry.epochSlots !== 0 || entry.epochNames !== null) continue;
        this.timers.forget(entry);
        map.delete(key);
        if (this.size <= countMax) return;
      }
    }
  }
}

function tooManyStates(operator: OperatorUid): SluiceError {
  return new SluiceError(
    'SLUICE-TOO-MANY-STATES',
    `operator ${operator} declares more than ${slotsMax} value, list, reducing and aggregating states`,
    {
      hint: 'Put what is read and written together into one state with an object, or into a map state.',
      facts: { operator, statesMax: slotsMax },
    },
  );
}

function rememberLast(entry: KeyEntry, index: number, namespace: string, cell: NamespacedCell): void {
  entry.lastIndex = index;
  entry.lastNamespace = namespace;
  entry.lastCell = cell;
  entry.lastMarked = false;
}

/** Empty where all groups start from nothing. */
function firedByGroup(options: KeyedBackendOptions): Map<number, number> {
  const fired = new Map<number, number>();
  for (const { keyGroups, firedUpTo } of options.fired) {
    if (firedUpTo === MIN_WATERMARK) continue;
    for (let group = Math.max(keyGroups.start, options.keyGroups.start); group <= Math.min(keyGroups.end, options.keyGroups.end); group++) {
      fired.set(group, Math.max(firedUpTo, fired.get(group) ?? MIN_WATERMARK));
    }
  }
  return fired;
}
