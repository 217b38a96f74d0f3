/**
 * A keyed backend beside a plain model of what user code must read. The world does to the backend what the runtime does: loads keys, commits, ends
 * epochs, advances the base, evicts, and throws it away to load it again from base, deltas and segments.
 */
import { expect } from 'vitest';
import { canonicalKey } from '../../lib/model/canonical-key.ts';
import type { TimerDomain } from '../../lib/model/state-row.ts';
import { tablesOfRows } from '../../lib/model/table-rows.ts';
import type { StateRow } from '../../lib/model/state-row.ts';
import type { KeyedBase } from '../../lib/ports/keyed-base.ts';
import { applyRows } from '../../lib/state/apply-rows.ts';
import { decodeDeltaTables } from '../../lib/state/delta-codec.ts';
import { decodeDelta } from '../../lib/state/delta-rows.ts';
import type { ListState, MapState, ReducingState, ValueState } from '../../lib/state/descriptors.ts';
import type { KeyEntry } from '../../lib/state/key-entry.ts';
import type { KeyedBackend } from '../../lib/state/keyed-backend.ts';
import { listState, mapState } from '../../lib/state/constructors.ts';
import { loadWanted } from '../../lib/state/load-wanted.ts';
import { createHandle } from '../../lib/state/state-handles.ts';
import { newBase, openBackend, testMaxParallelism, testOperator } from './open-backend.ts';
import { parseJson } from '../../lib/base/parse-json.ts';

export interface ModelTimer {
  readonly domain: TimerDomain;
  readonly timestamp: number;
  readonly namespace: string;
}

/** Which entries of the map. */
export type Ask = 'all' | readonly string[];

const mapKeys = ['p', 'q', ''] as const;

export interface Firing extends ModelTimer {
  readonly key: string;
}

class KeyModel {
  value: unknown = undefined;
  list: number[] = [];
  map = new Map<string, number>();
  sum: number | undefined = undefined;
  timers = new Map<string, ModelTimer>();
}

interface Delta {
  readonly epoch: number;
  readonly bytes: Uint8Array;
}

const keyGroups = { start: 0, end: testMaxParallelism - 1 };

export class BackendWorld {
  readonly #base: KeyedBase = newBase();
  #deltas: Delta[] = [];
  #segments: Uint8Array[] = [];
  #epoch = 1;
  #baseEpoch = -1;
  #recorded: Record<TimerDomain, number | null> = { event: null, processing: null };
  #committed = new Map<string, KeyModel>();
  #current = new Map<string, KeyModel>();
  #backend!: KeyedBackend;
  #load: 'whole' | 'by-entry';
  value!: ValueState<unknown>;
  list!: ListState<number>;
  map!: MapState<string, number>;
  sum!: ReducingState<number>;

  constructor(load: 'whole' | 'by-entry' = 'whole') {
    this.#load = load;
    this.#open();
  }

  get keysInMemory(): number {
    return this.#backend.size;
  }

