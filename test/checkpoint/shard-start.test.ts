import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { operatorUid } from '../../lib/base/ids.ts';
import type { Manifest } from '../../lib/checkpoint/manifest.ts';
import { dealSplits } from '../../lib/checkpoint/redistribution.ts';
import { adoptMaxParallelism, shardStart, type ShardStart } from '../../lib/checkpoint/shard-start.ts';
import type { JobPlan } from '../../lib/model/job-plan.ts';
import { keyGroupRange } from '../../lib/model/key-group-range.ts';
import type { DeltaRef, OperatorStateValue, ShardSnapshot } from '../../lib/model/shard-record.ts';
import { MAX_WATERMARK } from '../../lib/model/time.ts';
import { deltaOf, manifestOf } from './fixture.ts';
import { counter, planOf, sink, source, vertex } from './plans.ts';

const starts = (manifest: Manifest, plan: JobPlan, uid = counter): readonly ShardStart[] =>
  Array.from({ length: plan.vertices.find((candidate) => candidate.uid === uid)!.parallelism }, (_, shard) =>
    shardStart(manifest, plan, uid, shard),
  );

const parallelism = fc.integer({ min: 1, max: 12 });

function counterManifest(old: number, snapshot: (shard: number) => Partial<ShardSnapshot>, more: Partial<Manifest> = {}): Manifest {
  return manifestOf(planOf({ counters: old }), more, (uid, shard) => (uid === counter ? snapshot(shard) : {}));
}

describe('key groups', () => {
  test('have one new shard each, with the deltas of the one old shard that owned them, in order', () => {
    fc.assert(
      fc.property(parallelism, parallelism, (old, now) => {
        const manifest = counterManifest(old, (shard) => ({ deltas: [1, 2].map((epoch) => deltaOf(counter, shard, old, epoch)) }), {
          checkpoint: 2,
        });
        const owners = new Map<number, string[]>();
        for (const { deltas } of starts(manifest, planOf({ counters: now }))) {
          for (const { keyGroups, key } of deltas) {
            for (let group = keyGroups.start; group <= keyGroups.end; group++) owners.set(group, [...(owners.get(group) ?? []), key]);
          }
        }
        expect(owners.size).toBe(128);
        for (const [group, keys] of owners) {
          const shard = Math.floor((group * old) / 128);
          expect(keys).toEqual([1, 2].map((epoch) => deltaOf(counter, shard, old, epoch).key));
        }
      }),
    );
  });

  test('of a delta that two old shards list are taken from each only where it owned them', () => {
    // One delta of an earlier life with one shard; shard 0 has moved it into the base and gone on, shard 1 still lists it.
    const early: DeltaRef = { ...deltaOf(counter, 0, 1, 1), keyGroups: { start: 0, end: 127 } };
    const manifest = counterManifest(
      2,
      (shard) => ({ deltas: shard === 0 ? [deltaOf(counter, 0, 2, 2)] : [{ ...early, keyGroups: keyGroupRange(1, 2, 128) }] }),
      { checkpoint: 2 },
    );
    const [merged] = starts(manifest, planOf({ counters: 1 }));
    expect(merged!.deltas.map(({ key, keyGroups }) => [key.split('/').at(-1), keyGroups])).toEqual([
      ['1-2-0-try', { start: 0, end: 63 }],
      ['1-1-0-try', { start: 64, end: 127 }],
    ]);
  });

  test('keep how far their timers fired, and the earliest timer of those who shared them, but not the end of input', () => {
    const manifest = counterManifest(2, (shard) => ({
      fired: [
        { keyGroups: keyGroupRange(shard, 2, 128), firedUpTo: shard === 0 ? 100 : MAX_WATERMARK },
        { keyGroups: { start: shard * 64, end: shard * 64 + 9 }, firedUpTo: 500 },
      ],
      nextTimer: { event: 10 - shard, processing: shard === 0 ? null : 77 },
    }));
    const [only] = starts(manifest, planOf({ counters: 1 }));
    expect(only).toMatchObject({
      fired: [
        { keyGroups: { start: 0, end: 63 }, firedUpTo: 100 },
        { keyGroups: { start: 0, end: 9 }, firedUpTo: 500 },
        { keyGroups: { start: 64, end: 73 }, firedUpTo: 500 },
      ],
      nextTimer: { event: 9, processing: 77 },
    });
    const four = starts(manifest, planOf({ counters: 4 }));
    expect(four.map(({ nextTimer }) => nextTimer.event)).toEqual([10, 10, 9, 9]);
    expect(four.map(({ fired }) => fired.length)).toEqual([2, 1, 1, 0]);
  });

  test('mean the same after a restore: a derived max parallelism is adopted, a fixed one stays', () => {
    const manifest = manifestOf(planOf({ maxParallelism: 64 }));
    expect(adoptMaxParallelism(planOf({ maxParallelism: 256 }), manifest).vertices[1]!.maxParallelism).toBe(64);
    expect(adoptMaxParallelism(planOf({ maxParallelism: 256, derived: false }), manifest).vertices[1]!.maxParallelism).toBe(256);
  });
});

