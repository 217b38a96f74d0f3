import { describe, expect, test } from 'vitest';
import { canonicalJson } from '../../lib/base/canonical-json.ts';
import {
  broadcastState,
  collectSink,
  compileJob,
  type CompileOptions,
  type DataStream,
  defineJob,
  discardingSink,
  fromCollection,
  outputTag,
  type StreamEnvironment,
} from '../../lib/index.ts';
import type { JobPlan } from '../../lib/model/job-plan.ts';

const numbers = (env: StreamEnvironment, uid = 'numbers'): DataStream<number> => env.fromSource(fromCollection([1, 2, 3])).uid(uid);
const summed = (stream: DataStream<number>, uid = 'sum'): DataStream<number> =>
  stream
    .keyBy((n) => n)
    .reduce((a, b) => a + b)
    .uid(uid);

function planOf(build: (env: StreamEnvironment) => unknown, options: CompileOptions = {}): JobPlan {
  return compileJob(defineJob({ name: 'job', build: (env) => void build(env) }), options).plan;
}

const chains = ({ vertices }: JobPlan): string[] =>
  vertices.map(({ operators, parallelism }) => `${operators.map(({ uid }) => uid).join('+')} ×${parallelism}`);
const channels = ({ edges }: JobPlan): string[] =>
  edges.map(
    ({ from, operator, output, to, input, partitioner }) =>
      `${from}/${operator}${output === '' ? '' : `#${output}`} ${partitioner} ${to}/${input}`,
  );

describe('chains', () => {
  test('hold what is connected directly, and break at a key, a rebalance and a broadcast', () => {
    const plan = planOf(
      (env) => {
        const doubled = numbers(env).map((n) => n * 2);
        summed(doubled.filter((n) => n > 0))
          .map((n) => n)
          .sinkTo(collectSink('a'))
          .uid('a');
        doubled
          .rebalance()
          .map((n) => n)
          .sinkTo(collectSink('b'))
          .uid('b');
      },
      { parallelism: 4 },
    );
    expect(chains(plan)).toEqual(['numbers+numbers.map+numbers.map.filter ×1', 'sum+sum.map+a ×4', 'numbers.map.map+b ×4']);
    expect(channels(plan)).toEqual(['numbers/numbers.map.filter hash sum/0', 'numbers/numbers.map rebalance numbers.map.map/0']);
  });

  test('may branch, on the main output and on side outputs', () => {
    const tag = outputTag<number>('odd');
    const plan = planOf((env) => {
      const split = numbers(env).process({ process: (n, { emit, emitTo }) => (n % 2 === 0 ? emit(n) : emitTo(tag, n)) });
      split.sinkTo(collectSink('even')).uid('even');
      split
        .getSideOutput(tag)
        .map((n) => n)
        .sinkTo(collectSink('odd'))
        .uid('odd');
    });
    expect(chains(plan)).toEqual(['numbers+numbers.process+even+numbers.process.map+odd ×1']);
    expect(plan.edges).toEqual([]);
    expect(plan.vertices[0]!.operators.map(({ uid, links }) => [uid, ...links.map(({ from, output }) => `${from}#${output}`)])).toEqual([
      ['numbers'],
      ['numbers.process', 'numbers#'],
      ['even', 'numbers.process#'],
      ['numbers.process.map', 'numbers.process#odd'],
      ['odd', 'numbers.process.map#'],
    ]);
  });

  test('break where streams meet: a union, two inputs, even of one operator', () => {
    const plan = planOf((env) => {
      const [left, right] = [numbers(env, 'left'), numbers(env, 'right')];
      const both = left
        .union(right)
        .map((n) => n)
        .uid('both');
      both
        .connect(both.filter((n) => n > 1).uid('some'))
        .map(
          (n) => n,
          (n) => n,
        )
        .uid('met')
        .sinkTo(discardingSink());
    });
    expect(chains(plan)).toEqual(['left ×1', 'right ×1', 'both+some ×1', 'met+met.sink ×1']);
    expect(channels(plan)).toEqual([
      'left/left forward both/0',
      'right/right forward both/0',
      'both/both forward met/0',
      'both/some forward met/1',
    ]);
  });

  test('break where the user says so', () => {
    const plan = planOf((env) =>
      numbers(env)
        .map((n) => n)
        .uid('a')
        .startNewChain()
        .map((n) => n)
        .uid('b')
        .map((n) => n)
        .uid('c')
        .disableChaining()
        .map((n) => n)
        .uid('d')
        .sinkTo(discardingSink())
        .uid('e')
        .disableChaining(),
    );
    expect(chains(plan)).toEqual(['numbers ×1', 'a+b ×1', 'c ×1', 'd ×1', 'e ×1']);
    expect(new Set(plan.edges.map(({ partitioner }) => partitioner))).toEqual(new Set(['forward']));
  });

  test('break at another parallelism, where records are dealt out in turn, and at another number of key groups', () => {
    const plan = planOf((env) =>
      numbers(env)
        .map((n) => n)
        .uid('a')
        .setParallelism(2)
        .map((n) => n)
        .uid('b')
        .setMaxParallelism(16)
        .sinkTo(discardingSink())
        .uid('c'),
    );
    expect(chains(plan)).toEqual(['numbers ×1', 'a ×2', 'b+c ×2']);
    expect(channels(plan)).toEqual(['numbers/numbers rebalance a/0', 'a/a forward b/0']);
  });
});

