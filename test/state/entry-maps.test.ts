import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { limits } from '../../lib/base/limits.ts';
import { rowsOfTables } from '../../lib/model/table-rows.ts';
import type { StateAddress } from '../../lib/model/state-row.ts';
import type { KeyedBase } from '../../lib/ports/keyed-base.ts';
import { mapState, valueState } from '../../lib/state/constructors.ts';
import type { MapState, StateTtl, ValueState } from '../../lib/state/descriptors.ts';
import type { EntryRequest } from '../../lib/state/entry-request.ts';
import type { KeyedBackend } from '../../lib/state/keyed-backend.ts';
import { loadWanted } from '../../lib/state/load-wanted.ts';
import { createHandle } from '../../lib/state/state-handles.ts';
import { baseTables } from '../setup/base-tables.ts';
import { type Ask, BackendWorld } from './backend-world.ts';
import { newBase, openBackend, testOperator } from './open-backend.ts';

/** A base that counts what is read from it. */
function counted(base: KeyedBase): { base: KeyedBase; reads: { points: StateAddress[]; keys: string[] } } {
  const reads = { points: [] as StateAddress[], keys: [] as string[] };
  const counting: KeyedBase = {
    read(space, addresses) {
      reads.points.push(...addresses);
      return base.read(space, addresses);
    },
    readKey(space, address, page) {
      reads.keys.push(address.state);
      return base.readKey(space, address, page);
    },
    readDue: (space, query) => base.readDue(space, query),
    write: (space, version, rows) => base.write(space, version, rows),
    scan: (space, query) => base.scan(space, query),
    purgeTombstones: (space, olderThanMs) => base.purgeTombstones(space, olderThanMs),
    drop: (space) => base.drop(space),
  };
  return { base: counting, reads };
}

interface Opened {
  readonly backend: KeyedBackend;
  readonly seen: MapState<string, number>;
  readonly other: MapState<string, number>;
  readonly total: ValueState<number>;
  readonly on: (key: string, request?: EntryRequest) => Promise<void>;
}

function open(base: KeyedBase, baseHasRows: boolean, ttl?: StateTtl): Opened {
  const backend = openBackend({ base, baseHasRows });
  backend.changes.epoch = 2;
  const options = ttl === undefined ? {} : { ttl };
  const seen = createHandle(backend, 'seen', mapState<string, number>({ load: 'by-entry', ...options }));
  const other = createHandle(backend, 'other', mapState<string, number>({ load: 'by-entry' }));
  const total = createHandle(backend, 'total', valueState<number>());
  const on = async (key: string, request?: EntryRequest): Promise<void> => {
    const entry = backend.resolve(key);
    if (!entry.full) await backend.load([entry]);
    const wanted = backend.entryMaps.wanted(request);
    await loadWanted(backend, [entry], [wanted]);
    backend.current = entry;
    backend.entryMaps.begin(entry, wanted);
  };
  return { backend, seen, other, total, on };
}

async function filled(entries: number): Promise<ReturnType<typeof counted>> {
  const base = newBase();
  const { keyGroup } = openBackend().resolve('a');
  const rows = Array.from({ length: entries }, (_, i) => ({
    operator: testOperator,
    state: 'seen',
    keyGroup,
    key: '"a"',
    namespace: JSON.stringify(`e${i}`),
    value: i,
  }));
  await base.write('job', 1, baseTables(rows));
  return counted(base);
}

const notDeclared: unknown = expect.objectContaining({ code: 'SLUICE-ENTRY-NOT-DECLARED' });
const notLoaded: unknown = expect.objectContaining({ code: 'SLUICE-MAP-NOT-LOADED' });

