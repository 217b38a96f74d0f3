import { describe, expect, test } from 'vitest';
import {
  broadcastState,
  collectSink,
  compileJob,
  type DataStream,
  defineJob,
  discardingSink,
  fileSink,
  fromCollection,
  malformedRecords,
  monotonousTimestamps,
  ndjsonFiles,
  noWatermarks,
  outputTag,
  recordsFrom,
  recordsTo,
  sessionEventTime,
  slidingEventTime,
  type SluiceError,
  type StreamEnvironment,
  tumblingEventTime,
  tumblingProcessingTime,
  valueState,
} from '../../lib/index.ts';
import type { GraphProblem } from '../../lib/graph/graph-problem.ts';

const numbers = (env: StreamEnvironment, uid = 'numbers'): DataStream<number> => env.fromSource(fromCollection([1, 2, 3])).uid(uid);
const count = { createAccumulator: () => 0, add: (_value: number, sum: number) => sum + 1, getResult: (sum: number) => sum };

function compile(build: (env: StreamEnvironment) => unknown, options = {}) {
  return compileJob(defineJob({ name: 'job', build: (env) => void build(env) }), options);
}

function problems(build: (env: StreamEnvironment) => unknown, options = {}): readonly GraphProblem[] {
  try {
    compile(build, options);
  } catch (error) {
    expect(error).toMatchObject({ code: 'SLUICE-GRAPH-INVALID' });
    return (error as SluiceError).facts['problems'] as readonly GraphProblem[];
  }
  return [];
}

const found = (build: (env: StreamEnvironment) => unknown, options = {}): string[] =>
  problems(build, options).map(({ code, where }) => `${code} ${where}`);

describe('uids', () => {
  test('are demanded of whatever has state, and of nothing else', () => {
    const missing = found((env) => {
      const source = env.fromSource(fromCollection([1]));
      source.map((n) => n).sinkTo(discardingSink());
      source
        .keyBy((n) => n)
        .reduce((a, b) => a + b)
        .sinkTo(collectSink('a'));
      source.process({ operatorState: {}, process: () => undefined }).sinkTo(discardingSink());
      source
        .connect(source.broadcast(broadcastState('rules')))
        .process({ processElement: () => 1, processBroadcast: () => 1 })
        .sinkTo(discardingSink());
    });
    expect(missing).toEqual([
      'uid-missing source',
      'uid-missing source.reduce',
      'uid-missing source.reduce.sink',
      'uid-missing source.broadcast-process',
    ]);
  });

  test('are derived for operators without state, from what comes before them, and never taken twice', () => {
    const { plan } = compile((env) => {
      const source = numbers(env);
      source.map((n) => n).sinkTo(discardingSink());
      source
        .map((n) => n)
        .uid('numbers.map-2')
        .sinkTo(discardingSink());
      source.map((n) => n).sinkTo(discardingSink());
    });
    expect(plan.vertices[0]?.operators.map(({ uid }) => uid)).toEqual([
      'numbers',
      'numbers.map',
      'numbers.map.sink',
      'numbers.map-2',
      'numbers.map-2.sink',
      'numbers.map-3',
      'numbers.map-3.sink',
    ]);
  });

  test('derived ones stay short and apart, however long the pipeline is', () => {
    const { plan } = compile((env) => {
      let stream = numbers(env);
      for (let i = 0; i < 60; i++) stream = stream.map((n) => n);
      stream.sinkTo(discardingSink());
    });
    const uids = plan.vertices.flatMap(({ operators }) => operators.map(({ uid }) => uid));
    expect(new Set(uids).size).toBe(62);
    expect(uids.every((uid) => /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/.test(uid))).toBe(true);
  });

  test.each(['', 'a b', '-a', '.a', 'ä', 'a/b', 'a'.repeat(101)])('%j is refused as a uid', (uid) => {
    expect(found((env) => numbers(env, uid).sinkTo(discardingSink()))).toEqual([`uid-invalid ${JSON.stringify(uid)}`]);
  });

  test('are refused twice, on one operator and on two', () => {
    expect(
      found((env) => {
        numbers(env, 'a').uid('b').sinkTo(collectSink('x')).uid('sink');
        numbers(env, 'c').sinkTo(collectSink('y')).uid('sink');
      }),
    ).toEqual(['uid-duplicate a', 'uid-duplicate sink']);
  });

  test('belong to operators, not to united, rebalanced or side streams', () => {
    const tag = outputTag<number>('side');
    expect(
      problems((env) => {
        const source = numbers(env);
        source.union(source).uid('united').sinkTo(discardingSink());
        source.rebalance().setParallelism(2).sinkTo(discardingSink());
        source.getSideOutput(tag).name('side').getSideOutput(tag).sinkTo(discardingSink());
      }).map(({ code, message }) => `${code}: ${message.split(' ')[0]}`),
    ).toEqual(['uid-misplaced: uid', 'uid-misplaced: setParallelism', 'uid-misplaced: name', 'uid-misplaced: getSideOutput']);
  });
});

