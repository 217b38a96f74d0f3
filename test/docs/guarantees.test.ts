/** Promises of docs/guarantees.md that no test of a single part can hold. */
import { expect, test } from 'vitest';
import { collectSink, compileJob, type CompiledJob, defineJob, fromCollection, mapState, type } from '../../lib/index.ts';
import { withLinger } from '../runtime/chaos-linger.ts';
import { ChaosWorld } from '../runtime/chaos-world.ts';

interface Step {
  readonly key: string;
  readonly from: string;
  /** 1, 2, 3 … per key and source. */
  readonly number: number;
}

function stepsFrom(from: string, count: number, keys: number): Step[] {
  return Array.from({ length: count }, (_, i) => ({ key: `k${i % keys}`, from, number: Math.floor(i / keys) + 1 }));
}

const left = stepsFrom('left', 140, 7);
const right = stepsFrom('right', 90, 9);

const job = defineJob({
  name: 'order',
  build(env) {
    env
      .fromSource(fromCollection(left))
      .uid('left')
      .union(env.fromSource(fromCollection(right)).uid('right'))
      .keyBy(({ key }) => key)
      .process({
        emits: type<Step & { readonly before: number }>(),
        state: { last: mapState<string, number>() },
        process(step, { state, emit }) {
          emit({ ...step, before: state.last.get(step.from) ?? 0 });
          state.last.put(step.from, step.number);
        },
      })
      .uid('follow')
      .sinkTo(collectSink('followed'))
      .uid('followed');
  },
});

const compile =
  (seed: number) =>
  (parallelism: number): CompiledJob => ({
    ...withLinger(compileJob(job, { parallelism }), seed, 60),
    planHash: `p${parallelism}`,
  });

test('records of one key and one source are processed in their order, through crashes and restores at another parallelism', async () => {
  let faults = 0;
  let restores = 0;
  for (let seed = 1; seed <= 12; seed++) {
    const result = await new ChaosWorld({ seed, compile: compile(seed) }).run();
    faults += result.faults;
    restores += result.restores;
    expect(result.problems, `seed ${seed}`).toEqual([]);
    const followed = result.published('followed') as readonly (Step & { readonly before: number })[];
    expect(followed, `seed ${seed}`).toHaveLength(left.length + right.length);
    expect(
      followed.filter(({ number, before }) => before !== number - 1),
      `seed ${seed}`,
    ).toEqual([]);
  }
  expect(faults).toBeGreaterThan(0);
  expect(restores).toBeGreaterThan(0);
});