describe('an element', () => {
  test('reads what was asked for, from a base of any size, with as many point reads', async () => {
    const { base, reads } = await filled(20_000);
    const { seen, on } = open(base, true);
    await on('a', { seen: ['e7', 'e19999', 'never'] });
    expect([seen.get('e7'), seen.get('e19999'), seen.get('never'), seen.contains('never')]).toEqual([7, 19_999, undefined, false]);
    const ofEntries = reads.points.filter(({ namespace }) => namespace !== '');
    expect(ofEntries.map(({ namespace }) => namespace)).toEqual(['"e7"', '"e19999"', '"never"']);
    expect(reads.keys).toEqual([]);
    await on('a', { seen: ['e7', 'never'] });
    expect(reads.points.filter(({ namespace }) => namespace !== '').length, 'known ones are not read again').toBe(3);
  });

  test('may read what it has written, and nothing that another has asked for or written', async () => {
    const { base } = await filled(10);
    const { seen, other, on } = open(base, true);
    await on('a', { seen: ['e1'], other: [] });
    seen.put('new', 5);
    seen.remove('e2');
    expect([seen.get('e1'), seen.get('new'), seen.get('e2'), seen.contains('e2')]).toEqual([1, 5, undefined, false]);
    expect(() => seen.get('e3')).toThrow(notDeclared);
    expect(() => other.contains('e1')).toThrow(
      expect.objectContaining({ facts: { operator: testOperator, state: 'other', entry: '"e1"' } }),
    );
    await on('a');
    for (const key of ['e1', 'new', 'e2']) expect(() => seen.get(key)).toThrow(notDeclared);
    await on('a', { seen: ['new', 'e2'], other: undefined });
    expect([seen.get('new'), seen.get('e2')]).toEqual([5, undefined]);
  });

  test('is refused the same where the base is empty and everything is in memory', async () => {
    const { seen, on } = open(newBase(), false);
    await on('a', { seen: ['x'] });
    seen.put('x', 1);
    await on('a');
    expect(() => seen.get('x')).toThrow(notDeclared);
    expect(() => seen.isEmpty()).toThrow(notLoaded);
    await on('a', { seen: 'all' });
    expect(seen.entries()).toEqual([['x', 1]]);
  });

  test('goes through a map only where it asked for all of it', async () => {
    const { base, reads } = await filled(3);
    const { seen, on } = open(base, true);
    await on('a', { seen: ['e0'] });
    seen.put('e1', 10);
    expect(() => seen.entries()).toThrow(notLoaded);
    expect(() => seen.isEmpty()).toThrow(notLoaded);
    await on('a', { seen: 'all' });
    expect(new Map(seen.entries())).toEqual(
      new Map([
        ['e0', 0],
        ['e1', 10],
        ['e2', 2],
      ]),
    );
    expect([seen.isEmpty(), seen.get('e2'), seen.get('never')]).toEqual([false, 2, undefined]);
    await on('a', { seen: 'all' });
    expect(reads.keys, 'once').toEqual(['seen']);
  });

  test('writes without loading anything', async () => {
    const { base, reads } = await filled(10);
    const { backend, seen, on } = open(base, true);
    await on('a');
    const before = reads.points.length;
    seen.put('e1', 11);
    seen.remove('e2');
    seen.remove('never');
    expect([reads.points.length, reads.keys]).toEqual([before, []]);
    const rows = [...rowsOfTables(backend.changes.commitTables())];
    expect(rows.map(({ namespace, value, deleted }) => [namespace, value, deleted])).toEqual([
      ['"e1"', 11, false],
      ['"e2"', undefined, true],
      ['"never"', undefined, true],
    ]);
  });

  test('writes no row for the removal of what is known not to be there', async () => {
    const { base } = await filled(1);
    const { backend, seen, on } = open(base, true);
    await on('a', { seen: ['never'] });
    seen.remove('never');
    expect(backend.changes.hasChanges).toBe(false);
  });

  test('meets values that expire, entry by entry', async () => {
    const { backend, seen, on } = open(newBase(), false, { ttlMs: 100 });
    await on('a');
    seen.put('x', 1);
    backend.processingTimeMs = 60;
    seen.put('y', 2);
    backend.processingTimeMs = 100;
    await on('a', { seen: ['x', 'y'] });
    expect([seen.get('x'), seen.contains('x'), seen.get('y')]).toEqual([undefined, false, 2]);
    await on('a', { seen: 'all' });
    expect(seen.entries()).toEqual([['y', 2]]);
  });
});

