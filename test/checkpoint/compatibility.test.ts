import { describe, expect, test } from 'vitest';
import { checkCompatibility } from '../../lib/checkpoint/compatibility.ts';
import { operatorUid } from '../../lib/base/ids.ts';
import type { JobPlan } from '../../lib/model/job-plan.ts';
import { counter, planOf, sink, source, vertex } from './plans.ts';

const strict = { allowNonRestoredState: false, allowOtherJob: false };
const check = (plan: JobPlan, options = strict, before: JobPlan = planOf()) =>
  checkCompatibility({ jobName: 'counting', plan: before }, plan, options);
const codes = (plan: JobPlan, before?: JobPlan) =>
  check(plan, strict, before).reasons.map(({ code, operator }) => `${code} ${operator ?? ''}`.trim());
const value = (more: object = {}): NonNullable<Parameters<typeof planOf>[0]> => ({
  counterStates: [{ name: 'total', kind: 'value', ...more }],
});

describe('a plan can go on from a snapshot', () => {
  test('of itself, and of itself at another parallelism', () => {
    expect(check(planOf())).toMatchObject({
      ok: true,
      mapped: [source, counter, sink],
      dropped: [],
      startsEmpty: [],
      parallelismChanges: [],
    });
    expect(check(planOf({ sources: 1, counters: 9 })).parallelismChanges).toEqual([
      { vertex: source, from: 2, to: 1 },
      { vertex: counter, from: 3, to: 9 },
    ]);
  });

  test('with operators that are new, moved or reordered', () => {
    const fresh = operatorUid('fresh');
    const plan = planOf();
    const more = {
      ...plan,
      vertices: [vertex(fresh, 1, [{ ...plan.vertices[1]!.operators[0]!, uid: fresh }]), ...[...plan.vertices].reverse()],
    };
    expect(check(more)).toMatchObject({ ok: true, startsEmpty: [fresh] });
  });

  test('with states that are new, gone, or live for another time', () => {
    const before = planOf({
      counterStates: [
        { name: 'total', kind: 'value', ttlMs: 5 },
        { name: 'old', kind: 'map' },
      ],
    });
    const after = planOf({
      counterStates: [
        { name: 'total', kind: 'value', ttlMs: 9 },
        { name: 'new', kind: 'list' },
      ],
    });
    expect(check(after, strict, before)).toMatchObject({ ok: true, warnings: [expect.stringContaining('state old of operator count')] });
  });

  test('whose max parallelism it adopts where it derived its own', () => {
    expect(codes(planOf({ maxParallelism: 256 }))).toEqual([]);
    expect(codes(planOf({ maxParallelism: 128, derived: false }))).toEqual([]);
  });
});

describe('a plan cannot go on from a snapshot', () => {
  test.each([
    [
      'whose state it has no operator for',
      { ...planOf(), vertices: planOf().vertices.slice(0, 2) },
      undefined,
      [`STATE_NOT_MAPPED ${sink}`],
    ],
    [
      'with another fixed max parallelism',
      planOf({ maxParallelism: 64, derived: false }),
      undefined,
      [`MAX_PARALLELISM_CHANGED ${counter}`],
    ],
    ['that allows less parallelism', planOf({ counters: 65 }), planOf({ maxParallelism: 64 }), [`PARALLELISM_TOO_HIGH ${counter}`]],
    [
      'whose state is of another kind',
      planOf({ counterStates: [{ name: 'total', kind: 'map' }] }),
      undefined,
      [`STATE_KIND_CHANGED ${counter}`],
    ],
    ['whose state did not expire', planOf(value({ ttlMs: 5 })), undefined, [`STATE_TTL_CHANGED ${counter}`]],
    ['whose state did expire', planOf(value()), planOf(value({ ttlMs: 5 })), [`STATE_TTL_CHANGED ${counter}`]],
    [
      'whose totals cannot be merged into fewer subtasks',
      planOf({ counters: 1, counterStates: [{ name: 'total', kind: 'accumulator', unmergeable: true }] }),
      planOf({ counters: 2, counterStates: [{ name: 'total', kind: 'accumulator', unmergeable: true }] }),
      [`STATE_UNMERGEABLE ${counter}`],
    ],
    ['of another job', planOf({ name: 'other' }), undefined, ['OTHER_JOB']],
  ] as const)('%s', (_, plan, before, expected) => {
    expect(codes(plan, before)).toEqual(expected);
  });

  test('whose source reads something else', () => {
    const plan = planOf();
    const [first, ...rest] = plan.vertices;
    const connector = { connector: 'file', options: {}, guarantee: 'exactly-once' as const };
    const other = { ...plan, vertices: [{ ...first!, operators: [{ ...first!.operators[0]!, connector }] }, ...rest] };
    expect(codes(other)).toEqual([`SOURCE_CHANGED ${source}`]);
  });

  test('for several reasons, and hears them all', () => {
    const plan = planOf({ name: 'other', maxParallelism: 64, derived: false, counterStates: [{ name: 'total', kind: 'list' }] });
    expect(codes({ ...plan, vertices: plan.vertices.slice(0, 2) })).toEqual([
      'OTHER_JOB',
      `STATE_NOT_MAPPED ${sink}`,
      `MAX_PARALLELISM_CHANGED ${counter}`,
      `STATE_KIND_CHANGED ${counter}`,
    ]);
  });

  test('unless its user drops the state and names the other job', () => {
    const plan = planOf({ name: 'other' });
    const less = { ...plan, vertices: plan.vertices.slice(0, 2) };
    expect(check(less, { allowNonRestoredState: true, allowOtherJob: true })).toMatchObject({ ok: true, dropped: [sink] });
  });
});
