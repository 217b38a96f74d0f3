/** A job that uses every kind of operator once: for golden plans and their drawings. */
import {
  accumulatorSink,
  aggregatingState,
  broadcastState,
  collectSink,
  type DataStream,
  defineJob,
  discardingSink,
  fileSink,
  fromCollection,
  listState,
  malformedRecords,
  mapState,
  memoryText,
  minutes,
  monotonousTimestamps,
  ndjsonFiles,
  operatorList,
  operatorUnionList,
  outputTag,
  parameter,
  reducingState,
  sessionEventTime,
  slidingEventTime,
  tumblingProcessingTime,
  valueState,
} from '../../lib/index.ts';

interface Order {
  readonly at: number;
  readonly user: string;
  readonly amount: number;
}

const late = outputTag<Order>('late');
const sum = { createAccumulator: () => 0, add: ({ amount }: Order, total: number) => total + amount, getResult: (total: number) => total };

export const everyOperator = defineJob({
  name: 'every-operator',
  parameters: { input: parameter.uri({ default: 'orders/' }) },
  build(env, { input }) {
    const watermarks = monotonousTimestamps((order: Order) => order.at, { idleness: minutes(1) });
    const files = env
      .fromSource(ndjsonFiles<Order>(input, { onMalformed: 'dead-letter' }), { watermarks })
      .uid('files')
      .setParallelism(2);
    const text = env
      .fromSource(memoryText<Order>('orders', { limit: 10 }), { watermarks })
      .uid('text')
      .name('orders in memory');
    const rules = env.fromSource(fromCollection([{ user: 'ada', limit: 3n }])).uid('rules');
    files.getSideOutput(malformedRecords).sinkTo(fileSink('malformed')).uid('malformed');

    const orders = files.union(text).filter(({ amount }) => amount > 0);
    windows(orders);
    const seen = orders
      .keyBy(({ user }) => user)
      .connect(rules.broadcast(broadcastState<string, { user: string; limit: bigint }>('limits')))
      .process({
        state: {
          last: valueState<Order>({ ttl: { ttlMs: minutes(5) } }),
          all: listState<Order>(),
          byAmount: mapState<number, Order>(),
          total: reducingState<number>((a, b) => a + b),
          mean: aggregatingState(sum),
        },
        processElement: () => undefined,
        processBroadcast: () => undefined,
        onTimer: () => undefined,
      })
      .uid('limited');
    seen.getSideOutput(late).sinkTo(discardingSink());
    seen
      .rebalance()
      .map((value) => value)
      .disableChaining()
      .sinkTo(collectSink('seen'))
      .uid('seen');
    orders
      .process({ operatorState: { buffer: operatorList<Order>(), known: operatorUnionList<string>() }, process: () => undefined })
      .uid('buffered')
      .startNewChain()
      .sinkTo(discardingSink());
    connected(orders);
  },
});

function windows(orders: DataStream<Order>): void {
  const byUser = orders.keyBy(({ user }) => user);
  const sliding = byUser
    .window(slidingEventTime(minutes(10), minutes(1)))
    .allowedLateness(minutes(2))
    .sideOutputLateData(late)
    .aggregate(sum)
    .uid('sliding');
  sliding
    .sinkTo(accumulatorSink({ initial: 0, add: (total, value) => total + value, merge: (left, right) => left + right }))
    .uid('sliding-total');
  sliding.getSideOutput(late).sinkTo(fileSink('late')).uid('late-files');
  byUser
    .window(sessionEventTime(minutes(3)))
    .reduce((a) => a)
    .uid('sessions')
    .sinkTo(discardingSink());
  byUser
    .window(tumblingProcessingTime(minutes(1), 1))
    .process({ process: () => undefined })
    .uid('by-clock')
    .sinkTo(discardingSink());
}

function connected(orders: DataStream<Order>): void {
  const users = orders
    .flatMap(({ user }) => [user])
    .uid('users')
    .setMaxParallelism(256);
  const running = orders
    .keyBy(({ user }) => user)
    .reduce((a, b) => (a.amount > b.amount ? a : b))
    .uid('largest')
    .setParallelism(4);
  running
    .keyBy(({ user }) => user)
    .aggregate(sum)
    .uid('running')
    .sinkTo(discardingSink());
  users
    .connect(running)
    .map(
      (user) => user,
      ({ user }) => user,
    )
    .sinkTo(discardingSink());
  users
    .connect(running)
    .keyBy(
      (user) => user,
      ({ user }) => user,
    )
    .process({ state: { user: valueState<string>() }, process1: () => undefined, process2: () => undefined })
    .uid('joined')
    .sinkTo(discardingSink());
}
