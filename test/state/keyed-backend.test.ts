import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { operatorUid } from '../../lib/base/ids.ts';
import { MAX_WATERMARK, MIN_WATERMARK } from '../../lib/model/time.ts';
import type { DueQuery, KeyedBase } from '../../lib/ports/keyed-base.ts';
import { applyRows } from '../../lib/state/apply-rows.ts';
import { decodeDeltaTables } from '../../lib/state/delta-codec.ts';
import { appendRow, newRowTable } from '../../lib/model/open-row-table.ts';
import { createHandle } from '../../lib/state/state-handles.ts';
import { type Ask, BackendWorld, type ModelTimer } from './backend-world.ts';
import { newBase, openBackend, testOperator } from './open-backend.ts';

type Step = (world: BackendWorld) => Promise<void> | void;

const keys = fc.constantFrom<unknown>('a', 'b', 'c', 1, '1', null, { x: 1, y: 2 }, ['a']);
const timers = fc.record<ModelTimer>(
  {
    domain: fc.constantFrom('event', 'processing'),
    timestamp: fc.oneof(fc.integer({ min: -3, max: 12 }), fc.constantFrom(MAX_WATERMARK, MIN_WATERMARK + 1)),
    namespace: fc.constantFrom('', 'w', '|'),
  },
  { noNullPrototype: true },
);

const writes = fc.oneof(
  fc.constantFrom<unknown>(undefined, null, 1, -0, 'text', { a: [1] }).map((value) => ({ kind: 'value' as const, value })),
  fc.nat(9).map((item) => ({ kind: 'list' as const, item })),
  fc.array(fc.nat(9), { maxLength: 3 }).map((items) => ({ kind: 'replace-list' as const, items })),
  fc.tuple(fc.constantFrom('p', 'q', ''), fc.nat(9)).map(([name, value]) => ({ kind: 'put' as const, name, value })),
  fc.constantFrom('p', 'q', '').map((name) => ({ kind: 'remove' as const, name })),
  fc.constant({ kind: 'clear-map' as const }),
  fc.nat(9).map((item) => ({ kind: 'add' as const, item })),
  fc.constant({ kind: 'clear-sum' as const }),
);

const loads = fc.constantFrom<'whole' | 'by-entry'>('whole', 'by-entry');
const asks = fc.constantFrom<Ask>('all', [], ['p'], ['q', ''], ['p', 'q', '']);

const write: fc.Arbitrary<Step> = fc.tuple(keys, writes, asks, asks).map(([key, change, before, after]) =>
  named(`write ${JSON.stringify([key, change, before, after])}`, async (world) => {
    const model = await world.on(key, before);
    switch (change.kind) {
      case 'value':
        world.value.update(change.value);
        model.value = change.value;
        break;
      case 'list':
        world.list.add(change.item);
        model.list.push(change.item);
        break;
      case 'replace-list':
        world.list.update(change.items);
        model.list = [...change.items];
        break;
      case 'put':
        world.map.put(change.name, change.value);
        model.map.set(change.name, change.value);
        expect(world.map.get(change.name)).toBe(change.value);
        break;
      case 'remove':
        world.map.remove(change.name);
        model.map.delete(change.name);
        expect(world.map.contains(change.name)).toBe(false);
        break;
      case 'clear-map':
        world.map.clear();
        model.map.clear();
        world.checkMap(model, 'all');
        break;
      case 'add':
        world.sum.add(change.item);
        model.sum = (model.sum ?? 0) + change.item;
        break;
      case 'clear-sum':
        world.sum.clear();
        model.sum = undefined;
        break;
    }
    await world.on(key, after);
  }),
);

const timer: fc.Arbitrary<Step> = fc.tuple(keys, timers, fc.boolean()).map(([key, some, removed]) =>
  named(`${removed ? 'remove' : 'register'} ${JSON.stringify([key, some])}`, async (world) => {
    const model = await world.on(key);
    if (removed) world.remove(model, some);
    else world.register(model, some);
  }),
);

