/** The handles that user code holds: typed views of the current key's slots and namespaced values in a KeyedBackend. */
import type {
  AggregatingState,
  AggregatingStateDescriptor,
  HandleOf,
  KeyedStateDescriptor,
  ListState,
  ReducingState,
  ReducingStateDescriptor,
  ValueState,
} from './descriptors.ts';
import type { NamespacedState } from './keyed-context.ts';
import { mapHandle } from './map-handle.ts';
import { slotValue } from './key-entry.ts';
import type { KeyedBackend } from './keyed-backend.ts';
import { ttlCell, ttlList, type Cell, type ListCell } from './ttl.ts';

export function createHandle<D extends KeyedStateDescriptor>(backend: KeyedBackend, name: string, descriptor: D): HandleOf<D> {
  return handleFor(backend, name, descriptor) as HandleOf<D>;
}

function handleFor(backend: KeyedBackend, name: string, descriptor: KeyedStateDescriptor): unknown {
  switch (descriptor.kind) {
    case 'value':
      return valueHandle(slotCell(backend, name, descriptor));
    case 'list':
      return listHandle(backend, name, descriptor);
    case 'reducing':
      return reducingHandle(slotCell(backend, name, descriptor), descriptor);
    case 'aggregating':
      return aggregatingHandle(slotCell(backend, name, descriptor), descriptor);
    case 'map':
      return mapHandle(backend, name, descriptor);
  }
}

/** The current key's value of one slot, with time to live where the descriptor asks for it. */
function slotCell(backend: KeyedBackend, name: string, descriptor: KeyedStateDescriptor): Cell {
  const slot = backend.declareSlot(name);
  const plain: Cell = {
    read: slot === 0 ? () => backend.current!.value : () => slotValue(backend.current!, slot),
    write: (value) => backend.setSlot(slot, value),
  };
  return descriptor.ttl === undefined ? plain : ttlCell(plain, descriptor.ttl, () => backend.processingTimeMs);
}

function valueHandle(cell: Cell): ValueState<unknown> {
  return { value: cell.read, update: cell.write, clear: () => cell.write(undefined) };
}

function reducingHandle(cell: Cell, descriptor: ReducingStateDescriptor<unknown>): ReducingState<unknown> {
  return {
    get: cell.read,
    add(value) {
      const current = cell.read();
      cell.write(current === undefined ? value : descriptor.reduce(current, value));
    },
    clear: () => cell.write(undefined),
  };
}

function aggregatingHandle(
  cell: Cell,
  { aggregate }: AggregatingStateDescriptor<unknown, unknown, unknown>,
): AggregatingState<unknown, unknown> {
  return {
    get() {
      const accumulator = cell.read();
      return accumulator === undefined ? undefined : aggregate.getResult(accumulator);
    },
    add(value) {
      const accumulator = cell.read();
      // Not `??`: null is an accumulator like any other.
      cell.write(aggregate.add(value, accumulator === undefined ? aggregate.createAccumulator() : accumulator));
    },
    clear: () => cell.write(undefined),
  };
}

function listHandle(backend: KeyedBackend, name: string, descriptor: KeyedStateDescriptor): ListState<unknown> {
  const slot = backend.declareSlot(name);
  const cell: ListCell = {
    stored: () => (slotValue(backend.current!, slot) as readonly unknown[] | undefined) ?? noItems,
    store: (items) => backend.setSlot(slot, items.length === 0 ? undefined : items),
  };
  return descriptor.ttl === undefined ? plainList(cell) : ttlList(cell, descriptor.ttl, () => backend.processingTimeMs);
}

function plainList({ stored, store }: ListCell): ListState<unknown> {
  // The stored array is ours: appending in place keeps a long list's `add` from copying it. A thrown-away try takes the array with it.
  const append = (values: readonly unknown[]): void => {
    const items = stored();
    if (items === noItems) return store([...values]);
    for (const value of values) (items as unknown[]).push(value);
    store(items);
  };
  return {
    // A copy: what was read, and perhaps emitted, does not grow with the next `add`.
    get: () => stored().slice(),
    add: (value) => append([value]),
    addAll: append,
    update: (values) => store([...values]),
    clear: () => store(noItems),
  };
}

const noItems: readonly unknown[] = [];

export function createNamespaced<T>(backend: KeyedBackend, name: string): NamespacedState<T> {
  const index = backend.declareSpace(name);
  return {
    get: (namespace) => backend.getNamespaced(index, namespace) as T | undefined,
    set: (namespace, value) => backend.setNamespaced(index, namespace, value),
    remove: (namespace) => backend.removeNamespaced(index, namespace),
    namespaces: () => backend.namespaces(index),
  };
}