describe('what is not keyed', () => {
  const stateOf = (start: ShardStart, name: string): readonly string[] => start.operatorStates[counter]?.[name]?.items ?? [];
  const withState = (old: number, kind: OperatorStateValue['kind'], items: (shard: number) => readonly string[]): Manifest =>
    counterManifest(old, (shard) => ({ operatorStates: { [counter]: { s: { kind, items: items(shard) } } } }));

  test('splits go round-robin by id, each to one shard, and a shard too many has none', () => {
    fc.assert(
      fc.property(parallelism, parallelism, fc.integer({ min: 0, max: 20 }), (old, now, count) => {
        const split = (id: number) => ({ position: id, ended: false, maxTimestamp: id, activeAtMs: 0, records: id });
        const manifest = manifestOf(planOf({ sources: old }), {}, (uid, shard) =>
          uid === source
            ? { splits: Object.fromEntries([...Array(count).keys()].filter((id) => id % old === shard).map((id) => [`s${id}`, split(id)])) }
            : {},
        );
        const dealt = starts(manifest, planOf({ sources: now }), source).map(({ splits }) => splits!);
        const ids = dealt.flatMap((splits) => Object.keys(splits));
        expect(ids.sort()).toEqual([...Array(count).keys()].map((id) => `s${id}`).sort());
        dealt.forEach((splits, shard) => expect(Object.keys(splits).sort()).toEqual([...dealSplits(ids, shard, now)].sort()));
        for (const splits of dealt) for (const [id, state] of Object.entries(splits)) expect(`s${state.records}`).toBe(id);
        const sizes = dealt.map((splits) => Object.keys(splits).length);
        expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
      }),
    );
  });

  test('lists are dealt out again, every item once; at the same parallelism each keeps its own', () => {
    fc.assert(
      fc.property(parallelism, parallelism, (old, now) => {
        const manifest = withState(old, 'operator-list', (shard) => [`${shard}a`, `${shard}b`]);
        const dealt = starts(manifest, planOf({ counters: now })).map((start) => stateOf(start, 's'));
        expect(dealt.flat().sort()).toEqual([...Array(old).keys()].flatMap((shard) => [`${shard}a`, `${shard}b`]).sort());
        if (old === now) dealt.forEach((items, shard) => expect(items).toEqual([`${shard}a`, `${shard}b`]));
      }),
    );
  });

  test('union state is whole everywhere, broadcast state is one copy, accumulators are never added up or lost', () => {
    const union = starts(
      withState(2, 'operator-union', (shard) => [`${shard}`]),
      planOf({ counters: 3 }),
    );
    expect(union.map((start) => stateOf(start, 's'))).toEqual([
      ['0', '1'],
      ['0', '1'],
      ['0', '1'],
    ]);
    const broadcast = starts(
      withState(2, 'broadcast', () => ['rule']),
      planOf({ counters: 5 }),
    );
    expect(broadcast.map((start) => stateOf(start, 's'))).toEqual([['rule'], ['rule'], ['rule'], ['rule'], ['rule']]);
    const fewer = starts(
      withState(5, 'accumulator', (shard) => [`${shard}`]),
      planOf({ counters: 2 }),
    );
    expect(fewer.map((start) => stateOf(start, 's'))).toEqual([
      ['0', '2', '4'],
      ['1', '3'],
    ]);
    const more = starts(
      withState(1, 'accumulator', () => ['sum']),
      planOf({ counters: 3 }),
    );
    expect(more.map((start) => stateOf(start, 's'))).toEqual([['sum'], [], []]);
  });

  test('follows its operator into another chain', () => {
    const tail = operatorUid('tail');
    const old = planOf();
    const withTail = {
      ...old,
      vertices: old.vertices.map((each) =>
        each.uid === counter ? { ...each, operators: [...each.operators, { ...each.operators[0]!, uid: tail }] } : each,
      ),
    };
    const manifest = manifestOf(withTail, {}, (uid, shard) =>
      uid === counter ? { operatorStates: { [tail]: { s: { kind: 'operator-list', items: [`${shard}`] } } } } : {},
    );
    const apart = { ...old, vertices: [...old.vertices, vertex(tail, 1, [{ ...old.vertices[1]!.operators[0]!, uid: tail }])] };
    expect(shardStart(manifest, apart, tail, 0).operatorStates[tail]?.['s']?.items).toEqual(['0', '1', '2']);
    expect(shardStart(manifest, apart, counter, 0).operatorStates).toEqual({});
  });

  test('counts stay what they were in all', () => {
    const manifest = counterManifest(5, (shard) => ({ recordsIn: shard, recordsOut: 1 }));
    for (const counters of [1, 2, 5, 7]) {
      const all = starts(manifest, planOf({ counters }));
      expect(all.reduce((sum, { recordsIn }) => sum + recordsIn, 0)).toBe(10);
      expect(all.reduce((sum, { recordsOut }) => sum + recordsOut, 0)).toBe(5);
    }
  });

  test('an operator that the checkpoint does not know starts from nothing', () => {
    const fresh = operatorUid('fresh');
    const plan = planOf();
    const withFresh = { ...plan, vertices: [...plan.vertices, vertex(fresh, 1, [{ ...plan.vertices[0]!.operators[0]!, uid: fresh }])] };
    expect(shardStart(manifestOf(plan), withFresh, fresh, 0)).toMatchObject({
      splits: null,
      deltas: [],
      operatorStates: {},
      finished: false,
    });
  });
});

