/** A job that is easily poisoned: what a record says is done to whoever processes it. Each key counts its records, so that what is missing or comes twice shows. */
import {
  boundedOutOfOrderness,
  days,
  defineJob,
  malformedRecords,
  ndjsonFiles,
  outputTag,
  parameter,
  recordsTo,
  seconds,
  sourceFromHttp,
  sourceFromSqs,
  tumblingEventTime,
  valueState,
} from '../../../lib/index.ts';
import { act, describe, type Order } from './acts.ts';

const late = outputTag<Order>('late');

export const job = defineJob({
  name: 'poisoned',
  parameters: { input: parameter.uri(), output: parameter.uri() },
  build(env, { input, output }) {
    env.enableCheckpointing(1_000);
    const watermarks = boundedOutOfOrderness<Order>(0, ({ at = 0 }) => at, { aheadMax: days(365 * 10_000) });
    const http = env
      .fromSource(sourceFromHttp<Order>('clicks', { partitions: 1 }), { watermarks })
      .uid('clicks')
      .setParallelism(1);
    const files = env
      .fromSource(ndjsonFiles<Order>(input, { onMalformed: 'dead-letter' }))
      .uid('files')
      .setParallelism(1);
    const queue = env
      .fromSource(sourceFromSqs<Order>('orders', { partitions: 1 }))
      .uid('orders')
      .setParallelism(1);
    files
      .getSideOutput(malformedRecords)
      .sinkTo(recordsTo(`${output}/malformed`))
      .uid('malformed');

    const counting = (input: typeof http) =>
      input
        .keyBy(({ key }) => key)
        .process({
          state: { seen: valueState<number>(), kept: valueState<unknown>() },
          process(order, { state: { seen, kept }, emit }) {
            const count = (seen.value() ?? 0) + 1;
            // Before it may fail: nothing of that must stay.
            seen.update(count);
            const did = act(order, kept);
            emit({ ...describe(order), seen: count, ...(did === undefined ? {} : { did }) });
          },
        })
        .onError('dead-letter');
    counting(http.union(files))
      .uid('work')
      .sinkTo(recordsTo(`${output}/work`))
      .uid('out');
    for (const uid of ['endless', 'greedy'] as const)
      counting(queue.filter(({ to }) => to === uid).uid(`to-${uid}`))
        .uid(uid)
        .sinkTo(recordsTo(`${output}/${uid}`))
        .uid(`${uid}-out`);

    const windows = http
      .filter(({ at }) => at !== undefined)
      .uid('timed')
      .keyBy(({ key }) => key)
      .window(tumblingEventTime(seconds(1)))
      .sideOutputLateData(late)
      .reduce((_before, order) => order)
      .uid('windows');
    windows.sinkTo(recordsTo(`${output}/windows`)).uid('windows-out');
    windows
      .getSideOutput(late)
      .sinkTo(recordsTo(`${output}/late`))
      .uid('late-out');
  },
});
