/** 2,000 numbers of seven keys, each counted among those of its key: what the tests of losses, of stops and of runs again share. */
import { expect } from 'vitest';
import { systemRandom } from '../../lib/adapters/system/random.ts';
import { collectSink, compileJob, defineJob, noWatermarks, valueState, type CompiledJob, type Sink } from '../../lib/index.ts';
import { gatedInput, type GatedInput } from './support.ts';

export const numbers = Array.from({ length: 2_000 }, (_, n) => n);

export interface Counted {
  readonly n: number;
  /** Place among the numbers of its key, times the sign. */
  readonly count: number;
}

let inputs = 0;

/** `batch`: records of one read. */
export function numbersInput(batch?: number): GatedInput<number> {
  return gatedInput(`numbers-${inputs++}`, [numbers], batch);
}

export interface CountingOptions {
  readonly sink?: Sink<unknown>;
  /** Called with every number. */
  readonly meet?: () => void;
  /** It is code: the plan does not know it. */
  readonly sign?: 1 | -1;
  /** So many digits in the state of each key. */
  readonly ballast?: number;
}

export function countingJob(input: GatedInput<number>, options: CountingOptions = {}): CompiledJob {
  const { sink = collectSink('all'), meet = () => undefined, sign = 1, ballast = 0 } = options;
  const job = defineJob({
    name: 'counting',
    build(env) {
      env
        .fromSource(input.source, { watermarks: noWatermarks() })
        .uid('numbers')
        .keyBy((n) => n % 7)
        .process({
          state: { kept: valueState<{ readonly count: number; readonly ballast: string }>() },
          process(n, { state, emit }) {
            meet();
            const count = (state.kept.value()?.count ?? 0) + 1;
            state.kept.update({ count, ballast: systemRandom.hex(ballast) });
            emit({ n, count: count * sign } satisfies Counted);
          },
        })
        .uid('count')
        .rebalance()
        .sinkTo(sink)
        .uid('results');
    },
  });
  return compileJob(job);
}

/** Every number once, each key counted without a gap, up to the sign. */
export function expectWhole(shown: readonly unknown[]): void {
  const counted = shown as readonly Counted[];
  expect(counted.map(({ n }) => n).sort((a, b) => a - b)).toEqual(numbers);
  for (const { n, count } of counted) expect(Math.abs(count)).toBe(Math.floor(n / 7) + 1);
}
