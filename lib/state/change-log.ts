/**
 * What has changed in one shard's keyed state: since the last commit, and in the epoch being filled.
 *
 * Owns: which rows a commit's segment and an epoch's delta hold. Does not own: the values (key-entry), when to commit or snapshot (runtime).
 * CL1. An entry's `epochSlots` and `epochNames` are of the epoch `changedEpoch`: in a later one they count as empty.
 * CL2. The rows that the commits of an epoch wrote are, in order, its delta too, bytes and all; only where many of them changed again are they
 *      written anew, once each.
 */
import { limits } from '../base/limits.ts';
import type { Epoch, OperatorUid } from '../base/ids.ts';
import { timerStates, type TimerDomain } from '../model/state-row.ts';
import { encodeDeltaTables, joinDeltaBlocks } from './delta-codec.ts';
import { appendRow } from '../model/open-row-table.ts';
import type { RowTable, TableKeys } from '../model/row-table.ts';
import { namedStateOf, slotValue, type KeyEntry } from './key-entry.ts';
import { TableSet } from './table-set.ts';

/** Rows as bytes, as a segment or a delta object holds them. */
export interface DeltaPart {
  readonly rows: number;
  readonly bytes: Uint8Array;
  /** Of each block's tables: the very texts that the entries have, which are quicker to look up than new ones. */
  readonly keys: readonly TableKeys[];
}

/** Names of the operator's keyed states by index. */
export interface StateNames {
  readonly slots: readonly string[];
  readonly spaces: readonly string[];
}

/** Rows that the commits wrote to rows that the epoch changed, at most, before each is written anew instead. */
const repeatedMax = 1.25;

export class ChangeLog {
  readonly #operator: OperatorUid;
  readonly #names: StateNames;
  #dirty: KeyEntry[] = [];
  #epochChanged: KeyEntry[] = [];
  #hasNames = false;
  /** Distinct rows among them, and the rows that the commits wrote. */
  #epochRows = 0;
  #committedRows = 0;
  /** What the epoch's commits wrote; null where that is not at hand, or not worth keeping. */
  #commits: DeltaPart[] | null = [];
  /** Of the commit in hand. */
  #written: DeltaPart | null = null;
  /** The epoch being filled. */
  epoch: Epoch = 0;

  constructor(operator: OperatorUid, names: StateNames) {
    this.#operator = operator;
    this.#names = names;
  }

  get hasChanges(): boolean {
    return this.#dirty.length > 0;
  }

  get epochHasChanges(): boolean {
    return this.#epochChanged.length > 0 || this.#dirty.length > 0;
  }

  markSlot(entry: KeyEntry, slot: number): void {
    const bit = 1 << slot;
    if ((entry.dirtySlots & bit) !== 0) return;
    if (isClean(entry)) this.#dirty.push(entry);
    entry.dirtySlots |= bit;
  }

  /** `name` is `index|namespace` of a namespaced state, or a timer's name with its domain. */
  markName(entry: KeyEntry, name: string): void {
    const named = namedStateOf(entry);
    this.#hasNames = true;
    if (named.dirtyNames?.has(name) === true) return;
    if (isClean(entry)) this.#dirty.push(entry);
    (named.dirtyNames ??= new Set()).add(name);
  }

  /** A row of an earlier commit of this epoch, read back from its segment. */
  restoreSlot(entry: KeyEntry, slot: number): void {
    this.#commits = null;
    this.#enterEpoch(entry);
    entry.epochSlots |= 1 << slot;
  }

  restoreName(entry: KeyEntry, name: string): void {
    this.#commits = null;
    this.#enterEpoch(entry);
    this.#hasNames = true;
    const named = namedStateOf(entry);
    (named.epochNames ??= new Set()).add(name);
  }

