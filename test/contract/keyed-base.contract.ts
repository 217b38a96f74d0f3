import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { operatorUid } from '../../lib/base/ids.ts';
import type { DueCursor } from '../../lib/ports/keyed-base.ts';
import { DecodedBase, type ValueRow } from './decoded-base.ts';
import { openFixture, type MakeStores, type StoresFixture } from './fixture.ts';

const space = 'job';
const count = operatorUid('count');

function row(key: string, value: string | undefined, changes: Partial<ValueRow> = {}): ValueRow {
  return { operator: count, state: 'sum', keyGroup: 3, key, namespace: '', value, ...changes };
}

function timer(key: string, namespace: string, changes: Partial<ValueRow> = {}): ValueRow {
  return row(key, 'true', { state: '#event-timers', namespace, ...changes });
}

/** What every keyed base promises. `expire`: its tombstones go by themselves, which its own tests look at. */
export function keyedBaseContract(adapter: string, make: MakeStores, tombstones: 'purged' | 'expire' = 'purged'): void {
  let fixture: StoresFixture;
  let base: DecodedBase;

  describe(`keyed base of ${adapter}`, () => {
    beforeEach(async () => {
      fixture = await openFixture(make);
      base = new DecodedBase(fixture.stores.base);
    });
    afterEach(() => fixture.dispose());

    const write = (epoch: number, ...rows: ValueRow[]): Promise<void> => base.write(space, epoch, rows);
    const valueOf = async (address: ValueRow): Promise<string | undefined> => (await base.read(space, [address]))[0];
    const scanAll = async (rowsMax: number, keyGroups = { start: 0, end: 127 }): Promise<ValueRow[]> => {
      const rows: ValueRow[] = [];
      for (let after: string | null = null; ;) {
        const page = await base.scan(space, { operator: count, keyGroups, after, rowsMax });
        expect(page.rows.length).toBeLessThanOrEqual(rowsMax);
        rows.push(...page.rows);
        if (page.next === null) return rows;
        after = page.next;
      }
    };
    const due = (after: DueCursor | null, rowsMax = 100, keyGroups = { start: 0, end: 127 }, state = '#event-timers') =>
      base.readDue(space, { operator: count, state, keyGroups, after, rowsMax });

    test('reads one value per address, in order, undefined where there is none', async () => {
      await write(1, row('"a"', '1'), row('"b"', '2'));
      const addresses = [row('"b"', ''), row('"x"', ''), row('"a"', ''), row('"b"', '')];
      expect(await base.read(space, addresses)).toEqual(['2', undefined, '1', '2']);
      expect(await base.read('other', addresses.slice(0, 1))).toEqual([undefined]);
    });

    test('an address is operator, state, key and namespace, in the key group that the key has', async () => {
      const variants = [
        row('"a"', '1'),
        row('"a"', '2', { operator: operatorUid('other') }),
        row('"a"', '3', { state: 'other' }),
        row('"b"', '4', { keyGroup: 4 }),
        row('"a"', '5', { namespace: 'n' }),
        row('"A"', '6'),
      ];
      await write(1, ...variants);
      expect(await base.read(space, variants)).toEqual(['1', '2', '3', '4', '5', '6']);
    });

    test('a row of a higher epoch stays, one of the same or a lower is replaced, row by row', async () => {
      await write(5, row('"a"', 'a5'));
      await write(4, row('"a"', 'a4'), row('"b"', 'b4'));
      expect(await base.read(space, [row('"a"', ''), row('"b"', '')])).toEqual(['a5', 'b4']);
      await write(5, row('"a"', 'a5 again'));
      await write(6, row('"b"', 'b6'));
      expect(await base.read(space, [row('"a"', ''), row('"b"', '')])).toEqual(['a5 again', 'b6']);
    });

    test('the last row of an address within one write counts', async () => {
      await write(1, row('"a"', '1'), row('"a"', undefined), row('"a"', '2'));
      expect(await valueOf(row('"a"', ''))).toBe('2');
    });

    test('a delete keeps its epoch: what an older invocation writes later does not come back', async () => {
      await write(5, row('"a"', '1'));
      await write(7, row('"a"', undefined));
      expect(await valueOf(row('"a"', ''))).toBeUndefined();
      await write(6, row('"a"', 'zombie'));
      expect(await valueOf(row('"a"', ''))).toBeUndefined();
      await write(8, row('"a"', 'alive'));
      expect(await valueOf(row('"a"', ''))).toBe('alive');
    });

    test('a delete of what never was leaves a tombstone too', async () => {
      await write(7, row('"a"', undefined));
      await write(6, row('"a"', 'zombie'));
      expect(await valueOf(row('"a"', ''))).toBeUndefined();
    });

    if (tombstones === 'purged') {
      test('tombstones are purged by the time of their write, and no row that is alive or was deleted again later', async () => {
        await write(1, row('"old"', undefined), row('"revived"', undefined), row('"again"', undefined), row('"alive"', '1'));
        await fixture.time.advance(1_000);
        await write(2, row('"revived"', '2'), row('"again"', undefined), row('"young"', undefined));
        expect(await base.purgeTombstones(space, fixture.time.clock.now())).toBe(1);
        await write(0, row('"old"', 'fence is gone'), row('"again"', 'fenced'), row('"young"', 'fenced'), row('"alive"', 'fenced'));
        const addresses = [row('"old"', ''), row('"revived"', ''), row('"again"', ''), row('"young"', ''), row('"alive"', '')];
        expect(await base.read(space, addresses)).toEqual(['fence is gone', '2', undefined, undefined, '1']);
        await fixture.time.advance(1);
        expect(await base.purgeTombstones(space, fixture.time.clock.now())).toBe(2);
        expect(await base.purgeTombstones('other', fixture.time.clock.now())).toBe(0);
      });
    } else {
      test('tombstones that go by themselves are not purged', async () => {
        await write(5, row('"a"', undefined));
        await fixture.time.advance(1_000);
        expect(await base.purgeTombstones(space, fixture.time.clock.now())).toBe(0);
        await write(4, row('"a"', 'fenced'));
        expect(await valueOf(row('"a"', ''))).toBeUndefined();
      });
    }

    test('all rows of a key come in order of their namespace, without deleted ones', async () => {
      const namespaces = ['b', 'a', '', '\u{10000}', '\uffff', 'aa'];
      await write(1, ...namespaces.map((namespace) => row('"a"', namespace, { namespace })), row('"b"', 'other', { namespace: 'a' }));
      await write(2, row('"a"', undefined, { namespace: 'aa' }));
      const found = await base.readKey(space, row('"a"', ''));
      expect(found.map(({ namespace, value }) => [namespace, value])).toEqual(
        ['', 'a', 'b', '\uffff', '\u{10000}'].map((name) => [name, name]),
      );
      expect(found[0]).toEqual(row('"a"', ''));
      expect(await base.readKey('other', row('"a"', ''))).toEqual([]);
    });

    test('rows of a key come in pages, strictly after a namespace, and fewer than asked for means there are no more', async () => {
      const namespaces = ['', 'a', 'b', 'c', 'd', '\uffff', '\u{10000}'];
      await write(1, ...namespaces.map((namespace) => row('"a"', namespace, { namespace })), row('"b"', 'other', { namespace: 'aa' }));
      await write(2, row('"a"', undefined, { namespace: 'c' }));
      const page = async (after: string, rowsMax: number): Promise<string[]> =>
        (await fixture.stores.base.readKey(space, row('"a"', ''), { after, rowsMax })).map(({ namespace }) => namespace);
      expect(await page('', 2)).toEqual(['a', 'b']);
      expect(await page('b', 2)).toEqual(['d', '\uffff']);
      // What was deleted between two pages does not come, and a page need not go on from the last.
      await write(3, row('"a"', undefined, { namespace: '\u{10000}' }));
      expect(await page('\uffff', 2)).toEqual([]);
      expect(await page('a', 10)).toEqual(['b', 'd', '\uffff']);
      expect(await page('\uffff', 10)).toEqual([]);
      expect(await fixture.stores.base.readKey('other', row('"a"', ''), { after: '', rowsMax: 1 })).toEqual([]);
    });

    test('due rows come in order of namespace, key group and key, for the key groups asked for', async () => {
      await write(
        1,
        timer('"b"', '02'),
        timer('"a"', '02'),
        timer('"z"', '01', { keyGroup: 9 }),
        timer('"c"', '02', { keyGroup: 1 }),
        timer('"x"', '00', { keyGroup: 40 }),
      );
      await write(1, row('"a"', 'no timer', { namespace: '00' }));
      const found = await due(null, 100, { start: 0, end: 9 });
      expect(found.map(({ namespace, keyGroup, key }) => [namespace, keyGroup, key])).toEqual([
        ['01', 9, '"z"'],
        ['02', 1, '"c"'],
        ['02', 3, '"a"'],
        ['02', 3, '"b"'],
      ]);
      expect(found[0]).toEqual(timer('"z"', '01', { keyGroup: 9 }));
    });

    test('due rows are paged by a cursor, and fewer than asked for means there are no more', async () => {
      const timers = Array.from({ length: 10 }, (_, i) => timer(`"${i % 3}"`, `0${i}`));
      await write(1, ...timers);
      const seen: string[] = [];
      for (let after: DueCursor | null = null; ;) {
        const page: readonly ValueRow[] = await due(after, 4);
        seen.push(...page.map(({ namespace }) => namespace));
        if (page.length < 4) break;
        after = page.at(-1)!;
      }
      expect(seen).toEqual(timers.map(({ namespace }) => namespace));
    });

    test('due rows follow writes and deletes between readings, and another split of the key groups', async () => {
      await write(1, timer('"a"', '05'), timer('"b"', '06'), timer('"c"', '07', { keyGroup: 100 }));
      expect((await due(null)).map(({ key }) => key)).toEqual(['"a"', '"b"', '"c"']);
      await write(2, timer('"a"', '05', { value: undefined }), timer('"d"', '01'));
      expect((await due(null)).map(({ key }) => key)).toEqual(['"d"', '"b"', '"c"']);
      await write(3, timer('"a"', '05'), timer('"d"', '01', { value: undefined }));
      expect((await due(null, 100, { start: 0, end: 63 })).map(({ key }) => key)).toEqual(['"a"', '"b"']);
      expect((await due(null, 100, { start: 64, end: 127 })).map(({ key }) => key)).toEqual(['"c"']);
      await write(4, timer('"e"', '02', { keyGroup: 100 }), timer('"f"', '03', { keyGroup: 5 }));
      expect((await due(null, 100, { start: 64, end: 127 })).map(({ key }) => key)).toEqual(['"e"', '"c"']);
      expect((await due(null)).map(({ key }) => key)).toEqual(['"e"', '"f"', '"a"', '"b"', '"c"']);
    });

    test('timers of the two kinds are apart', async () => {
      const state = '#processing-timers';
      await write(1, timer('"b"', '02', { state }), timer('"c"', '01', { state }), timer('"a"', '00'));
      expect((await due(null, 2, { start: 0, end: 127 }, state)).map(({ key }) => key)).toEqual(['"c"', '"b"']);
      expect((await due(null)).map(({ key }) => key)).toEqual(['"a"']);
    });

    test('timers that lie far apart in key groups are merged by time, in pages', async () => {
      const timers = Array.from({ length: 40 }, (_, i) => timer(`"${i}"`, String(i).padStart(2, '0'), { keyGroup: (i * 37) % 128 }));
      await write(1, ...timers.toReversed());
      const seen: string[] = [];
      for (let after: DueCursor | null = null; ;) {
        const page: readonly ValueRow[] = await due(after, 7);
        seen.push(...page.map(({ namespace }) => namespace));
        if (page.length < 7) break;
        after = page.at(-1)!;
      }
      expect(seen).toEqual(timers.map(({ namespace }) => namespace));
    });

    test.each([1, 3, 1_000])('a scan in pages of %i brings every row of the operator in its key groups once', async (rowsMax) => {
      const rows = Array.from({ length: 12 }, (_, i) =>
        row(`"${i % 5}"`, String(i), { keyGroup: i % 4, namespace: i % 2 ? '' : `n${i}`, state: `s${i % 3}` }),
      );
      await write(
        1,
        ...rows,
        timer('"t"', '01'),
        timer('"t"', '01', { keyGroup: 5 }),
        row('"dead"', undefined),
        row('"x"', 'no', { operator: operatorUid('other') }),
        row('"x"', 'no', { keyGroup: 50 }),
      );
      const found = await scanAll(rowsMax, { start: 0, end: 3 });
      const sorted = (list: readonly ValueRow[]): string[] =>
        list.map((entry) => JSON.stringify([entry.state, entry.keyGroup, entry.key, entry.namespace, entry.value])).sort();
      expect(sorted(found)).toEqual(sorted([...rows, timer('"t"', '01')]));
    });

    test('rows that stay are scanned once each while others are written and deleted between the pages', async () => {
      await write(1, ...Array.from({ length: 20 }, (_, i) => row(`"k${i}"`, 'stays', { keyGroup: i % 3 })));
      const seen: ValueRow[] = [];
      for (let after: string | null = null, page = 0; ; page++) {
        const { rows, next }: { readonly rows: readonly ValueRow[]; readonly next: string | null } = await base.scan(space, {
          operator: count,
          keyGroups: { start: 0, end: 127 },
          after,
          rowsMax: 3,
        });
        seen.push(...rows);
        if (next === null) break;
        after = next;
        await write(2 + page, row(`"n${page}"`, 'new', { keyGroup: page % 3 }), row(`"k${page}"`, 'stays', { keyGroup: page % 3 }));
      }
      const stayed = seen.filter(({ value }) => value === 'stays').map(({ key }) => key);
      expect([...stayed].sort()).toEqual(Array.from({ length: 20 }, (_, i) => `"k${i}"`).sort());
    });

    test('dropping a space removes all of it and nothing else', async () => {
      await write(1, row('"a"', '1'), timer('"a"', '01'));
      await base.write('other', 1, [row('"a"', 'other')]);
      await base.drop(space);
      expect(await valueOf(row('"a"', ''))).toBeUndefined();
      expect(await due(null)).toEqual([]);
      expect(await base.read('other', [row('"a"', '')])).toEqual(['other']);
      await write(0, row('"a"', 'no fence left'));
      expect(await valueOf(row('"a"', ''))).toBe('no fence left');
    });

    test('keys and values of every writing system come back exactly', async () => {
      const texts = ['"ä"', '"\u{1f600}"', '"\\u0000"', '"\uffff"', '""', '"' + 'x'.repeat(60_000) + '"', '{"a":[1]}'];
      await write(1, ...texts.map((text) => row(text, text)));
      expect(await base.read(space, texts.map((text) => row(text, '')))).toEqual(texts); // prettier-ignore
    });

    test('names of every text and length keep rows apart and come back exactly, through every read', async () => {
      const long = 'x'.repeat(60_000);
      const texts = ['', '\u0000', '#', '$', '##', '$~', 'a#b', 'a', 'b', '#a', ' ', '!', '\u{10ffff}', `${long}a`, `${long}b`, `${long}#`];
      const rows = texts.flatMap((key, i) => [
        row(key, `k${i}`, { keyGroup: 5 }),
        row('"n"', `n${i}`, { keyGroup: 5, state: 'names', namespace: key }),
        row('"s"', `s${i}`, { keyGroup: 5, state: `s${key}` }),
        timer(key, `0${key}`, { keyGroup: 5, value: `t${i}` }),
      ]);
      await write(1, ...rows);
      const valuesOf = (list: readonly ValueRow[]): (string | undefined)[] => list.map(({ value }) => value).sort();
      expect(await base.read(space, rows)).toEqual(rows.map(({ value }) => value));
      const named = await base.readKey(space, row('"n"', '', { keyGroup: 5, state: 'names' }));
      expect(named.map(({ namespace }) => namespace).sort()).toEqual([...texts].sort());
      expect(valuesOf(await due(null))).toEqual(texts.map((_, i) => `t${i}`).sort());
      const scanned = await scanAll(7);
      expect(scanned.map((entry) => JSON.stringify(entry)).sort()).toEqual(rows.map((entry) => JSON.stringify(entry)).sort());
      await base.drop(space);
      expect(await scanAll(7)).toEqual([]);
    });

    test('pages bring names that agree for longer than a key can be once each', async () => {
      const namespaces = Array.from({ length: 12 }, (_, i) => `${'x'.repeat(2_000)}${i}`);
      await write(1, ...namespaces.map((namespace) => row('"a"', namespace, { namespace })));
      const seen: string[] = [];
      for (let after = ''; ;) {
        const page = await fixture.stores.base.readKey(space, row('"a"', ''), { after, rowsMax: 5 });
        seen.push(...page.map(({ namespace }) => namespace));
        if (page.length < 5) break;
        after = page.at(-1)!.namespace;
      }
      expect(seen.sort()).toEqual(namespaces.sort());
    });
  });
}