describe('a graph that is wrong', () => {
  test('is refused with all its errors in one', () => {
    const error = (() => {
      try {
        compile((env) => {
          const source = env.fromSource(fromCollection([1]));
          source
            .keyBy((n) => n)
            .window(tumblingEventTime(0))
            .aggregate(count)
            .uid('a a')
            .sinkTo(fileSink('out'))
            .setParallelism(0);
        });
      } catch (caught) {
        return caught as SluiceError;
      }
      throw new Error('it did not fail');
    })();
    expect(error.code).toBe('SLUICE-GRAPH-INVALID');
    for (const code of ['uid-missing', 'uid-invalid', 'window-invalid', 'watermarks-missing', 'parallelism-invalid'])
      expect(error.message).toContain(`(${code})`);
    expect(error.hint).not.toBe('');
  });

  test('has no source, no sink, or a source and operators that nobody reads', () => {
    expect(found(() => undefined)).toEqual(['graph-empty the job', 'graph-empty the job']);
    expect(found((env) => numbers(env).map((n) => n))).toEqual(['graph-empty the job', 'output-unread numbers.map']);
    expect(
      found((env) => {
        numbers(env, 'read').sinkTo(discardingSink());
        numbers(env, 'unread');
      }),
    ).toEqual(['output-unread unread']);
  });

  test('has two sinks that write to one place', () => {
    expect(
      found((env) => {
        const source = numbers(env);
        source.sinkTo(fileSink('out/')).uid('one');
        source.sinkTo(recordsTo('out')).uid('two');
      }),
    ).toEqual(['output-shared one, two']);
  });

  test('has event-time windows below a source without watermarks, even behind a union', () => {
    expect(
      found((env) => {
        const good = env.fromSource(fromCollection([1]), { watermarks: monotonousTimestamps((n) => n) }).uid('good');
        const bad = env.fromSource(fromCollection([1]), { watermarks: noWatermarks() }).uid('bad');
        good
          .keyBy((n) => n)
          .window(tumblingEventTime(1))
          .aggregate(count)
          .uid('fine')
          .sinkTo(discardingSink());
        good
          .union(bad)
          .map((n) => n)
          .keyBy((n) => n)
          .window(tumblingEventTime(1))
          .aggregate(count)
          .uid('windows')
          .sinkTo(discardingSink());
        bad
          .keyBy((n) => n)
          .window(tumblingProcessingTime(1))
          .aggregate(count)
          .uid('clock')
          .sinkTo(discardingSink());
      }),
    ).toEqual(['watermarks-missing windows']);
  });

  test('has windows that no time falls into', () => {
    const windows = (env: StreamEnvironment) =>
      env
        .fromSource(fromCollection([1]), { watermarks: monotonousTimestamps((n) => n) })
        .uid('numbers')
        .keyBy((n) => n);
    const codes = (build: (env: StreamEnvironment) => DataStream<unknown>) => found((env) => build(env).uid('w').sinkTo(discardingSink()));
    expect(codes((env) => windows(env).window(tumblingEventTime(1.5)).aggregate(count))).toEqual(['window-invalid w', 'window-invalid w']);
    expect(codes((env) => windows(env).window(tumblingEventTime(10, 10)).aggregate(count))).toEqual(['window-invalid w']);
    expect(codes((env) => windows(env).window(slidingEventTime(10, -1)).aggregate(count))).toEqual(['window-invalid w']);
    expect(
      codes((env) =>
        windows(env)
          .window(sessionEventTime(Number.NaN))
          .reduce((a) => a),
      ),
    ).toEqual(['window-invalid w', 'window-invalid w']);
    expect(codes((env) => windows(env).window(tumblingEventTime(1)).allowedLateness(-1).aggregate(count))).toEqual(['lateness-invalid w']);
    expect(codes((env) => windows(env).window(sessionEventTime(1)).aggregate(count))).toEqual(['merge-missing w']);
  });

  test('has parallelism that no cluster has', () => {
    const at = (parallelism: number, maxParallelism?: number) =>
      found((env) => {
        const stream = numbers(env)
          .keyBy((n) => n)
          .reduce((a, b) => a + b)
          .uid('sum')
          .setParallelism(parallelism);
        (maxParallelism === undefined ? stream : stream.setMaxParallelism(maxParallelism)).sinkTo(discardingSink());
      });
    expect(at(0)).toEqual(['parallelism-invalid sum']);
    expect(at(1.5)).toEqual(['parallelism-invalid sum']);
    expect(at(1, 32_769)).toEqual(['max-parallelism-invalid sum']);
    expect(at(9, 8)).toEqual(['parallelism-above-max sum']);
    expect(at(8, 8)).toEqual([]);
    const plain = (env: StreamEnvironment) => numbers(env).sinkTo(discardingSink());
    expect(found(plain, { parallelism: -1 })).toEqual(['parallelism-invalid the job']);
    expect(found(plain, { maxParallelism: 40_000 })).toEqual(['max-parallelism-invalid the job']);
  });

  test('has names that cannot be stored', () => {
    expect(
      found((env) =>
        numbers(env)
          .keyBy((n) => n)
          .process({ state: { '#timers': valueState<number>() }, process: () => undefined })
          .uid('sum')
          .getSideOutput(outputTag('a b'))
          .sinkTo(discardingSink()),
      ),
    ).toEqual(['state-name-invalid sum', 'side-output-invalid sum']);
    expect(() => compileJob(defineJob({ name: '../job', build: (env) => void numbers(env).sinkTo(discardingSink()) }))).toThrow(
      'name-invalid',
    );
  });

  test('has two states of one name in one operator', () => {
    expect(
      found((env) => {
        const source = numbers(env);
        source
          .keyBy((n) => n)
          .connect(source.broadcast(broadcastState('rules')))
          .process({ state: { rules: valueState<number>() }, processElement: () => undefined, processBroadcast: () => undefined })
          .uid('judged')
          .sinkTo(discardingSink());
      }),
    ).toEqual(['state-duplicate judged']);
  });

  test('has connectors that this version does not have', () => {
    expect(
      found((env) => {
        env
          .fromSource(recordsFrom('gopher://bucket/a.parquet', { limit: -1 }))
          .uid('a')
          .sinkTo(recordsTo('sqs:queue'))
          .uid('b');
      }),
    ).toEqual(['connector-unusable a', 'limit-invalid a', 'connector-unusable b']);
  });

  test('has buffers that cannot be: a time, a size, of one operator or of all', () => {
    const at = (build: (env: StreamEnvironment) => DataStream<number>) => found((env) => build(env).sinkTo(discardingSink()));
    for (const timeoutMs of [-1, 0.5, Number.NaN, 900_001]) {
      expect(at((env) => numbers(env, 'a').setBufferTimeout(timeoutMs))).toEqual(['buffer-invalid a']);
      expect(at((env) => (env.setBufferTimeout(timeoutMs), numbers(env, 'a')))).toEqual(['buffer-invalid the job']);
    }
    for (const bytes of [0, 1.5, 700_001]) {
      expect(at((env) => numbers(env, 'a').setBufferSize(bytes))).toEqual(['buffer-invalid a']);
      expect(at((env) => (env.setBufferSize(bytes), numbers(env, 'a')))).toEqual(['buffer-invalid the job']);
    }
    expect(at((env) => numbers(env).rebalance().setBufferTimeout(1))).toEqual(['uid-misplaced a united, rebalanced or side stream']);
  });

  test('has durations of a watermark strategy that are none', () => {
    const watermarks = monotonousTimestamps((n: number) => n, { idleness: -5 });
    expect(
      found((env) =>
        env
          .fromSource(fromCollection([1]), { watermarks })
          .uid('a')
          .sinkTo(discardingSink()),
      ),
    ).toEqual(['watermarks-invalid a']);
  });

  test('has dead letters that nobody reads', () => {
    const source = ndjsonFiles<number>('in/', { onMalformed: 'dead-letter' });
    expect(found((env) => env.fromSource(source).uid('in').sinkTo(discardingSink()))).toEqual(['dead-letters-unread in']);
    expect(
      found((env) => {
        const stream = env.fromSource(source).uid('in');
        stream.sinkTo(discardingSink());
        stream.getSideOutput(malformedRecords).sinkTo(discardingSink());
      }),
    ).toEqual([]);
  });

  test('has streams of another job', () => {
    let stolen: DataStream<number> | undefined;
    compile((env) => (stolen = numbers(env)).sinkTo(discardingSink()));
    expect(
      found((env) =>
        numbers(env)
          .union(stolen!)
          .map((n) => n)
          .sinkTo(discardingSink()),
      ),
    ).toEqual(['foreign-stream numbers.map']);
  });
});

