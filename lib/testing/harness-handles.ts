/** The state handles of the harness: written a second time, on purpose, so that they check the runtime's. */
import { canonicalKey } from '../model/canonical-key.ts';
import type { AggregatingState, KeyedStateDescriptor, ListState, MapState, ReducingState, ValueState } from '../state/descriptors.ts';
import { type Cell, ttlCell } from '../state/ttl.ts';
import type { HarnessKeyed } from './harness-keyed.ts';
import { parseJson } from '../base/parse-json.ts';

export function harnessHandle(keyed: HarnessKeyed, name: string, descriptor: KeyedStateDescriptor): unknown {
  const cellAt = (part: string): Cell => {
    const address = (): string => `${name}|${keyed.keyText()}|${part}`;
    const plain: Cell = { read: () => keyed.cells.read(address()), write: (value) => keyed.cells.write(address(), value) };
    return descriptor.ttl === undefined ? plain : ttlCell(plain, descriptor.ttl, () => keyed.processingTimeMs);
  };
  switch (descriptor.kind) {
    case 'value':
      return valueHandle(cellAt(''));
    case 'list':
      return listHandle(cellAt(''));
    case 'map':
      return descriptor.load === 'by-entry' ? askedHandle(keyed, name, mapHandle(keyed, name, cellAt)) : mapHandle(keyed, name, cellAt);
    case 'reducing':
      return reducingHandle(cellAt(''), descriptor.reduce as (left: unknown, right: unknown) => unknown);
    case 'aggregating':
      return aggregatingHandle(cellAt(''), descriptor);
  }
}

function valueHandle(cell: Cell): ValueState<unknown> {
  return { value: () => cell.read(), update: (value) => cell.write(value), clear: () => cell.write(undefined) };
}

function listHandle(cell: Cell): ListState<unknown> {
  const items = (): readonly unknown[] => (cell.read() as readonly unknown[] | undefined) ?? [];
  const store = (values: readonly unknown[]): void => cell.write(values.length === 0 ? undefined : [...values]);
  return {
    get: items,
    add: (value) => store([...items(), value]),
    addAll: (values) => store([...items(), ...values]),
    update: store,
    clear: () => store([]),
  };
}

function mapHandle(keyed: HarnessKeyed, name: string, cellAt: (part: string) => Cell): MapState<unknown, unknown> {
  const parts = (): string[] => {
    const prefix = `${name}|${keyed.keyText()}|`;
    return keyed.cells.addresses().flatMap((address) => (address.startsWith(prefix) ? [address.slice(prefix.length)] : []));
  };
  const entries = (): (readonly [unknown, unknown])[] =>
    parts().flatMap((part) => {
      const value = cellAt(part).read();
      return value === undefined ? [] : [[parseJson(part), value] as const];
    });
  return {
    get: (key) => cellAt(canonicalKey(key)).read(),
    put: (key, value) => cellAt(canonicalKey(key)).write(value),
    contains: (key) => cellAt(canonicalKey(key)).read() !== undefined,
    remove: (key) => cellAt(canonicalKey(key)).write(undefined),
    entries,
    isEmpty: () => entries().length === 0,
    clear: () => parts().forEach((part) => cellAt(part).write(undefined)),
  };
}

/** Only what was asked for may be read. */
function askedHandle({ asked }: HarnessKeyed, name: string, whole: MapState<unknown, unknown>): MapState<unknown, unknown> {
  asked.declare(name);
  const readable = (key: unknown): unknown => {
    asked.mayRead(name, canonicalKey(key));
    return key;
  };
  const written = (key: unknown): unknown => {
    asked.wrote(name, canonicalKey(key));
    return key;
  };
  return {
    get: (key) => whole.get(readable(key)),
    put: (key, value) => whole.put(written(key), value),
    contains: (key) => whole.contains(readable(key)),
    remove: (key) => whole.remove(written(key)),
    entries() {
      asked.mayReadAll(name);
      return whole.entries();
    },
    isEmpty() {
      asked.mayReadAll(name);
      return whole.isEmpty();
    },
    clear() {
      asked.cleared(name);
      whole.clear();
    },
  };
}

function reducingHandle(cell: Cell, reduce: (left: unknown, right: unknown) => unknown): ReducingState<unknown> {
  return {
    get: () => cell.read(),
    add(value) {
      const current = cell.read();
      cell.write(current === undefined ? value : reduce(current, value));
    },
    clear: () => cell.write(undefined),
  };
}

function aggregatingHandle(
  cell: Cell,
  { aggregate }: Extract<KeyedStateDescriptor, { kind: 'aggregating' }>,
): AggregatingState<unknown, unknown> {
  return {
    get() {
      const accumulator = cell.read();
      return accumulator === undefined ? undefined : (aggregate.getResult(accumulator) as unknown);
    },
    add(value) {
      const accumulator = cell.read();
      cell.write(aggregate.add(value, accumulator === undefined ? aggregate.createAccumulator() : accumulator));
    },
    clear: () => cell.write(undefined),
  };
}