interface StoredRow {
  readonly value: string | undefined;
  readonly epoch: number;
}

const keys = [
  { keyGroup: 0, key: '"e"' },
  { keyGroup: 1, key: '"d"' },
  { keyGroup: 2, key: '"a"' },
  { keyGroup: 2, key: '"b"' },
  { keyGroup: 2, key: '"ä"' },
  { keyGroup: 3, key: '"c"' },
];

const address = fc
  .record({
    state: fc.constantFrom('sum', '#event-timers'),
    place: fc.constantFrom(...keys),
    namespace: fc.constantFrom('', '1', '2', '\u{10000}', '\uffff'),
  })
  .map(({ state, place, namespace }) => ({ state, ...place, namespace }));

/** Any sequence of writes leaves what a plain map with a fence would hold, seen through every read. */
export function keyedBaseModelContract(adapter: string, make: MakeStores, runs: number): void {
  test(`the keyed base of ${adapter} holds after every sequence of writes what a plain map with a fence holds`, async () => {
    const rows = fc.array(fc.tuple(address, fc.option(fc.nat(9).map(String), { nil: undefined })), { maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(fc.integer({ min: 1, max: 6 }), rows), { maxLength: 12 }), async (writes) => {
        const { stores, dispose } = await openFixture(make);
        const base = new DecodedBase(stores.base);
        try {
          const model = new Map<string, StoredRow>();
          for (const [epoch, changes] of writes) {
            const batch = changes.map(([place, value]) => ({ operator: count, ...place, value }));
            for (const { state, keyGroup, key, namespace, value } of batch) {
              const id = JSON.stringify([state, keyGroup, key, namespace]);
              if ((model.get(id)?.epoch ?? 0) <= epoch) model.set(id, { value, epoch });
            }
            await base.write(space, epoch, batch);
            const expected = liveRows(model);
            const scanned = await base.scan(space, {
              operator: count,
              keyGroups: { start: 0, end: 3 },
              after: null,
              rowsMax: 1_000,
            });
            expect(scanned.rows.map(rowId).sort()).toEqual(expected.map(rowId).sort());
            const due = await base.readDue(space, {
              operator: count,
              state: '#event-timers',
              keyGroups: { start: 1, end: 2 },
              after: { namespace: '1', keyGroup: 2, key: '"a"' },
              rowsMax: 100,
            });
            expect(due.map(rowId)).toEqual(dueRows(expected).map(rowId));
          }
        } finally {
          await dispose();
        }
      }),
      { numRuns: runs },
    );
  });
}

function liveRows(model: ReadonlyMap<string, StoredRow>): ValueRow[] {
  return [...model].flatMap(([id, { value }]) => {
    const [state, keyGroup, key, namespace] = JSON.parse(id) as [string, number, string, string];
    return value === undefined ? [] : [{ operator: count, state, keyGroup, key, namespace, value }];
  });
}

function dueRows(rows: readonly ValueRow[]): ValueRow[] {
  const utf8 = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));
  const compare = (a: DueCursor, b: DueCursor): number => utf8(a.namespace, b.namespace) || a.keyGroup - b.keyGroup || utf8(a.key, b.key);
  return rows
    .filter(({ state, keyGroup }) => state === '#event-timers' && keyGroup >= 1 && keyGroup <= 2)
    .filter((entry) => compare(entry, { namespace: '1', keyGroup: 2, key: '"a"' }) > 0)
    .sort(compare);
}

function rowId({ state, keyGroup, key, namespace, value }: ValueRow): string {
  return JSON.stringify([state, keyGroup, key, namespace, value]);
}
