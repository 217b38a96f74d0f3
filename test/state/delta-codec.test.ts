import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { operatorUid } from '../../lib/base/ids.ts';
import type { StateRow } from '../../lib/model/state-row.ts';
import { decodeDeltaBlocks, decodeDeltaTables, encodeDeltaTables, joinDeltaBlocks } from '../../lib/state/delta-codec.ts';
import { decodeDelta, encodeDelta } from '../../lib/state/delta-rows.ts';
import { newRowTable } from '../../lib/model/open-row-table.ts';
import { anyText, differenceOf, storable } from '../model/storable-values.ts';
import { goldenBytes } from '../setup/golden-bytes.ts';

const rows: fc.Arbitrary<StateRow[]> = fc.array(
  fc
    .record({
      operator: fc.constantFrom('count', 'join', 'a.b-c_d').map(operatorUid),
      state: fc.constantFrom('sum', 'seen', '#event-timers', '0'),
      keyGroup: fc.nat(32_767),
      key: fc.jsonValue({ maxDepth: 1 }).map((value) => JSON.stringify(value)),
      namespace: anyText,
      value: storable,
      deleted: fc.boolean(),
    })
    .map((row) => ({ ...row, value: row.deleted ? undefined : row.value })),
  { maxLength: 30 },
);

const tableOf = ({ operator, state }: StateRow): string => `${operator} ${state}`;

describe('a delta', () => {
  test('comes back row by row, in order within each operator and state', () => {
    fc.assert(
      fc.property(rows, (some) => {
        const back = decodeDelta(encodeDelta(some), 'a test');
        const tables = [...new Set(some.map(tableOf))];
        expect(
          differenceOf(
            tables.flatMap((table) => some.filter((row) => tableOf(row) === table)),
            back,
          ),
        ).toBeUndefined();
      }),
    );
  });

  test('has nothing for tables without rows', () => {
    const empty = encodeDeltaTables([newRowTable(operatorUid('count'), 'sum')]);
    expect(empty).toEqual(encodeDeltaTables([]));
    expect(decodeDeltaTables(empty, 'a test')).toEqual([]);
  });
});

describe('a damaged delta', () => {
  const sample = encodeDelta([
    { operator: operatorUid('count'), state: 'sum', keyGroup: 3, key: '"LAX"', namespace: '', value: 5, deleted: false },
    { operator: operatorUid('count'), state: 'sum', keyGroup: 9, key: '"SFO"', namespace: '', value: undefined, deleted: true },
    { operator: operatorUid('count'), state: '#event-timers', keyGroup: 3, key: '"LAX"', namespace: '1000|', value: true, deleted: false },
  ]);

  test('is refused wherever it is cut, and where something follows', () => {
    for (let length = 0; length < sample.length; length++) {
      expect(() => decodeDelta(sample.slice(0, length), 'a test')).toThrow(expect.objectContaining({ code: 'SLUICE-DATA-CORRUPT' }));
    }
    expect(() => decodeDelta(Buffer.concat([sample, Buffer.from([0])]), 'a test')).toThrow('1 bytes too many');
  });

  test('of another format is refused, and says so', () => {
    expect(() =>
      decodeDelta(
        Uint8Array.from(sample, (byte, i) => (i === 0 ? 3 : byte)),
        'delta x',
      ),
    ).toThrow('delta x is damaged: its format is 3');
  });

  test('is refused or read as rows, whichever byte is another', () => {
    for (let at = 0; at < sample.length; at++) {
      for (let change = 1; change < 256; change++) {
        try {
          for (const row of decodeDelta(
            Uint8Array.from(sample, (byte, i) => (i === at ? byte ^ change : byte)),
            'a test',
          )) {
            expect([typeof row.key, typeof row.keyGroup, typeof row.namespace, typeof row.deleted]).toEqual([
              'string',
              'number',
              'string',
              'boolean',
            ]);
          }
        } catch (error) {
          expect(error).toMatchObject({ code: 'SLUICE-DATA-CORRUPT' });
        }
      }
    }
  });
});

describe('format 2 of deltas', () => {
  const row = (state: string, value: unknown): StateRow => ({
    operator: operatorUid('count'),
    state,
    keyGroup: 3,
    key: '"LAX"',
    namespace: '',
    value,
    deleted: value === undefined,
  });
  const commits = [[row('sum', 5), row('last', 'x')], [row('sum', undefined)], [row('sum', 7)]];
  const joined = joinDeltaBlocks(
    commits.map((rows) => encodeDelta(rows)),
    4,
  );

  test('is what the commits of an epoch wrote, block by block, each with its number', () => {
    const recorded = goldenBytes('delta/v2/three-commits.bin', joined);
    expect(Buffer.from(joined).equals(recorded), 'these bytes are another format').toBe(true);
    expect(decodeDeltaBlocks(recorded, 'a test').map(({ number }) => number)).toEqual([4, 5, 6]);
    expect(decodeDelta(recorded, 'a test')).toEqual(commits.flat());
  });

  test('is not needed for the one block that is the first', () => {
    const only = encodeDelta(commits[0]!);
    expect(joinDeltaBlocks([only], 0)).toBe(only);
    expect(decodeDeltaBlocks(joinDeltaBlocks([only], 9), 'a test').map(({ number }) => number)).toEqual([9]);
  });

  test('is refused wherever it is cut, between blocks too', () => {
    for (let length = 0; length < joined.length; length++) {
      expect(() => decodeDelta(joined.slice(0, length), 'a test')).toThrow(expect.objectContaining({ code: 'SLUICE-DATA-CORRUPT' }));
    }
  });
});

describe('format 1 of deltas', () => {
  const count = operatorUid('count');
  const samples: Readonly<Record<string, readonly StateRow[]>> = {
    empty: [],
    values: [
      { operator: count, state: 'sum', keyGroup: 3, key: '"LAX"', namespace: '', value: { flights: 5, delay: -3 }, deleted: false },
      { operator: count, state: 'sum', keyGroup: 9, key: '"SFO"', namespace: '', value: { flights: 1, delay: 40 }, deleted: false },
      { operator: count, state: 'sum', keyGroup: 70, key: '{"from":"A","to":"B"}', namespace: '', value: undefined, deleted: true },
    ],
    'timers-and-maps': [
      { operator: count, state: '#event-timers', keyGroup: 3, key: '"LAX"', namespace: '1000000000003e8|', value: true, deleted: false },
      {
        operator: count,
        state: '#event-timers',
        keyGroup: 3,
        key: '"LAX"',
        namespace: '1000000000003e7|w',
        value: undefined,
        deleted: true,
      },
      { operator: count, state: 'seen', keyGroup: 3, key: '"LAX"', namespace: '"schlüssel"', value: [new Date(0), 1n], deleted: false },
    ],
  };

  test.each(Object.entries(samples))('%s', (name, some) => {
    const written = encodeDelta(some);
    const recorded = goldenBytes(`delta/v1/${name}.bin`, written);
    expect(Buffer.from(written).equals(recorded), 'these bytes are another format: give it a new number, and keep reading this one').toBe(
      true,
    );
    expect(differenceOf(some, decodeDelta(recorded, name))).toBeUndefined();
  });
});