  /** Rows of the commit in hand. */
  commitTables(): RowTable[] {
    const tables = new TableSet(this.#operator);
    for (const entry of this.#dirty) this.#appendRows(tables, entry, entry.dirtySlots, entry.named?.dirtyNames ?? null);
    return tables.list();
  }

  /** The commit's rows as bytes; null where nothing changed. */
  writeCommit(): Uint8Array | null {
    if (!this.hasChanges) return null;
    const tables = this.commitTables();
    this.#written = partOf(tables);
    return this.#written.bytes;
  }

  /** Rows of the whole epoch, the commit in hand included, in parts of about `rowsMax` rows. */
  writeEpoch(rowsMax: number): DeltaPart[] {
    if (this.#commits !== null) this.writeCommit();
    this.committed();
    const commits = this.#commits?.every(({ rows }) => rows <= rowsMax) === true ? this.#commits : null;
    return commits === null ? this.#writeAnew(rowsMax) : joinCommits(commits, rowsMax);
  }

  #writeAnew(rowsMax: number): DeltaPart[] {
    const parts: DeltaPart[] = [];
    for (let at = 0; at < this.#epochChanged.length; at += rowsMax) {
      const tables = new TableSet(this.#operator);
      for (const entry of this.#epochChanged.slice(at, at + rowsMax))
        this.#appendRows(tables, entry, entry.epochSlots, entry.named?.epochNames ?? null);
      parts.push(partOf(tables.list()));
    }
    return parts;
  }

  #appendRows(tables: TableSet, entry: KeyEntry, slots: number, names: ReadonlySet<string> | null): void {
    for (let slot = 0; slots >> slot !== 0; slot++) {
      if ((slots & (1 << slot)) === 0) continue;
      const value = slotValue(entry, slot);
      appendRow(tables.of(this.#names.slots[slot]!), entry.canonical, entry.keyGroup, '', value, value === undefined);
    }
    if (names !== null) for (const name of names) this.#appendNamed(tables, entry, name);
  }

  #appendNamed(tables: TableSet, entry: KeyEntry, name: string): void {
    const { spaces, timers } = entry.named!;
    const bar = name.indexOf('|');
    const owner = name.slice(0, bar);
    const namespace = name.slice(bar + 1);
    if (owner in timerStates) {
      const isSet = timers?.has(name) === true;
      appendRow(tables.of(timerStates[owner as TimerDomain]), entry.canonical, entry.keyGroup, namespace, true, !isSet);
    } else {
      // Of maps that are loaded by entry it is known what is not there.
      const value = spaces[Number(owner)]!.get(namespace)?.value;
      appendRow(tables.of(this.#names.spaces[Number(owner)]!), entry.canonical, entry.keyGroup, namespace, value, value === undefined);
    }
  }

  /** The commit in hand went through: its changes now belong to the epoch. */
  committed(): void {
    for (const entry of this.#dirty) this.#fold(entry);
    this.#dirty = [];
    if (this.#written === null) return;
    this.#committedRows += this.#written.rows;
    this.#commits?.push(this.#written);
    this.#written = null;
    const isTooMuch = this.#committedRows > this.#epochRows * repeatedMax || (this.#commits?.length ?? 0) >= limits.deltaBlocksPerEpochMax;
    if (isTooMuch) this.#commits = null;
  }

  #fold(entry: KeyEntry): void {
    this.#enterEpoch(entry);
    this.#epochRows += bitCount(entry.dirtySlots & ~entry.epochSlots);
    entry.epochSlots |= entry.dirtySlots;
    entry.dirtySlots = 0;
    const { named } = entry;
    if (named === null) return;
    named.lastMarked = false;
    if (named.dirtyNames === null) return;
    const before = named.epochNames?.size ?? 0;
    if (named.epochNames === null) named.epochNames = named.dirtyNames;
    else for (const name of named.dirtyNames) named.epochNames.add(name);
    this.#epochRows += named.epochNames.size - before;
    named.dirtyNames = null;
  }

  #enterEpoch(entry: KeyEntry): void {
    if (entry.changedEpoch === this.epoch && (entry.epochSlots !== 0 || (entry.named !== null && entry.named.epochNames !== null))) return;
    this.#epochChanged.push(entry);
    entry.changedEpoch = this.epoch;
    entry.epochSlots = 0;
    if (entry.named !== null) entry.named.epochNames = null;
  }

  /** The snapshot that ended the epoch went through; what follows belongs to `next`. */
  epochCommitted(next: Epoch): void {
    this.epoch = next;
    // By CL1 nothing needs to be reset; names would only fill the memory.
    if (this.#hasNames) for (const { named } of this.#epochChanged) if (named !== null) named.epochNames = null;
    this.#hasNames = false;
    this.#epochChanged = [];
    this.#epochRows = 0;
    this.#committedRows = 0;
    this.#commits = [];
  }
}

/** Whether nothing of it has changed since the last commit. */
export function isClean({ dirtySlots, named }: KeyEntry): boolean {
  return dirtySlots === 0 && (named === null || named.dirtyNames === null);
}

function joinCommits(commits: readonly DeltaPart[], rowsMax: number): DeltaPart[] {
  const parts: DeltaPart[] = [];
  let from = 0;
  let rows = 0;
  for (let i = 0; i < commits.length; i++) {
    rows += commits[i]!.rows;
    if (rows < rowsMax && i < commits.length - 1) continue;
    const joined = commits.slice(from, i + 1);
    const bytes = joinDeltaBlocks(
      joined.map((commit) => commit.bytes),
      from,
    );
    parts.push({ rows, bytes, keys: joined.flatMap((commit) => commit.keys) });
    from = i + 1;
    rows = 0;
  }
  return parts;
}

function partOf(tables: readonly RowTable[]): DeltaPart {
  const keys = tables.map((table) => table.keys);
  return { rows: keys.reduce((sum, { length }) => sum + length, 0), bytes: encodeDeltaTables(tables), keys: [keys] };
}

function bitCount(bits: number): number {
  let count = 0;
  for (let left = bits; left !== 0; left &= left - 1) count++;
  return count;
}