/** A firing counts itself, and sometimes registers the next, due at once or later, or removes another. */
const firing: fc.Arbitrary<Step> = fc.tuple(timers, fc.constantFrom('none', 'again', 'remove')).map(([{ domain, timestamp }, then]) =>
  named(`fire ${domain} up to ${timestamp}, ${then}`, async (world) => {
    await world.fire(domain, timestamp, (model, fired) => {
      world.sum.add(1);
      model.sum = (model.sum ?? 0) + 1;
      const next = { domain, timestamp: fired.timestamp + 2, namespace: fired.namespace };
      if (then === 'again' && model.sum < 20 && Number.isSafeInteger(next.timestamp)) world.register(model, next);
      if (then === 'remove') world.remove(model, { domain, timestamp: fired.timestamp + 1, namespace: '' });
    });
  }),
);

function named(name: string, step: Step): Step {
  return Object.assign(step, { [fc.toStringMethod]: () => name });
}

const steps: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: write },
  { weight: 5, arbitrary: timer },
  { weight: 2, arbitrary: firing },
  { weight: 4, arbitrary: fc.constant(named('commit', (world) => world.commit())) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(fc.nat(2), fc.integer({ min: 1, max: 3 }))
      .map(([skip, max]) => named(`end epoch ${skip} ${max}`, (world) => world.endEpoch(skip, max))),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(fc.integer({ min: 1, max: 3 }), fc.boolean())
      .map(([count, crash]) => named(`advance ${count} ${crash}`, (world) => world.advance(count, crash))),
  },
  { weight: 2, arbitrary: fc.nat(3).map((max) => named(`evict to ${max}`, (world) => world.evict(max))) },
  { weight: 2, arbitrary: fc.constant(named('reload', (world) => world.reload())) },
  { weight: 1, arbitrary: loads.map((load) => named(`reload ${load}`, (world) => world.reload(load))) },
  { weight: 2, arbitrary: fc.integer({ min: 1, max: 3 }).map((rows) => named(`sweep ${rows}`, (world) => world.sweep(rows))) },
);

describe('what user code reads', () => {
  test('is what it wrote, through commits, epochs, evictions, base advances and cold starts, and its timers fire in order', async () => {
    await fc.assert(
      fc.asyncProperty(loads, fc.array(steps, { maxLength: 60, size: 'max' }), async (load, all) => {
        const world = new BackendWorld(load);
        for (const step of all) await step(world);
        await world.checkAll();
        world.reload();
        await world.checkAll();
      }),
      { numRuns: Number(process.env['BACKEND_RUNS'] ?? 600) },
    );
  });
});

describe('memory', () => {
  test('loses only what the base has', async () => {
    const world = new BackendWorld();
    for (const key of ['a', 'b']) {
      const model = await world.on(key);
      world.value.update(key);
      model.value = key;
    }
    world.evict(0);
    expect(world.keysInMemory, 'not committed').toBe(2);
    world.commit();
    world.evict(0);
    expect(world.keysInMemory, 'in segments of the open epoch').toBe(2);
    world.endEpoch(0, 10);
    world.evict(0);
    expect(world.keysInMemory, 'in a delta').toBe(2);
    await world.advance(1, false);
    const changed = await world.on('a');
    world.value.update('again');
    changed.value = 'again';
    world.evict(0);
    expect(world.keysInMemory, 'changed since').toBe(1);
    await world.checkAll();
  });

  test('of an epoch ends with it', () => {
    const backend = openBackend();
    const state = createHandle(backend, 'value', { kind: 'value' });
    for (const key of ['a', 'b']) {
      backend.current = backend.resolve(key);
      state.update(key);
    }
    const { changes } = backend;
    expect([changes.hasChanges, changes.epochHasChanges]).toEqual([true, true]);
    expect(changes.writeEpoch(1).length).toBe(2);
    expect([changes.hasChanges, changes.epochHasChanges]).toEqual([false, true]);
    changes.epochCommitted(2);
    expect([changes.hasChanges, changes.epochHasChanges, changes.writeEpoch(1)]).toEqual([false, false, []]);
  });

  test('keeps the keys of a half-written epoch', async () => {
    const world = new BackendWorld();
    for (const key of ['a', 'b', 'c']) {
      const model = await world.on(key);
      world.value.update(key);
      model.value = key;
    }
    world.endEpoch(0, 1);
    await world.advance(2, false);
    world.evict(0);
    expect(world.keysInMemory).toBe(3);
    await world.advance(1, false);
    world.evict(0);
    expect(world.keysInMemory).toBe(0);
    await world.checkAll();
  });
});

