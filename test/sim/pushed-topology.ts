/** A job with a push source: its messages are sent while it runs, and some of them come again. */
import { boundedOutOfOrderness, collectSink, defineJob, sourceFromSqs, type, valueState } from '../../lib/index.ts';
import type { Topology } from './topologies.ts';

interface Order {
  readonly key: string;
  readonly at: number;
  readonly value: number;
}

const keyCount = 5;
const orders: readonly Order[] = Array.from({ length: 40 }, (_, i) => ({ key: `k${(i * 3) % keyCount}`, at: 1_000 + i * 12, value: i }));
const lines = (values: readonly unknown[]): string[] => values.map((value) => JSON.stringify(value)).sort();

export const pushedTopology: Topology = {
  name: 'pushed',
  job: () =>
    defineJob({
      name: 'pushed',
      build(env) {
        const watermarks = boundedOutOfOrderness(50, ({ at }: Order) => at, { idleness: 200 });
        env
          .fromSource(sourceFromSqs<Order>('orders', { partitions: 3 }), { watermarks })
          .uid('orders')
          .setParallelism(2)
          .keyBy(({ key }) => key)
          .process({
            emits: type<unknown>(),
            state: { count: valueState<number>() },
            process({ value }, { key, state, emit }) {
              const count = (state.count.value() ?? 0) + 1;
              state.count.update(count);
              emit({ key, value });
              emit({ key, count });
            },
          })
          .uid('count')
          .sinkTo(collectSink('out'))
          .uid('out-sink');
      },
    }),
  expected: {
    out: lines(
      orders.flatMap(({ key, value }, i) => [
        { key, value },
        { key, count: orders.slice(0, i + 1).filter((other) => other.key === key).length },
      ]),
    ),
  },
  world: { feeds: { orders: orders.map((order) => JSON.stringify(order)) } },
};
