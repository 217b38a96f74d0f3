import { expect } from 'vitest';
import {
  collectSink,
  compileJob,
  defineJob,
  operatorList,
  outputTag,
  type,
  valueState,
  type CompiledJob,
  type OperatorListState,
} from '../../lib/index.ts';
import { exactlyOnce, scenario, scenarioIn, type Mode } from './scenario.ts';
import { Fault, gatedInput, useWorld, type Failure, type GatedInput } from './support.ts';

interface Seen {
  readonly by: string;
  readonly count: number;
}

interface Group {
  readonly letter: string;
  readonly count: number;
}

interface CountsSeen {
  readonly operatorState: { readonly seen: OperatorListState<number> };
}

const perSplit = 2_000;
const total = 2 * perSplit;
/** One in four begins with an x, which is filtered out. */
const textsOf = (split: number): readonly string[] => Array.from({ length: perSplit }, (_, n) => `${'xabc'[n % 4]!}-${split}-${n}`);
const unlucky = `A-1-${perSplit * 0.7 + 1}`;

const world = useWorld();
const fault = new Fault();
const counts = outputTag<Seen>('counts');

/** Each subtask counts in list state what it has seen, and says so at its end. */
const operatorState = { seen: operatorList<number>() };
const countOf = ({ operatorState: { seen } }: CountsSeen): number => seen.items()[0] ?? 0;
const countOne = (context: CountsSeen): void => context.operatorState.seen.update([countOf(context) + 1]);

function groups({ source }: GatedInput<string>): CompiledJob {
  const job = defineJob({
    name: 'groups',
    build(env) {
      const filtered = env
        .fromSource(source)
        .uid('texts')
        .setParallelism(2)
        .rebalance()
        .process({
          emits: type<string>(),
          operatorState,
          process(text, context) {
            countOne(context);
            if (!text.startsWith('x')) context.emit(text);
          },
          finish: (context) => context.emitTo(counts, { by: 'filter', count: countOf(context) }),
        })
        .uid('filter');
      const mapped = filtered
        .map((text) => text.toUpperCase())
        .process({
          emits: type<string>(),
          operatorState,
          process(text, context) {
            countOne(context);
            if (text === unlucky) fault.meet();
            context.emit(text);
          },
          finish: (context) => context.emitTo(counts, { by: 'map', count: countOf(context) }),
        })
        .uid('map');
      const grouped = mapped
        .keyBy((text) => text[0]!)
        .process({
          emits: type<Group>(),
          state: { count: valueState<number>() },
          operatorState,
          process(_text, context) {
            countOne(context);
            const count = (context.state.count.value() ?? 0) + 1;
            context.state.count.update(count);
            context.emit({ letter: context.key, count });
          },
          finish: (context) => context.emitTo(counts, { by: 'group', count: countOf(context) }),
        })
        .uid('group');
      grouped.sinkTo(collectSink('groups')).uid('groups');
      const seen = [filtered, mapped, grouped].map((stream) => stream.getSideOutput(counts));
      seen[0]!.union(seen[1]!, seen[2]!).sinkTo(collectSink('seen')).uid('seen');
    },
  });
  return compileJob(job, { parallelism: 2 });
}

async function expectExact(mode: Mode, failure: Failure): Promise<void> {
  const input = gatedInput('texts', [textsOf(0), textsOf(1)]);
  const run = await world.start(groups(input));
  await run.twoCheckpoints([input], 0.5);
  await run.sufferAndFinish(failure, fault, [input]);
  world.expectOvertaken(mode);

  const seen = world.collect.published('seen') as readonly Seen[];
  const sumOf = (by: string): number => seen.filter((entry) => entry.by === by).reduce((sum, { count }) => sum + count, 0);
  expect(seen.map(({ by }) => by).toSorted()).toEqual(['filter', 'filter', 'group', 'group', 'map', 'map']);
  expect([sumOf('filter'), sumOf('map'), sumOf('group')]).toEqual([total, total * 0.75, total * 0.75]);
  const expected = ['A', 'B', 'C'].flatMap((letter) => Array.from({ length: total / 4 }, (_, i) => ({ letter, count: i + 1 })));
  const visible = world.collect.published('groups') as readonly Group[];
  expect(visible.toSorted((a, b) => a.letter.localeCompare(b.letter) || a.count - b.count)).toEqual(expected);
}

scenario(2, 'list state of every operator has counted each record once, though a batch fails', (mode) => expectExact(mode, 'batch'));

scenarioIn(exactlyOnce, 2, 'list state of every operator has counted each record once, though the job is restored', (mode) =>
  expectExact(mode, 'restore'),
);

scenarioIn(['at-least-once'], 2, 'a restore loses no count, and may count what was between two barriers again', async () => {
  const input = gatedInput('texts', [textsOf(0), textsOf(1)]);
  const run = await world.start(groups(input));
  await run.twoCheckpoints([input], 0.5);
  await run.sufferAndFinish('restore', fault, [input]);
  const seen = world.collect.published('seen') as readonly Seen[];
  const sumOf = (by: string): number => seen.filter((entry) => entry.by === by).reduce((sum, { count }) => sum + count, 0);
  expect(sumOf('filter')).toBeGreaterThanOrEqual(total);
  expect(sumOf('group')).toBeGreaterThanOrEqual(total * 0.75);
});