describe('timers', () => {
  test('come from the base in pages, thousands of the same time among them, each once and in order', async () => {
    const base = newBase();
    const registered = Array.from({ length: 25_000 }, (_, i) => ({
      key: `k${i % 9_000}`,
      at: i < 12_000 ? 500 : 400 + (i % 200),
      namespace: `${i}`,
    }));
    const early = openBackend({ base });
    for (const { key, at, namespace } of registered) {
      early.current = early.resolve(key);
      early.timers.register('event', at, namespace);
    }
    await base.write('job', 1, early.changes.commitTables());

    const reads: number[] = [];
    const counted = {
      readDue(space: string, query: DueQuery) {
        reads.push(query.rowsMax);
        return base.readDue(space, query);
      },
    } as KeyedBase;
    const backend = openBackend({ base: counted, baseHasRows: true });
    const fired: { key: unknown; at: number; namespace: string }[] = [];
    const fireUpTo = async (upTo: number): Promise<void> => {
      for (;;) {
        const safe = backend.timers.safeUpTo('event', upTo);
        const due = backend.timers.takeDue('event', safe, 256);
        if (due.length === 0 && safe === upTo) return;
        if (due.length === 0) await backend.timers.readAhead('event');
        for (const taken of due) {
          if (!backend.timers.claim(taken)) continue;
          fired.push({ key: taken.element.entry.key, at: taken.element.timestamp, namespace: taken.element.namespace });
        }
      }
    };
    await fireUpTo(450);
    expect(reads, 'no more is read than what is due needs').toEqual([10_000]);
    backend.changes.committed();
    backend.changes.epochCommitted(2);
    backend.baseEpoch = 1;
    backend.evict(1_000, 1_000);
    await fireUpTo(499);
    await fireUpTo(MAX_WATERMARK);
    const byOrder = (a: (typeof fired)[number], b: (typeof fired)[number]): number =>
      a.at - b.at || compare(JSON.stringify(a.key), JSON.stringify(b.key)) || compare(a.namespace, b.namespace);
    expect(fired.length).toBe(25_000);
    expect(fired).toEqual([...registered].sort(byOrder));
  });

  test('of one key, time and namespace are one, and of the two domains two', async () => {
    const world = new BackendWorld();
    const model = await world.on('a');
    for (const namespace of ['', '', 'w']) world.register(model, { domain: 'event', timestamp: 5, namespace });
    world.register(model, { domain: 'processing', timestamp: 5, namespace: '' });
    expect(await world.fire('event', 5)).toHaveLength(2);
    expect(await world.fire('event', 5)).toEqual([]);
    expect(await world.fire('processing', 5)).toHaveLength(1);
  });

  test('that a firing of the same moment removes do not fire', async () => {
    const world = new BackendWorld();
    const model = await world.on('a');
    for (const timestamp of [1, 2, 3]) world.register(model, { domain: 'event', timestamp, namespace: '' });
    const fired = await world.fire('event', 5, (current, { timestamp }) => {
      if (timestamp === 1) world.remove(current, { domain: 'event', timestamp: 2, namespace: '' });
    });
    expect(fired.map(({ timestamp }) => timestamp)).toEqual([1, 3]);
  });

  test('that were removed by the hundred, and are still in the base, do not come back', async () => {
    const world = new BackendWorld();
    const model = await world.on('a');
    const some = Array.from({ length: 300 }, (_, i): ModelTimer => ({ domain: 'event', timestamp: i, namespace: '' }));
    for (const timer of some) world.register(model, timer);
    world.endEpoch(0, 10);
    for (const timer of some.slice(0, 200)) world.remove(model, timer);
    world.endEpoch(0, 10);
    await world.advance(1, false);
    world.reload();
    await world.fire('event', 250);
    const again = await world.on('a');
    for (const timer of some.slice(260)) world.remove(again, timer);
    world.commit();
    world.reload();
    expect(await world.fire('event', 500)).toHaveLength(9);
  });

  test('that a firing removes do not fire, and those that it registers for a time that has passed do', async () => {
    const world = new BackendWorld();
    const model = await world.on('a');
    for (const timestamp of [1, 2, 3, 9]) world.register(model, { domain: 'event', timestamp, namespace: '' });
    const fired = await world.fire('event', 5, (current, { timestamp }) => {
      if (timestamp !== 1) return;
      world.remove(current, { domain: 'event', timestamp: 2, namespace: '' });
      world.register(current, { domain: 'event', timestamp: -7, namespace: '' });
      world.register(current, { domain: 'event', timestamp: 4, namespace: '' });
    });
    expect(fired.map(({ timestamp }) => timestamp)).toEqual([1, -7, 3, 4]);
  });
});

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

