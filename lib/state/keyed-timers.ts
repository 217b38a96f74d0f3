/**
 * Timers of one shard's keys: registered and removed for the current key, due by time over all keys.
 *
 * KT1. One timer per key, domain, timestamp and namespace; a second registration changes nothing.
 * KT2. A removed or fired timer never comes back from the base: until the base has the removal it is remembered in the entry's `gone`.
 */
import type { BaseRow, DueCursor } from '../ports/keyed-base.ts';
import { parseTimerNamespace, timerNamespace, timerStates, type TimerDomain } from '../model/state-row.ts';
import { MIN_WATERMARK } from '../model/time.ts';
import { comesBefore, TimerIndex } from './timer-index.ts';
import { namedStateOf, type KeyEntry, type TimerElement } from './key-entry.ts';
import type { KeyedBackend } from './keyed-backend.ts';
import type { TimerService } from './keyed-context.ts';

/** Timers read ahead of the watermark in one go. */
const readAheadRows = 10_000;

export interface DueTimer {
  readonly domain: TimerDomain;
  readonly element: TimerElement;
}

export class KeyedTimers implements TimerService {
  readonly #backend: KeyedBackend;
  readonly #indexes: Readonly<Record<TimerDomain, TimerIndex>>;

  constructor(backend: KeyedBackend, baseHasRows: boolean) {
    this.#backend = backend;
    const horizon = baseHasRows ? null : 'whole';
    this.#indexes = { event: new TimerIndex(horizon), processing: new TimerIndex(horizon) };
  }

  register(domain: TimerDomain, timestamp: number, namespace = ''): void {
    const entry = this.#backend.current!;
    const text = timerNamespace(timestamp, namespace);
    const name = `${domain}|${text}`;
    const named = namedStateOf(entry);
    if (named.timers?.has(name) === true) return;
    this.#insert(entry, domain, name, text);
    named.gone?.delete(name);
    this.#backend.changes.markName(entry, name);
  }

  remove(domain: TimerDomain, timestamp: number, namespace = ''): void {
    this.#drop(this.#backend.current!, `${domain}|${timerNamespace(timestamp, namespace)}`);
  }

  #insert(entry: KeyEntry, domain: TimerDomain, name: string, text: string): void {
    const { timestamp, namespace } = parseTimerNamespace(text);
    const element: TimerElement = { timestamp, name: text, namespace, entry, live: true };
    (namedStateOf(entry).timers ??= new Map()).set(name, element);
    this.#indexes[domain].add(element);
  }

  #drop(entry: KeyEntry, name: string): void {
    const timers = entry.named?.timers;
    const element = timers?.get(name);
    if (element !== undefined) {
      element.live = false;
      timers!.delete(name);
    }
    this.#backend.remember(entry, name);
    this.#backend.changes.markName(entry, name);
  }

  /** A row of a delta or segment. */
  restore(entry: KeyEntry, domain: TimerDomain, text: string, deleted: boolean): void {
    const name = `${domain}|${text}`;
    const named = namedStateOf(entry);
    const element = named.timers?.get(name);
    if (deleted) {
      if (element !== undefined) element.live = false;
      named.timers?.delete(name);
      this.#backend.remember(entry, name);
      return;
    }
    named.gone?.delete(name);
    if (element === undefined) this.#insert(entry, domain, name, text);
  }

  /** Up to where firing is safe: beyond it unread timers of the base may come first. `upTo` itself where all of them are in memory. */
  safeUpTo(domain: TimerDomain, upTo: number): number {
    const { horizon } = this.#indexes[domain];
    if (horizon === 'whole') return upTo;
    return horizon === null ? MIN_WATERMARK : Math.min(upTo, parseTimerNamespace(horizon.namespace).timestamp - 1);
  }

  /** Reads the base's next timers beyond the horizon. */
  async readAhead(domain: TimerDomain): Promise<void> {
    const { base, space, operator, keyGroups } = this.#backend.options;
    const index = this.#indexes[domain];
    const after = index.horizon === 'whole' ? null : index.horizon;
    const rows = await base.readDue(space, { operator, state: timerStates[domain], keyGroups, after, rowsMax: readAheadRows });
    for (const row of rows) {
      const entry = this.#backend.resolveCanonical(row.key, row.keyGroup);
      const name = `${domain}|${row.namespace}`;
      if (entry.named?.timers?.has(name) === true || entry.named?.gone?.has(name) === true) continue;
      this.#insert(entry, domain, name, row.namespace);
    }
    index.horizon = rows.length < readAheadRows ? 'whole' : cursorOf(rows[rows.length - 1]!);
  }

  /** Takes due timers for firing; they are gone from state with this commit. Their entries may still have to be loaded. */
  takeDue(domain: TimerDomain, upTo: number, countMax: number): DueTimer[] {
    return this.#indexes[domain].takeDue(upTo, countMax).map((element) => ({ domain, element }));
  }

  /** Whether a timer that was registered meanwhile comes before a taken one. */
  hasEarlier(due: DueTimer): boolean {
    const first = this.#indexes[due.domain].peek();
    return first !== undefined && comesBefore(first, due.element);
  }

  putBack(due: readonly DueTimer[]): void {
    for (const { domain, element } of due) if (element.live) this.#indexes[domain].add(element);
  }

  /** Called for a taken timer just before it fires. False where an earlier firing of the same batch has removed it. */
  claim(due: DueTimer): boolean {
    if (!due.element.live) return false;
    this.#drop(due.element.entry, `${due.domain}|${due.element.name}`);
    return true;
  }

  /** Earliest timer; where the base has not been read, what the shard record says of it counts too. null = none. */
  next(domain: TimerDomain, recorded: number | null): number | null {
    const index = this.#indexes[domain];
    const first = index.peek()?.timestamp ?? null;
    if (index.horizon === 'whole') return first;
    const unread = index.horizon === null ? recorded : parseTimerNamespace(index.horizon.namespace).timestamp;
    return first === null ? unread : unread === null ? first : Math.min(first, unread);
  }

  /** Before an entry leaves memory: its timers will be read again. */
  forget(entry: KeyEntry): void {
    for (const [name, element] of entry.named?.timers ?? []) {
      element.live = false;
      const index = this.#indexes[name.slice(0, name.indexOf('|')) as TimerDomain];
      if (index.horizon === null || (index.horizon !== 'whole' && index.horizon.namespace < element.name)) continue;
      // Reading strictly after a text just below the name brings the name again.
      index.horizon = { namespace: element.name.slice(0, -1), keyGroup: 0, key: '' };
    }
  }
}

function cursorOf(row: BaseRow): DueCursor {
  return { namespace: row.namespace, keyGroup: row.keyGroup, key: row.key };
}