describe('parallelism', () => {
  test('is that of the job behind a key, and is handed on to what follows directly', () => {
    const plan = planOf(
      (env) =>
        summed(numbers(env).map((n) => n))
          .map((n) => n)
          .sinkTo(collectSink('a'))
          .uid('a'),
      { parallelism: 3 },
    );
    expect(chains(plan)).toEqual(['numbers+numbers.map ×1', 'sum+sum.map+a ×3']);
  });

  test('of a source is what the user set, else one', () => {
    const plan = planOf(
      (env) =>
        numbers(env)
          .setParallelism(4)
          .map((n) => n)
          .sinkTo(discardingSink()),
      { parallelism: 2 },
    );
    expect(chains(plan)).toEqual(['numbers+numbers.map+numbers.map.sink ×4']);
  });

  test('of what several streams meet in directly is the highest of theirs', () => {
    const plan = planOf((env) =>
      numbers(env, 'a').setParallelism(2).union(numbers(env, 'b').setParallelism(3)).sinkTo(discardingSink()).uid('c'),
    );
    expect(chains(plan)).toEqual(['a ×2', 'b ×3', 'c ×3']);
    expect(channels(plan)).toEqual(['a/a rebalance c/0', 'b/b forward c/0']);
  });

  test('of a rebalanced stream in a union is its own matter', () => {
    const plan = planOf((env) =>
      numbers(env, 'a')
        .rebalance()
        .union(numbers(env, 'b'))
        .keyBy((n) => n)
        .reduce((a, b) => a + b)
        .uid('c')
        .sinkTo(discardingSink()),
    );
    expect(channels(plan)).toEqual(['a/a hash c/0', 'b/b hash c/0']);
    const mixed = planOf((env) => numbers(env, 'a').rebalance().union(numbers(env, 'b')).sinkTo(discardingSink()).uid('c'));
    expect(channels(mixed)).toEqual(['a/a rebalance c/0', 'b/b forward c/0']);
  });

  test('of what is joined by a broadcast stream is that of its other side', () => {
    const plan = planOf(
      (env) =>
        numbers(env)
          .setParallelism(2)
          .connect(numbers(env, 'rules').broadcast(broadcastState('rules')))
          .process({ processElement: () => undefined, processBroadcast: () => undefined })
          .uid('judged')
          .sinkTo(discardingSink()),
      { parallelism: 5 },
    );
    expect(chains(plan)).toEqual(['numbers ×2', 'rules ×1', 'judged+judged.sink ×2']);
    expect(channels(plan)).toEqual(['numbers/numbers forward judged/0', 'rules/rules broadcast judged/1']);
  });

  test('leads to key groups as in Flink, unless the user fixed them, for an operator or for the job', () => {
    const build = (env: StreamEnvironment) => {
      const source = numbers(env);
      summed(source).sinkTo(discardingSink());
      summed(source, 'fixed').setMaxParallelism(200).sinkTo(discardingSink());
    };
    const groups = (plan: JobPlan) =>
      plan.vertices.map(
        ({ uid, maxParallelism, maxParallelismDerived }) => `${uid} ${maxParallelism}${maxParallelismDerived ? '' : ' fixed'}`,
      );
    expect(groups(planOf(build, { parallelism: 100 }))).toEqual(['numbers 128', 'sum 256', 'fixed 200 fixed']);
    expect(groups(planOf(build, { maxParallelism: 64 }))).toEqual(['numbers 64 fixed', 'sum 64 fixed', 'fixed 200 fixed']);
  });
});

describe('a plan', () => {
  test('is plain JSON, and numbers its edges', () => {
    const plan = planOf((env) => {
      const source = numbers(env);
      summed(source, 'one').sinkTo(discardingSink());
      summed(source, 'two').sinkTo(discardingSink());
    });
    expect(JSON.parse(JSON.stringify(plan))).toEqual(plan);
    expect(canonicalJson(JSON.parse(JSON.stringify(plan)))).toBe(canonicalJson(plan));
    expect(plan.edges.map(({ index }) => index)).toEqual([0, 1]);
  });

  test('is another one with another parallelism', () => {
    const job = defineJob({ name: 'job', build: (env) => void summed(numbers(env)).sinkTo(discardingSink()) });
    expect(compileJob(job, { parallelism: 1 }).planHash).not.toBe(compileJob(job, { parallelism: 2 }).planHash);
  });
});