describe('whether a shard has finished', () => {
  const ended = { position: 1, ended: true, maxTimestamp: 0, activeAtMs: 0, records: 1 };
  const manifest = (kind: Manifest['kind'], openSplit: boolean): Manifest =>
    manifestOf(planOf({ sources: 2, counters: 2 }), { kind }, (uid, shard) => ({
      finished: true,
      ...(uid === source ? { splits: { [`s${shard}`]: { ...ended, ended: !(openSplit && shard === 1) } } } : {}),
    }));

  test('is so when its splits have ended, or all that it continues had', () => {
    for (const uid of [source, counter, sink]) {
      expect(starts(manifest('checkpoint', false), planOf({ sources: 3, counters: 3 }), uid).every(({ finished }) => finished)).toBe(true);
    }
    const [first, second] = starts(manifest('checkpoint', true), planOf({ sources: 2 }), source);
    expect([first!.finished, second!.finished]).toEqual([true, false]);
  });

  test('is not so because of a stop: its sources have more', () => {
    for (const uid of [counter, sink])
      expect(starts(manifest('stop-savepoint', true), planOf(), uid).some(({ finished }) => finished)).toBe(false);
    for (const uid of [counter, sink])
      expect(starts(manifest('stop-savepoint', false), planOf(), uid).every(({ finished }) => finished)).toBe(true);
  });

  test('follows the same shard at the same parallelism, and all of them at another', () => {
    const half = counterManifest(2, (shard) => ({ finished: shard === 0 }));
    expect(starts(half, planOf({ counters: 2 })).map(({ finished }) => finished)).toEqual([true, false]);
    expect(starts(half, planOf({ counters: 4 })).map(({ finished }) => finished)).toEqual([false, false, false, false]);
  });
});

test('a shard that the plan does not have cannot start', () => {
  expect(() => shardStart(manifestOf(planOf()), planOf(), counter, 3)).toThrowError(/no shard 3/);
});
