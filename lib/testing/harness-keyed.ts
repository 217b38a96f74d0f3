/** KeyedContext of the harness: one subtask's keyed state and timers, in maps. */
import { SluiceError } from '../base/errors.ts';
import { canonicalKey } from '../model/canonical-key.ts';
import type { TimerDomain } from '../model/state-row.ts';
import { MIN_WATERMARK } from '../model/time.ts';
import type { HandleOf, KeyedStateDescriptor } from '../state/descriptors.ts';
import type { KeyedContext, NamespacedState, TimerService } from '../state/keyed-context.ts';
import { HarnessCells } from './harness-cells.ts';
import { HarnessEntries } from './harness-entries.ts';
import { harnessHandle } from './harness-handles.ts';
import { parseJson } from '../base/parse-json.ts';

export interface HarnessTimer {
  readonly domain: TimerDomain;
  readonly timestamp: number;
  /** Canonical JSON. */
  readonly key: string;
  readonly namespace: string;
}

export interface KeyedSnapshot {
  readonly cells: readonly (readonly [string, string])[];
  readonly timers: readonly HarnessTimer[];
}

export class HarnessKeyed implements KeyedContext {
  readonly cells: HarnessCells;
  readonly timers: TimerService;
  readonly asked = new HarnessEntries();
  readonly #timers: Map<string, HarnessTimer>;
  readonly #names = new Set<string>();
  /** Canonical JSON; undefined outside of keyed elements. */
  #key: string | undefined;
  watermark = MIN_WATERMARK;
  processingTimeMs = 0;

  constructor(from: KeyedSnapshot = { cells: [], timers: [] }) {
    this.cells = new HarnessCells(from.cells);
    this.#timers = new Map(from.timers.map((timer) => [idOf(timer), timer]));
    const timer = (domain: TimerDomain, timestamp: number, namespace = ''): HarnessTimer => ({
      domain,
      timestamp,
      key: this.keyText(),
      namespace,
    });
    this.timers = {
      register: (domain, timestamp, namespace) => {
        const registered = timer(domain, timestamp, namespace);
        this.#timers.set(idOf(registered), registered);
      },
      remove: (domain, timestamp, namespace) => {
        this.#timers.delete(idOf(timer(domain, timestamp, namespace)));
      },
    };
  }

  setKey(key: unknown): void {
    this.#key = canonicalKey(key);
  }

  setKeyText(text: string): void {
    this.#key = text;
  }

  clearKey(): void {
    this.#key = undefined;
  }

  /** @throws where a function uses keyed state on an element that has no key */
  keyText(): string {
    if (this.#key !== undefined) return this.#key;
    throw new SluiceError('SLUICE-TEST-HARNESS', 'keyed state or timers were used where there is no key', {
      hint: 'Use them in process and onTimer only: not in open or finish, and not for broadcast records.',
    });
  }

  currentKey(): unknown {
    return parseJson(this.keyText());
  }

  currentWatermark(): number {
    return this.watermark;
  }

  currentProcessingTime(): number {
    return this.processingTimeMs;
  }

  state<D extends KeyedStateDescriptor>(name: string, descriptor: D): HandleOf<D> {
    return harnessHandle(this, this.#declare(name), descriptor) as HandleOf<D>;
  }

  namespacedState<T>(name: string): NamespacedState<T> {
    this.#declare(name);
    const prefix = (): string => `${name}|${this.keyText()}|`;
    return {
      get: (namespace) => this.cells.read(prefix() + namespace) as T | undefined,
      set: (namespace, value) => this.cells.write(prefix() + namespace, value),
      remove: (namespace) => this.cells.write(prefix() + namespace, undefined),
      namespaces: () => this.cells.addresses().flatMap((address) => (address.startsWith(prefix()) ? [address.slice(prefix().length)] : [])),
    };
  }

  /** Takes the earliest due timer; ties go by key, then namespace, as in the runtime. */
  takeDue(domain: TimerDomain, upTo: number): HarnessTimer | undefined {
    const due = this.pendingTimers().find((timer) => timer.domain === domain && timer.timestamp <= upTo);
    if (due !== undefined) this.#timers.delete(idOf(due));
    return due;
  }

  pendingTimers(): HarnessTimer[] {
    return [...this.#timers.values()].sort(
      (a, b) => a.timestamp - b.timestamp || compare(a.key, b.key) || compare(a.namespace, b.namespace),
    );
  }

  snapshot(): KeyedSnapshot {
    return { cells: this.cells.entries(), timers: this.pendingTimers() };
  }

  #declare(name: string): string {
    if (this.#names.has(name))
      throw new SluiceError('SLUICE-TEST-HARNESS', `state ${name} is declared twice`, { hint: 'Name states differently.' });
    this.#names.add(name);
    return name;
  }
}

function idOf({ domain, timestamp, key, namespace }: HarnessTimer): string {
  return `${domain}|${timestamp}|${key}|${namespace}`;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
