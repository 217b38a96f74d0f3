import { boundedOutOfOrderness, defineJob, hours, minutes, parameter, recordsFrom, recordsTo, tumblingEventTime } from 'sluice';

type Order = { readonly shop: string; readonly amount: number; readonly at: string };

export const job = defineJob({
  name: 'sales',
  parameters: { input: parameter.uri(), output: parameter.uri() },
  build(env, { input, output }) {
    env
      .fromSource(recordsFrom<Order>(input), { watermarks: boundedOutOfOrderness(minutes(5), (order) => Date.parse(order.at)) })
      .uid('orders')
      .keyBy((order) => order.shop)
      .window(tumblingEventTime(hours(1)))
      .reduce(
        (left, right) => ({ ...left, amount: left.amount + right.amount }),
        ({ amount }, { key, window }) => ({ shop: key, hour: new Date(window.start).toISOString(), amount }),
      )
      .uid('hourly')
      .sinkTo(recordsTo(output))
      .uid('files');
  },
});