describe('deltas of others', () => {
  test('are taken only for the own key groups, the listed ones, the own operator and the states that it has', () => {
    const backend = openBackend({ keyGroups: { start: 0, end: 3 } });
    const state = createHandle(backend, 'value', { kind: 'value' });
    const seen = createHandle(backend, 'seen', { kind: 'map' });
    const mine = newRowTable(testOperator, 'value');
    const dropped = newRowTable(testOperator, 'no-longer-declared');
    const other = newRowTable(operatorUid('other'), 'value');
    const names = Array.from({ length: 40 }, (_, i) => `key-${i}`);
    const probe = openBackend();
    for (const name of names) {
      const { canonical, keyGroup } = probe.resolve(name);
      for (const table of [mine, dropped, other]) appendRow(table, canonical, keyGroup, '', table === mine ? keyGroup : 'wrong', false);
    }
    applyRows(backend, [dropped, mine, other], { epoch: 4, keyGroups: { start: 2, end: 7 }, open: true });
    const values = names.flatMap((name) => {
      const { keyGroup } = probe.resolve(name);
      if (keyGroup > 3) return [];
      backend.current = backend.resolve(name);
      return [[keyGroup, state.value(), seen.isEmpty()]];
    });
    expect(new Set(values.map(([keyGroup]) => keyGroup))).toEqual(new Set([0, 1, 2, 3]));
    for (const [keyGroup, value, isEmpty] of values)
      expect([value, isEmpty]).toEqual([(keyGroup as number) >= 2 ? keyGroup : undefined, true]);
    const written = backend.changes.writeEpoch(100).flatMap(({ bytes }) => decodeDeltaTables(bytes, 'a test'));
    expect(written.map((table) => table.state)).toEqual(['value']);
    expect(new Set(written[0]!.keys).size, 'a row that nobody declares does not double its key').toBe(written[0]!.keys.length);
  });
});

describe('how far event time is closed', () => {
  test('is the watermark, or what was fired before a restore for the key group, whichever is later', () => {
    const backend = openBackend({
      fired: [
        { keyGroups: { start: 2, end: 5 }, firedUpTo: 100 },
        { keyGroups: { start: 4, end: 40 }, firedUpTo: 70 },
        { keyGroups: { start: 0, end: 0 }, firedUpTo: MIN_WATERMARK },
      ],
    });
    const closed = (): Map<number, number> => {
      const byGroup = new Map<number, number>();
      for (let i = 0; i < 200; i++) {
        backend.current = backend.resolve(i);
        byGroup.set(backend.current.keyGroup, backend.closedUpTo());
      }
      return new Map([...byGroup].sort(([a], [b]) => a - b));
    };
    expect([...closed().values()]).toEqual([MIN_WATERMARK, MIN_WATERMARK, 100, 100, 100, 100, 70, 70]);
    backend.watermark = 80;
    expect([...closed().values()]).toEqual([80, 80, 100, 100, 100, 100, 80, 80]);
    backend.watermark = 101;
    expect(new Set(closed().values())).toEqual(new Set([101]));
  });
});