  #open(): void {
    this.#backend = openBackend({ base: this.#base, baseHasRows: this.#baseEpoch >= 0 });
    this.#backend.changes.epoch = this.#epoch;
    this.#backend.baseEpoch = this.#baseEpoch;
    this.value = createHandle(this.#backend, 'value', { kind: 'value' });
    this.list = createHandle(this.#backend, 'list', listState<number>());
    this.map = createHandle(
      this.#backend,
      'map',
      this.#load === 'whole' ? mapState<string, number>() : mapState<string, number>({ load: 'by-entry' }),
    );
    this.sum = createHandle(this.#backend, 'sum', { kind: 'reducing', reduce: (a: number, b: number) => a + b });
  }

  get entriesInMemory(): number {
    return this.#backend.entryMaps.count;
  }

  get hasDeadRows(): boolean {
    return this.#backend.entryMaps.sweeper.hasWork;
  }

  /** What the base has of the map, by key. */
  async mapRows(key: unknown): Promise<string[]> {
    const { canonical, keyGroup } = this.#backend.resolve(key);
    const rows = await this.#base.readKey('job', { operator: testOperator, state: 'map', keyGroup, key: canonical });
    return rows.map(({ namespace }) => namespace);
  }

  /** Makes a key the current one, as before each record, and checks that all of its state reads as the model says; of its map, what is asked for. */
  async on(key: unknown, ask: Ask = 'all'): Promise<KeyModel> {
    const entry = this.#backend.resolve(key);
    if (!entry.full) await this.#backend.load([entry]);
    this.#backend.current = entry;
    await this.#ask(entry, ask);
    const model = this.#modelOf(canonicalKey(key));
    this.#check(model, ask);
    return model;
  }

  async #ask(entry: KeyEntry, ask: Ask): Promise<void> {
    if (this.#load === 'whole') return;
    const wanted = this.#backend.entryMaps.wanted({ map: ask });
    await loadWanted(this.#backend, [entry], [wanted]);
    this.#backend.entryMaps.begin(entry, wanted);
  }

  #modelOf(key: string): KeyModel {
    let model = this.#current.get(key);
    if (model === undefined) this.#current.set(key, (model = new KeyModel()));
    return model;
  }

  #check(model: KeyModel, ask: Ask): void {
    expect(this.value.value()).toEqual(model.value);
    expect(this.list.get()).toEqual(model.list);
    expect(this.sum.get()).toBe(model.sum);
    this.checkMap(model, ask);
  }

  checkMap(model: KeyModel, ask: Ask): void {
    if (ask === 'all' || this.#load === 'whole') {
      expect(new Map(this.map.entries())).toEqual(model.map);
      expect(this.map.isEmpty()).toBe(model.map.size === 0);
      return;
    }
    for (const name of mapKeys) {
      if (ask.includes(name))
        expect([name, this.map.get(name), this.map.contains(name)]).toEqual([name, model.map.get(name), model.map.has(name)]);
      else expect(() => this.map.get(name)).toThrow(expect.objectContaining({ code: 'SLUICE-ENTRY-NOT-DECLARED' }));
    }
    expect(() => this.map.isEmpty()).toThrow(expect.objectContaining({ code: 'SLUICE-MAP-NOT-LOADED' }));
  }

  register(model: KeyModel, timer: ModelTimer): void {
    this.#backend.timers.register(timer.domain, timer.timestamp, timer.namespace);
    model.timers.set(timerId(timer), timer);
  }

  remove(model: KeyModel, timer: ModelTimer): void {
    this.#backend.timers.remove(timer.domain, timer.timestamp, timer.namespace);
    model.timers.delete(timerId(timer));
  }

  /** Fires what is due, as process-elements.ts does, and as the model says; `onTimer` may change state and timers. */
  async fire(domain: TimerDomain, upTo: number, onTimer: (model: KeyModel, timer: Firing) => void = () => undefined): Promise<Firing[]> {
    const fired: Firing[] = [];
    const { timers } = this.#backend;
    for (;;) {
      const safe = timers.safeUpTo(domain, upTo);
      const due = timers.takeDue(domain, safe, 3);
      if (due.length === 0) {
        if (safe === upTo) break;
        await timers.readAhead(domain);
        continue;
      }
      const entries = due.map(({ element }) => element.entry);
      await this.#backend.load(entries);
      const asked = due.map(({ element }) => timerAsks[Math.abs(element.timestamp) % timerAsks.length]!);
      const wanted = asked.map((ask) => (this.#load === 'whole' ? [] : this.#backend.entryMaps.wanted({ map: ask })));
      await loadWanted(this.#backend, entries, wanted);
      for (const [i, taken] of due.entries()) {
        if (i > 0 && timers.hasEarlier(taken)) {
          timers.putBack(due.slice(i));
          break;
        }
        const { entry, timestamp, namespace } = taken.element;
        this.#backend.current = entry;
        if (!timers.claim(taken)) continue;
        this.#backend.entryMaps.begin(entry, wanted[i]!);
        const firing: Firing = { domain, timestamp, namespace, key: entry.canonical };
        expect(firing).toEqual(this.#earliest(domain, upTo));
        const model = this.#modelOf(entry.canonical);
        this.#check(model, asked[i]!);
        model.timers.delete(timerId(firing));
        fired.push(firing);
        onTimer(model, firing);
      }
    }
    expect(this.#earliest(domain, upTo)).toBeUndefined();
    return fired;
  }

  #earliest(domain: TimerDomain, upTo: number): Firing | undefined {
    let first: Firing | undefined;
    for (const [key, { timers }] of this.#current) {
      for (const timer of timers.values()) {
        if (timer.domain !== domain || timer.timestamp > upTo) continue;
        const candidate: Firing = { domain, timestamp: timer.timestamp, namespace: timer.namespace, key };
        if (first === undefined || comesFirst(candidate, first)) first = candidate;
      }
    }
    return first;
  }

  /** As at the end of an invocation, before its commit. */
  async sweep(rowsMax: number): Promise<void> {
    await this.#backend.entryMaps.sweeper.step(rowsMax);
  }

  commit(): void {
    const written = this.#backend.changes.writeCommit();
    if (written !== null) this.#segments.push(written);
    this.#recordTimers();
    this.#backend.changes.committed();
    this.#committed = copyOf(this.#current);
  }

  /** A snapshot: what is in hand goes with it. Numbers may be skipped: checkpoints that were aborted. */
  endEpoch(skipped: number, entriesPerPart: number): void {
    const checkpoint = this.#epoch + skipped;
    if (this.#backend.changes.epochHasChanges) {
      for (const { bytes } of this.#backend.changes.writeEpoch(entriesPerPart)) this.#deltas.push({ epoch: checkpoint, bytes });
    }
    this.#recordTimers();
    this.#segments = [];
    this.#epoch = checkpoint + 1;
    this.#backend.changes.epochCommitted(this.#epoch);
    this.#committed = copyOf(this.#current);
  }

  /** The next timers that the record names are never later than the true ones. */
  #recordTimers(): void {
    for (const domain of ['event', 'processing'] as const) {
      const next = this.#backend.timers.next(domain, this.#recorded[domain]);
      const first = this.#earliest(domain, Number.MAX_SAFE_INTEGER);
      if (first !== undefined) expect(next).toBeLessThanOrEqual(first.timestamp);
      this.#recorded[domain] = next;
    }
  }

  /** Writes the oldest deltas to the base. With `crash` it is never recorded, and the world goes on cold. */
  async advance(count: number, crash: boolean): Promise<void> {
    const step = this.#deltas.slice(0, count);
    if (step.length === 0) return;
    const rows = new Map<string, StateRow>();
    for (const { bytes } of step) {
      for (const row of decodeDelta(bytes, 'a delta')) {
        const { operator, state, keyGroup, key, namespace } = row;
        rows.set(JSON.stringify([operator, state, keyGroup, key, namespace]), row);
      }
    }
    const { epoch } = step.at(-1)!;
    await this.#base.write('job', epoch, tablesOfRows(rows.values()));
    if (crash) return this.reload();
    this.#backend.baseWritten();
    this.#deltas = this.#deltas.slice(step.length);
    this.#baseEpoch = Math.max(this.#baseEpoch, this.#deltas.some((delta) => delta.epoch <= epoch) ? 0 : epoch);
    this.#backend.baseEpoch = this.#baseEpoch;
  }

  evict(keysMax: number): void {
    this.#backend.evict(keysMax, keysMax);
  }

  /** A try that failed, or a cold start: what was not committed is gone. The map may from now on be loaded otherwise. */
  reload(load = this.#load): void {
    this.#load = load;
    this.#current = copyOf(this.#committed);
    this.#open();
    for (const { epoch, bytes } of this.#deltas)
      applyRows(this.#backend, decodeDeltaTables(bytes, 'a delta'), { epoch, keyGroups, open: false });
    for (const bytes of this.#segments)
      applyRows(this.#backend, decodeDeltaTables(bytes, 'a segment'), { epoch: this.#epoch, keyGroups, open: true });
  }

  /** Every key that ever was reads as the model says, and every timer of it fires. */
  async checkAll(): Promise<void> {
    for (const key of [...this.#current.keys()]) await this.on(parseJson(key));
    for (const domain of ['event', 'processing'] as const) await this.fire(domain, Number.MAX_SAFE_INTEGER);
  }
}

const timerAsks: readonly Ask[] = ['all', [], ['p'], ['q', '']];

function timerId({ domain, timestamp, namespace }: ModelTimer): string {
  return `${domain}|${timestamp}|${namespace}`;
}

function comesFirst(a: Firing, b: Firing): boolean {
  if (a.timestamp !== b.timestamp) return a.timestamp < b.timestamp;
  if (a.key !== b.key) return a.key < b.key;
  return a.namespace < b.namespace;
}

function copyOf(models: ReadonlyMap<string, KeyModel>): Map<string, KeyModel> {
  return new Map(
    [...models].map(([key, { value, list, map, sum, timers }]) => [
      key,
      Object.assign(new KeyModel(), { value, list: [...list], map: new Map(map), sum, timers: new Map(timers) }),
    ]),
  );
}
