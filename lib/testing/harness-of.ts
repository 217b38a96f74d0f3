/** Harnesses from the DSL: `harnessOf((flights: DataStream<Flight>) => flights.keyBy(routeOf).process(seasons))`. */
import { SluiceError } from '../base/errors.ts';
import { fromCollection } from '../connectors/memory-sources.ts';
import type { Sink } from '../connectors/sink.ts';
import type { DataStream } from '../dsl/data-stream.ts';
import { environmentOf, newPipeline } from '../dsl/stream-environment.ts';
import { type HarnessOptions, OperatorHarness } from './operator-harness.ts';

/** `build` makes exactly one operator of the given stream. */
export function harnessOf<In, Out>(build: (input: DataStream<In>) => DataStream<Out>, options?: HarnessOptions): OperatorHarness<In, Out> {
  return harnessOfGraph((stream) => build(stream()), options) as OperatorHarness<In, Out>;
}

/** For connected streams: feed them by `process(0, …)` and `process(1, …)`. */
export function twoInputHarnessOf<In1, In2, Out>(
  build: (first: DataStream<In1>, second: DataStream<In2>) => DataStream<Out>,
  options?: HarnessOptions,
): OperatorHarness<In1 | In2, Out> {
  return harnessOfGraph((stream) => build(stream(), stream()), options) as OperatorHarness<In1 | In2, Out>;
}

export function sinkHarnessOf<T>(sink: Sink<T>, options?: HarnessOptions): OperatorHarness<T, never> {
  return new OperatorHarness<T, never>({ create: sink.create }, options);
}

function harnessOfGraph(build: (stream: <T>() => DataStream<T>) => void, options?: HarnessOptions): OperatorHarness<unknown, unknown> {
  const pipeline = newPipeline();
  const env = environmentOf(pipeline);
  build(<T>() => env.fromSource(fromCollection<T>([])));
  const operators = pipeline.nodes.filter(({ facts }) => facts.role === 'operator');
  const [operator] = operators;
  if (operator === undefined || operators.length > 1 || pipeline.problems.length > 0) {
    const found = [`${operators.length} operators`, ...pipeline.problems.map(({ message }) => message)];
    throw new SluiceError('SLUICE-TEST-HARNESS', `the harness runs exactly one operator, and found ${found.join('; ')}`, {
      hint: 'Build one operator, without errors, of the stream that is given.',
    });
  }
  const { create, inputs } = operator.facts;
  return new OperatorHarness({ create: create!, keySelectors: inputs.map(({ keySelector }) => keySelector) }, options);
}