describe('a build function', () => {
  test('that fails is named, with its cause', () => {
    const broken = new TypeError('x is not a function');
    expect(() =>
      compile(() => {
        throw broken;
      }),
    ).toThrow(expect.objectContaining({ code: 'SLUICE-JOB-BUILD-FAILED', cause: broken }));
  });

  test('makes the same plan every time, and a registry that holds the code of every operator in it', () => {
    const build = (env: StreamEnvironment) =>
      numbers(env)
        .keyBy((n) => n % 2)
        .reduce((a, b) => a + b)
        .uid('sum')
        .sinkTo(collectSink('sums'))
        .uid('sums');
    const { plan, planHash, registry } = compile(build);
    expect(compile(build)).toMatchObject({ plan, planHash });
    expect([...registry.keys()].sort()).toEqual(plan.vertices.flatMap(({ operators }) => operators.map(({ uid }) => uid)).sort());
    expect(registry.get(plan.vertices[1]!.uid)?.keySelectors?.[0]?.(3)).toBe(1);
    expect(planHash).toMatch(/^[0-9a-f]{64}$/);
  });

  test('makes a plan that cannot be changed', () => {
    const { graph } = compile((env) => numbers(env).sinkTo(discardingSink()));
    expect(() => (graph.nodes as unknown[]).push(1)).toThrow(TypeError);
    expect(() => Object.assign(graph.nodes[0]!, { uid: 'other' })).toThrow(TypeError);
  });
});

describe('buffers', () => {
  const settings = (build: (env: StreamEnvironment) => DataStream<number>) =>
    compile((env) =>
      build(env)
        .rebalance()
        .map((n) => n)
        .rebalance()
        .sinkTo(discardingSink()),
    ).plan.edges.map(({ envelopeBytes, bufferTimeoutMs }) => [envelopeBytes, bufferTimeoutMs]);

  test('send at every commit unless the job says otherwise, and then the plan says nothing of it', () => {
    expect(settings((env) => numbers(env))).toEqual([[49_152, undefined], [49_152, undefined]]); // prettier-ignore
    expect(settings((env) => numbers(env).setBufferTimeout(0))).toEqual(settings((env) => numbers(env)));
  });

  test('are those of the operator that sends, or else of the environment', () => {
    const build = (env: StreamEnvironment): DataStream<number> => {
      env.setBufferTimeout(200);
      env.setBufferSize(1_000);
      return numbers(env).setBufferTimeout(0).setBufferSize(700_000);
    };
    expect(settings(build)).toEqual([[700_000, undefined], [1_000, 200]]); // prettier-ignore
  });
});
