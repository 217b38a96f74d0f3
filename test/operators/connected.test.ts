import { describe, expect, test } from 'vitest';
import { broadcastState, type DataStream, operatorList, type, valueState } from '../../lib/index.ts';
import { twoInputHarnessOf } from '../../lib/testing/index.ts';

interface Order {
  readonly id: number;
  readonly user: string;
}
interface Payment {
  readonly order: number;
  readonly paid: boolean;
}
interface Rule {
  readonly user: string;
  readonly allowed: boolean;
}

const order = (id: number, user = 'ada'): Order => ({ id, user });

describe('two keyed streams', () => {
  const matched = () =>
    twoInputHarnessOf((orders: DataStream<Order>, payments: DataStream<Payment>) =>
      orders
        .keyBy(({ id }) => id)
        .connect(payments.keyBy((payment) => payment.order))
        .process({
          emits: type<string>(),
          state: { order: valueState<Order>(), payment: valueState<Payment>() },
          process1(value, { state, timers, timestamp, emit }) {
            if (state.payment.value() !== undefined) emit(`${value.user} paid first`);
            state.order.update(value);
            timers.registerEventTime(timestamp + 10);
          },
          process2(value, { state, emit }) {
            state.payment.update(value);
            const before = state.order.value();
            if (before !== undefined) emit(`${before.user} paid`);
          },
          onTimer(_timer, { key, state, emit }) {
            if (state.payment.value() === undefined) emit(`order ${key} is not paid`);
          },
        }),
    );

  test('share the state and the timers of their key', () => {
    const harness = matched();
    harness.process(0, order(1), 0);
    harness.process(1, { order: 1, paid: true }, 1);
    harness.process(1, { order: 2, paid: true }, 2);
    harness.process(0, order(2, 'bob'), 3);
    harness.process(0, order(3, 'cyd'), 4);
    harness.processWatermark(100);
    expect(harness.output()).toEqual(['ada paid', 'bob paid first', 'order 3 is not paid']);
  });

  test('may be keyed after they were connected', () => {
    const harness = twoInputHarnessOf((orders: DataStream<Order>, payments: DataStream<Payment>) =>
      orders
        .connect(payments)
        .keyBy(
          ({ id }) => id,
          (payment) => payment.order,
        )
        .process({
          emits: type<number>(),
          process1: (_value, { key, emit }) => emit(key),
          process2: (_value, { key, emit }) => emit(-key),
        }),
    );
    harness.process(0, order(7));
    harness.process(1, { order: 7, paid: true });
    expect(harness.output()).toEqual([7, -7]);
  });
});

describe('two streams without a key', () => {
  test('meet in one function with operator state', () => {
    const harness = twoInputHarnessOf((words: DataStream<string>, flushes: DataStream<null>) =>
      words.connect(flushes).process({
        emits: type<string>(),
        operatorState: { words: operatorList<string>() },
        process1: (word, { operatorState }) => operatorState.words.add(word),
        process2(_flush, { operatorState, emit }) {
          emit(operatorState.words.items().join(' '));
          operatorState.words.clear();
        },
      }),
    );
    harness.process(0, 'to');
    harness.process(0, 'be');
    harness.process(1, null);
    harness.process(1, null);
    expect(harness.output()).toEqual(['to be', '']);
  });
});

describe('a broadcast stream', () => {
  const rulesByUser = broadcastState<string, Rule>('rules');
  const judged = (snapshot?: ReturnType<ReturnType<typeof twoInputHarnessOf>['snapshot']>) =>
    twoInputHarnessOf(
      (orders: DataStream<Order>, rules: DataStream<Rule>) =>
        orders.connect(rules.broadcast(rulesByUser)).process({
          emits: type<unknown>(),
          processElement({ user }, { broadcast, emit }) {
            emit(broadcast.get(user)?.allowed ?? 'unknown');
          },
          processBroadcast(rule, { broadcast, emit }) {
            if (rule.user === '*') broadcast.clear();
            else if (broadcast.contains(rule.user) && !rule.allowed) broadcast.remove(rule.user);
            else broadcast.put(rule.user, rule);
            emit(broadcast.entries().map(([user]) => user));
          },
        }),
      snapshot === undefined ? {} : { restore: snapshot },
    );

  test('is kept in state that the other side reads', () => {
    const harness = judged();
    harness.process(0, order(1));
    harness.process(1, { user: 'ada', allowed: true });
    harness.process(1, { user: 'bob', allowed: true });
    harness.process(0, order(1));
    harness.process(1, { user: 'ada', allowed: false });
    harness.process(0, order(1));
    harness.process(1, { user: '*', allowed: false });
    expect(harness.output()).toEqual(['unknown', ['ada'], ['ada', 'bob'], true, ['bob'], 'unknown', []]);
  });

  test('is in the snapshot', () => {
    const before = judged();
    before.process(1, { user: 'ada', allowed: true });
    const after = judged(before.snapshot());
    after.process(0, order(1));
    expect(after.output()).toEqual([true]);
  });

  test('meets a keyed stream, whose side has its key, its state and its timers, while the broadcast side has none', () => {
    const harness = twoInputHarnessOf((orders: DataStream<Order>, rules: DataStream<Rule>) =>
      orders
        .keyBy(({ user }) => user)
        .connect(rules.broadcast(rulesByUser))
        .process({
          emits: type<unknown>(),
          state: { count: valueState<number>() },
          processElement(_order, { key, state, broadcast, timers, emit }) {
            const count = (state.count.value() ?? 0) + 1;
            state.count.update(count);
            emit([key, count, broadcast.get(key)?.allowed]);
            timers.registerEventTime(10);
          },
          processBroadcast: (rule, { broadcast }) => broadcast.put(rule.user, rule),
          onTimer: (_timer, { key, broadcast, emit }) => emit([key, broadcast.get(key)?.allowed]),
        }),
    );
    harness.process(0, order(1, 'ada'), 0);
    harness.process(1, { user: 'ada', allowed: true }, 1);
    harness.process(0, order(2, 'ada'), 2);
    harness.processWatermark(10);
    expect(harness.output()).toEqual([
      ['ada', 1, undefined],
      ['ada', 2, true],
      ['ada', true],
    ]);
  });

  test('finds no keyed state, even where the types were got around', () => {
    const harness = twoInputHarnessOf((orders: DataStream<Order>, rules: DataStream<Rule>) =>
      orders
        .keyBy(({ user }) => user)
        .connect(rules.broadcast(rulesByUser))
        .process({
          state: { count: valueState<number>() },
          processElement: () => undefined,
          processBroadcast: (_rule, context) =>
            (context as unknown as { state: { count: { update(n: number): void } } }).state.count.update(1),
        }),
    );
    harness.process(0, order(1));
    expect(() => harness.process(1, { user: 'ada', allowed: true })).toThrow(expect.objectContaining({ code: 'SLUICE-NO-KEY' }));
  });
});