describe('what a function returns as its entries', () => {
  test.each([
    ['a state that is not loaded by entry', { total: ['x'] }],
    ['a state that is not there', { sen: ['x'] }],
    ['a text', { seen: 'x' }],
    ['no object', 'seen'],
    ['null', null],
  ])('is refused where it is %s', async (_name, request) => {
    const { on } = open(newBase(), false);
    await expect(on('a', request as unknown as EntryRequest)).rejects.toMatchObject({
      code: 'SLUICE-ENTRIES-INVALID',
      facts: { operator: testOperator },
    });
  });

  test('is refused where it has what cannot be a key', async () => {
    const { on } = open(newBase(), false);
    await expect(on('a', { seen: [undefined] })).rejects.toMatchObject({ code: 'SLUICE-KEY-INVALID' });
  });
});

describe('memory', () => {
  test('holds no more of one key than the limit, whether entries are written, read or missing', async () => {
    const { base } = await filled(5_000);
    const { backend, seen, on } = open(base, true);
    backend.baseEpoch = 1;
    for (let batch = 0; batch < 20; batch++) {
      const keys = Array.from({ length: 500 }, (_, i) => `${i % 5 === 0 ? 'never' : 'e'}${batch * 250 + i}`);
      await on('a', { seen: keys });
      for (const key of keys) if (seen.contains(key)) seen.put(key, batch);
      backend.changes.committed();
      backend.changes.epochCommitted(backend.changes.epoch + 1);
      const rows = keys.flatMap((key) => (key.startsWith('e') ? [{ key, value: batch }] : []));
      const address = { operator: testOperator, state: 'seen', keyGroup: backend.current!.keyGroup, key: '"a"' };
      await base.write(
        'job',
        backend.changes.epoch - 1,
        baseTables(rows.map(({ key, value }) => ({ ...address, namespace: JSON.stringify(key), value }))),
      );
      backend.baseEpoch = backend.changes.epoch - 1;
      backend.evict(10, 600);
      expect(backend.entryMaps.count).toBeLessThanOrEqual(600);
    }
    await on('a', { seen: ['e0', 'e1', 'e4999', 'never0'] });
    expect([seen.get('e0'), seen.get('e1'), seen.get('e4999'), seen.get('never0')]).toEqual([0, 0, 19, undefined]);
  });

  test('keeps what the base has not', async () => {
    const { backend, seen, on } = open(newBase(), true);
    await on('a', { seen: Array.from({ length: 50 }, (_, i) => `read${i}`) });
    for (let i = 0; i < 100; i++) seen.put(`written${i}`, i);
    backend.changes.committed();
    backend.evict(10, 10);
    expect(backend.entryMaps.count, 'only what was not written is gone').toBe(100);
    backend.baseEpoch = 2;
    backend.evict(10, 10);
    expect(backend.entryMaps.count).toBe(9);
    backend.evict(0, 10);
    expect([backend.size, backend.entryMaps.count]).toEqual([0, 0]);
  });
});

const asks = fc.constantFrom<Ask>('all', [], ['p'], ['q', ''], ['p', 'q', '']);
const steps = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ kind: fc.constant('put' as const), ask: asks, name: fc.constantFrom('p', 'q', ''), value: fc.nat(9) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('remove' as const), ask: asks, name: fc.constantFrom('p', 'q', '') }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('clear' as const), ask: asks }) },
  { weight: 4, arbitrary: fc.constant({ kind: 'to-base' as const }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('evict' as const), keys: fc.nat(1) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('sweep' as const), rows: fc.integer({ min: 1, max: 3 }) }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'commit' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'end-epoch' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'reload' as const }) },
);

async function run(world: BackendWorld, step: typeof steps extends fc.Arbitrary<infer S> ? S : never): Promise<void> {
  switch (step.kind) {
    case 'put': {
      const model = await world.on('a', step.ask);
      world.map.put(step.name, step.value);
      model.map.set(step.name, step.value);
      return;
    }
    case 'remove': {
      const model = await world.on('a', step.ask);
      world.map.remove(step.name);
      model.map.delete(step.name);
      return;
    }
    case 'clear': {
      const model = await world.on('a', step.ask);
      world.map.clear();
      model.map.clear();
      world.checkMap(model, 'all');
      return;
    }
    case 'to-base':
      world.endEpoch(0, 10);
      return world.advance(10, false);
    case 'evict':
      return world.evict(step.keys);
    case 'sweep':
      return world.sweep(step.rows);
    case 'commit':
      return world.commit();
    case 'end-epoch':
      return world.endEpoch(0, 10);
    case 'reload':
      return world.reload();
  }
}

