import { expect } from 'vitest';
import {
  accumulatorSink,
  broadcastState,
  collectSink,
  compileJob,
  defineJob,
  operatorList,
  operatorUnionList,
  type,
  type CompiledJob,
} from '../../lib/index.ts';
import { scenario } from './scenario.ts';
import { gatedInput, useWorld, type GatedInput } from './support.ts';

/** In the first half numbers that go into state, in the second probes that show it. */
type Item = { readonly number: number } | 'probe';

interface Lists {
  readonly subtask: number;
  readonly list: readonly number[];
  readonly union: readonly string[];
}

interface Shown extends Lists {
  readonly rulesOf: number;
  readonly rules: readonly (readonly [string, number])[];
}

const total = 120;
const rules = broadcastState<string, number>('rules');
const rulesExpected = Array.from({ length: 10 }, (_, n) => [`rule ${n}`, n + 100] as const);

const world = useWorld();

/** Twice as many probes as anyone has subtasks, dealt out in turn. */
const newItems = (): GatedInput<Item> =>
  gatedInput<Item>(
    'items',
    [[...Array.from({ length: total }, (_, number) => ({ number })), ...Array.from({ length: total }, () => 'probe' as const)]],
    7,
  );
/** Every rule is written twice: the later one counts. */
const newRules = (): GatedInput<number> => gatedInput('rules', [Array.from({ length: 40 }, (_, n) => n)], 3);

function states(items: GatedInput<Item>, ruleInput: GatedInput<number>, parallelism: number): CompiledJob {
  const job = defineJob({
    name: 'operator-states',
    build(env) {
      const written = env.fromSource(ruleInput.source).uid('rules').broadcast(rules);
      env
        .fromSource(items.source)
        .uid('items')
        .rebalance()
        .process({
          emits: type<Lists>(),
          operatorState: { list: operatorList<number>(), union: operatorUnionList<string>() },
          process(item, { operatorState: { list, union }, subtask, emit }) {
            if (item === 'probe') emit({ subtask, list: list.items(), union: union.items() });
            else {
              list.add(item.number);
              union.add(`${subtask}: ${item.number}`);
            }
          },
        })
        .uid('lists')
        .rebalance()
        .connect(written)
        .process({
          emits: type<Shown>(),
          processElement: (shown, { subtask, broadcast, emit }) => emit({ ...shown, rulesOf: subtask, rules: broadcast.entries() }),
          processBroadcast: (n, { broadcast }) => broadcast.put(`rule ${n % 10}`, (n % 10) + (n >= 20 ? 100 : 0)),
        })
        .uid('broadcast')
        .sinkTo(collectSink('shown'))
        .uid('shown');
    },
  });
  return compileJob(job, { parallelism });
}

/** What the subtasks of the second run show of the state that those of the first have left. */
async function shownAfter(first: number, second: number): Promise<readonly Shown[]> {
  const inputs = { items: newItems(), rules: newRules() };
  const before = await world.start(states(inputs.items, inputs.rules, first));
  inputs.rules.open(1);
  await before.twoCheckpoints([inputs.items], 0.5);
  await before.untilRead('items', total);
  await before.untilRead('rules', 40);
  const savepoint = await before.stop('suspend');
  expect(world.collect.published('shown')).toEqual([]);
  const after = await world.start(states(inputs.items, inputs.rules, second), { fromSavepoint: savepoint });
  inputs.items.open(1);
  await after.finished();
  return world.collect.published('shown') as readonly Shown[];
}

for (const [first, second] of [
  [2, 4],
  [4, 2],
  [3, 1],
] as const)
  scenario(12, `from ${first} to ${second} subtasks lists are dealt out, unions and broadcasts are whole in each`, async () => {
    const shown = await shownAfter(first, second);
    const subtasks = Array.from({ length: second }, (_, subtask) => subtask);
    const lists = subtasks.map((subtask) => {
      const [one, ...others] = shown.filter((entry) => entry.subtask === subtask);
      for (const other of others) expect([other.list, other.union]).toEqual([one!.list, one!.union]);
      return one!;
    });
    const numbers = lists.flatMap(({ list }) => list);
    expect(numbers.toSorted((a, b) => a - b)).toEqual(Array.from({ length: total }, (_, number) => number));
    for (const { list } of lists) expect(Math.abs(list.length - total / second)).toBeLessThanOrEqual(1);

    const unions = lists.map(({ union }) => union.map((entry) => Number(entry.split(': ')[1])).toSorted((a, b) => a - b));
    expect(unions.flat()).toHaveLength(second * total);
    for (const union of unions) expect(union).toEqual(Array.from({ length: total }, (_, number) => number));

    expect(new Set(shown.map(({ rulesOf }) => rulesOf))).toEqual(new Set(subtasks));
    for (const entry of shown) expect(entry.rules).toEqual(rulesExpected);
  });

/** A total of each subtask, and no way to add two of them up. */
function totals(items: GatedInput<number>, parallelism: number): CompiledJob {
  const job = defineJob({
    name: 'totals',
    build(env) {
      env
        .fromSource(items.source)
        .uid('items')
        .rebalance()
        .sinkTo(accumulatorSink({ initial: 0, add: (sum, value) => sum + value }))
        .uid('totals');
    },
  });
  return compileJob(job, { parallelism });
}

scenario(12, 'totals that cannot be merged are refused before anything is restored into fewer subtasks', async () => {
  const items = gatedInput('numbers', [Array.from({ length: 100 }, () => 1)], 7);
  const before = await world.start(totals(items, 2));
  await before.twoCheckpoints([items], 0.5);
  const savepoint = await before.stop('suspend');
  await expect(world.start(totals(items, 1), { fromSavepoint: savepoint })).rejects.toMatchObject({
    code: 'SLUICE-REFUSED',
    message: expect.stringContaining('totals') as string,
  });
  const after = await world.start(totals(items, 3), { fromSavepoint: savepoint });
  items.open(1);
  await after.finished();
});
