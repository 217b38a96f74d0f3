/**
 * Four source shards of rising numbers, a map that fails in a chain of its own, and a checker per source. User code throws at a quarter, a half and three
 * quarters of the way, once more while that failure is being got over, and at the end. Nothing is lost, doubled or out of order, and every failure is
 * one attempt of the restart strategy.
 */
import { expect } from 'vitest';
import { collectSink, compileJob, defineJob, type, valueState, type CompiledJob } from '../../lib/index.ts';
import { scenario } from './scenario.ts';
import { gatedInput, useWorld, type GatedInput } from './support.ts';

interface Item {
  readonly source: number;
  readonly n: number;
}

const perSource = 1_000;
const world = useWorld();
const inputOf = (name: string): GatedInput<Item> =>
  gatedInput(
    name,
    Array.from({ length: 4 }, (_, source) => Array.from({ length: perSource }, (_unused, n) => ({ source, n }))),
    40,
    1,
  );

/** Throws at each of its places once, and at one of them twice: the second time while the first is being got over. */
class Storm {
  readonly #left = new Map([
    [perSource / 4, 1],
    [perSource / 2, 1],
    [(perSource * 3) / 4, 2],
    [perSource - 1, 1],
  ]);
  struck = 0;

  meet({ source, n }: Item): void {
    const left = source === 0 ? (this.#left.get(n) ?? 0) : 0;
    if (left === 0) return;
    this.#left.set(n, left - 1);
    this.struck++;
    throw new Error(`struck at ${n}`);
  }
}

function stormy(input: GatedInput<Item>, storm: Storm): CompiledJob {
  const job = defineJob({
    name: 'storm',
    configuration: {
      'restart-strategy.type': 'fixed-delay',
      // Exactly as many as there are failures: one that counted twice would end the job.
      'restart-strategy.fixed-delay.attempts': 5,
      'restart-strategy.fixed-delay.delay': '20 ms',
    },
    build(env) {
      env
        .fromSource(input.source)
        .uid('numbers')
        .setParallelism(4)
        .map((item) => {
          storm.meet(item);
          return item;
        })
        .uid('failing')
        .startNewChain()
        .keyBy(({ source }) => source)
        .process({
          emits: type<Item & { readonly isNext: boolean }>(),
          state: { last: valueState<number>() },
          process(item, { state, emit }) {
            emit({ ...item, isNext: item.n === (state.last.value() ?? -1) + 1 });
            state.last.update(item.n);
          },
        })
        .uid('checker')
        .sinkTo(collectSink('checked'))
        .uid('checked');
    },
  });
  return compileJob(job, { parallelism: 4 });
}

scenario(6, 'nothing is lost, doubled or out of order, and there are five attempts', async (mode) => {
  const storm = new Storm();
  const input = inputOf(`storm-${mode}`);
  const run = await world.start(stormy(input, storm), { intervalMs: 10 });
  await run.twoCheckpoints([input], 0.2);
  input.open(1);
  const record = await run.finished();
  expect(storm.struck).toBe(5);
  expect(record).toMatchObject({ attempt: 1, counts: { restored: 0 }, restarts: { attempts: 5 } });
  expect(record.counts.completed).toBeGreaterThanOrEqual(2);
  const checked = world.collect.published('checked') as readonly (Item & { readonly isNext: boolean })[];
  expect(checked.filter(({ isNext }) => !isNext)).toEqual([]);
  expect(checked).toHaveLength(4 * perSource);
});
