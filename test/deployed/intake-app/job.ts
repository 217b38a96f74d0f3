/** What a queue and HTTP bring, told apart, each record with its place among those of its key. */
import { defineJob, parameter, recordsTo, sourceFromHttp, sourceFromSqs, valueState } from '../../../lib/index.ts';

interface Order {
  readonly from: 'queue' | 'http';
  readonly n: number;
}

export const job = defineJob({
  name: 'intakes',
  parameters: { output: parameter.uri() },
  build(env, { output }) {
    env.enableCheckpointing(2_000);
    const queue = env.fromSource(sourceFromSqs<Order>('orders', { partitions: 2 })).uid('orders');
    const http = env.fromSource(sourceFromHttp<Order>('clicks', { partitions: 2 })).uid('clicks');
    queue
      .union(http)
      .keyBy(({ from, n }) => `${from} ${n % 7}`)
      .process({
        state: { seen: valueState<number>() },
        process(order, { state, emit }) {
          const seen = (state.seen.value() ?? 0) + 1;
          state.seen.update(seen);
          emit({ ...order, seen });
        },
      })
      .uid('counted')
      .sinkTo(recordsTo(output))
      .uid('out');
  },
});