describe('clearing', () => {
  test('is exact whatever is in memory, and in the end leaves nothing in the base', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(steps, { maxLength: 40, size: 'max' }), async (all) => {
        const world = new BackendWorld('by-entry');
        for (const step of all) await run(world, step);
        const { map } = await world.on('a');
        for (let left = 100; world.hasDeadRows && left > 0; left--) await world.sweep(2);
        world.endEpoch(0, 10);
        await world.advance(10, false);
        world.reload();
        await world.on('a');
        const rows = (await world.mapRows('a')).filter((name) => name !== '');
        expect(rows.map((name) => name.replace(/^#\d+\|/, '')).sort()).toEqual([...map.keys()].map((key) => JSON.stringify(key)).sort());
      }),
      { numRuns: 1_000 },
    );
  });

  test('a large map reads nothing, writes one row, and what is left goes in pages', async () => {
    const { base, reads } = await filled(10_000);
    const { backend, seen, on } = open(base, true);
    await on('a', { seen: ['e1'] });
    const before = reads.points.length;
    seen.clear();
    expect([seen.isEmpty(), seen.get('e1'), seen.entries()]).toEqual([true, undefined, []]);
    seen.put('e2', -2);
    expect([reads.points.length, reads.keys]).toEqual([before, []]);
    const rows = [...rowsOfTables(backend.changes.commitTables())].map(({ namespace, value }) => [namespace, value]);
    expect(rows).toEqual([
      ['', { generation: 1, swept: false }],
      ['#1|"e2"', -2],
    ]);
    backend.changes.committed();
    let pages = 0;
    for (; backend.entryMaps.sweeper.hasWork; pages++) {
      await backend.entryMaps.sweeper.step(limits.mapSweepRows);
      expect(backend.changes.commitTables().reduce((sum, { keys }) => sum + keys.length, 0)).toBeLessThanOrEqual(limits.mapSweepRows + 1);
      backend.changes.committed();
    }
    expect(pages).toBe(6);
    await on('a', { seen: ['e1', 'e2', 'e3'] });
    expect([seen.get('e1'), seen.get('e2'), seen.get('e3')]).toEqual([undefined, -2, undefined]);
  });

  test('in the middle of a batch holds for the elements behind it, whose entries were read before', async () => {
    const { base } = await filled(5);
    const { backend, seen } = open(base, true);
    const entry = backend.resolve('a');
    await backend.load([entry]);
    const wanted = [{ seen: ['e1'] }, { seen: ['e1', 'e2'] }, { seen: ['e2'] }].map((request) => backend.entryMaps.wanted(request));
    await loadWanted(backend, [entry, entry, entry], wanted);
    backend.current = entry;
    backend.entryMaps.begin(entry, wanted[0]!);
    seen.clear();
    backend.entryMaps.begin(entry, wanted[1]!);
    expect([seen.get('e1'), seen.get('e2')]).toEqual([undefined, undefined]);
    seen.put('e2', 7);
    backend.entryMaps.begin(entry, wanted[2]!);
    expect(seen.get('e2')).toBe(7);
    expect(() => seen.get('e1')).toThrow(notDeclared);
  });

  test('keeps the key in memory until the base is swept, so that one that is loaded anew does not meet its older self', async () => {
    const { base } = await filled(5);
    const { backend, seen, on } = open(base, true);
    await on('a');
    seen.clear();
    backend.changes.committed();
    backend.baseEpoch = 2;
    const entry = backend.current;
    backend.evict(0, 0);
    expect(backend.resolve('a')).toBe(entry);
    await backend.entryMaps.sweeper.step(100);
    backend.changes.committed();
    expect(backend.entryMaps.sweeper.hasWork).toBe(false);
    backend.evict(0, 0);
    expect(backend.resolve('a')).not.toBe(entry);
  });
});
