/** Push sources in the whole engine: fed while the job runs, is killed, goes back and is restored at another parallelism; every message counts once. */
import { describe, expect, test } from 'vitest';
import { createPortJobControl } from '../../lib/api/port-job-control.ts';
import { createLocalConnectors } from '../../lib/adapters/connectors/local-connectors.ts';
import { createMemoryIntakeLog } from '../../lib/adapters/memory/intake-log.ts';
import { systemClock } from '../../lib/adapters/system/clock.ts';
import { silentLogger } from '../../lib/adapters/system/logger.ts';
import { systemRandom } from '../../lib/adapters/system/random.ts';
import { operatorUid } from '../../lib/base/ids.ts';
import { checkSavepointAt } from '../../lib/coordinator/check-intakes.ts';
import { trimIntakes } from '../../lib/coordinator/trim-intakes.ts';
import {
  boundedOutOfOrderness,
  collectSink,
  compileJob,
  defineJob,
  sourceFromHttp,
  sourceFromSqs,
  tumblingEventTime,
  valueState,
  type CompiledJob,
  type PushOptions,
  type Source,
} from '../../lib/index.ts';
import { closeIntake, createIntake, type TakeIn } from '../../lib/intake/take-in.ts';
import { takeMessages } from '../../lib/intake/take-messages.ts';
import { takeRequest } from '../../lib/intake/take-request.ts';
import type { Intake, IntakeDeps } from '../../lib/intake/wake-source.ts';
import { Choices } from '../runtime/chaos-random.ts';
import { until, useWorld, type Run } from '../scenarios/support.ts';

const world = useWorld();
const partitions = 4;
const dayMs = 86_400_000;
const keys = 5;

interface Order {
  readonly n: number;
  readonly at: number;
}

/** Per key how many there were and their sum, with each order; and windows over event time. */
function program(source: Source<Order>, parallelism: number): CompiledJob {
  const job = defineJob({
    name: 'orders',
    build(env) {
      const orders = env
        .fromSource(source, { watermarks: boundedOutOfOrderness(1_000_000, ({ at }: Order) => at, { idleness: 50 }) })
        .uid('orders')
        .setParallelism(parallelism)
        .keyBy(({ n }) => n % keys);
      orders
        .process({
          state: { seen: valueState<number>() },
          process({ n }, { state, emit }) {
            const seen = (state.seen.value() ?? 0) + 1;
            state.seen.update(seen);
            emit({ key: n % keys, n, seen });
          },
        })
        .uid('counted')
        .sinkTo(collectSink('counted'))
        .uid('out');
      orders
        .window(tumblingEventTime(100))
        .aggregate(
          { createAccumulator: () => 0, add: ({ n }: Order, sum: number) => sum + n, getResult: (sum) => sum },
          (sum, { window, key }) => ({ key, start: window.start, sum }),
        )
        .uid('windows')
        .sinkTo(collectSink('windows'))
        .uid('windows-out');
    },
  });
  return compileJob(job, { parallelism });
}

function intakeDeps({ running }: Run): readonly [IntakeDeps, Intake] {
  const { jobs, objects, queue: messages } = running.stores;
  const deps = { log: world.intakeLog, jobs, objects, messages, clock: systemClock, logger: silentLogger };
  return [deps, { job: running.job, uid: operatorUid('orders'), name: 'orders', partitions }];
}

const intakeOf = (run: Run): TakeIn => createIntake(...intakeDeps(run));
const close = (run: Run): Promise<void> => closeIntake(...intakeDeps(run));

const orderOf = (n: number): Order => ({ n, at: n * 3 });

function expectExact(count: number): void {
  const numbers = Array.from({ length: count }, (_, n) => n);
  const counted = world.collect.published('counted') as { key: number; n: number; seen: number }[];
  expect(counted.map(({ n }) => n).sort((a, b) => a - b)).toEqual(numbers);
  for (let key = 0; key < keys; key++) {
    const seen = counted.filter((each) => each.key === key).map((each) => each.seen);
    expect(
      seen.sort((a, b) => a - b),
      `key ${key}`,
    ).toEqual(seen.map((_, index) => index + 1));
  }
  const windows = world.collect.published('windows') as { key: number; start: number; sum: number }[];
  const expected = new Map<string, number>();
  for (const n of numbers) {
    const window = `${n % keys} ${Math.floor((n * 3) / 100) * 100}`;
    expected.set(window, (expected.get(window) ?? 0) + n);
  }
  expect(Object.fromEntries(windows.map(({ key, start, sum }) => [`${key} ${start}`, sum]))).toEqual(Object.fromEntries(expected));
  expect(windows).toHaveLength(expected.size);
}

/** Some are delivered more than once, as a queue does whose answer was lost. */
async function deliver(takeIn: TakeIn, from: number, to: number, choices: Choices): Promise<void> {
  for (let n = from; n < to;) {
    const batch = Math.min(to - n, 1 + choices.below(12));
    const fresh = Array.from({ length: batch }, (_, index) => n + index);
    const again = choices.chance(0.4) ? [choices.below(n + batch)] : [];
    const messages = [...fresh, ...again].map((each) => ({
      messageId: `message-${each}`,
      fifo: null,
      text: JSON.stringify(orderOf(each)),
    }));
    const failed = await takeMessages(takeIn, messages);
    expect(failed).toEqual([]);
    n += batch;
    if (choices.chance(0.2)) await takeMessages(takeIn, messages);
    if (choices.chance(0.1)) await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

async function untilCounted(count: number): Promise<void> {
  await until(async () => world.collect.published('counted').length >= count);
}

describe('a job that is fed through an intake', () => {
  test('counts every message once, though it goes back to checkpoints while they come', async () => {
    const choices = new Choices(7);
    const run = await world.start(program(sourceFromSqs<Order>('orders', { partitions }), 2));
    const takeIn = intakeOf(run);
    for (let part = 0; part < 4; part++) {
      await deliver(takeIn, part * 300, part * 300 + 200, choices);
      await untilCounted(1);
      const going = run.restore();
      await deliver(takeIn, part * 300 + 200, part * 300 + 300, choices);
      await going;
    }
    await untilCounted(1_200);
    await close(run);
    await run.finished();
    expectExact(1_200);
  });

  test('goes on where it was after its process ended, with what came meanwhile', async () => {
    const choices = new Choices(8);
    const compiled = program(sourceFromSqs<Order>('orders', { partitions }), 2);
    const options = { dataDir: 'data' };
    const first = await world.start(compiled, options);
    const takeIn = intakeOf(first);
    await deliver(takeIn, 0, 150, choices);
    await untilCounted(20);
    await first.close();
    // Nobody is there to be told: what is sent to the old process's queue is lost with it, the log is not.
    await deliver(takeIn, 150, 220, choices);
    const second = await world.start(compiled, options);
    await deliver(intakeOf(second), 220, 300, choices);
    await untilCounted(300);
    await close(second);
    await second.finished();
    expectExact(300);
  });

  test('goes on from a savepoint at another parallelism, and knows what came before it', async () => {
    const choices = new Choices(9);
    const source = sourceFromSqs<Order>('orders', { partitions });
    const first = await world.start(program(source, 2));
    await deliver(intakeOf(first), 0, 200, choices);
    await untilCounted(200);
    const savepoint = await first.stop('suspend');
    const second = await world.start(program(source, 3), { fromSavepoint: savepoint });
    await deliver(intakeOf(second), 100, 350, choices);
    await untilCounted(350);
    await close(second);
    await second.finished();
    expectExact(350);
  });

  test('that has stopped reads what was acknowledged meanwhile when it goes on: a stop closes no log', async () => {
    const source = sourceFromSqs<Order>('orders', { partitions });
    const first = await world.start(program(source, 1));
    await deliver(intakeOf(first), 0, 50, new Choices(3));
    await untilCounted(50);
    const [deps, intake] = intakeDeps(first);
    const before = await first.record();
    const savepoint = await first.stop('drain');
    const texts = [50, 51].map((n) => ({ messageId: `${n}`, fifo: null, text: JSON.stringify(orderOf(n)) }));
    expect(await takeMessages(createIntake(deps, intake), texts)).toEqual(['50', '51']);
    // This intake had read the job's record just before the stop was written to it.
    const late = createIntake({ ...deps, jobs: { read: async () => before } }, intake);
    expect(await takeMessages(late, texts)).toEqual([]);
    const second = await world.start(program(source, 2), { fromSavepoint: savepoint });
    await deliver(intakeOf(second), 52, 60, new Choices(4));
    await untilCounted(60);
    await close(second);
    await second.finished();
    const counted = world.collect.published('counted') as { n: number }[];
    expect(counted.map(({ n }) => n).sort((a, b) => a - b)).toEqual(Array.from({ length: 60 }, (_, n) => n));
  });

  test('by HTTP takes a batch once, however often it is sent', async () => {
    const run = await world.start(program(sourceFromHttp<Order>('orders', { partitions }), 1));
    const takeIn = intakeOf(run);
    const send = (batch: number) => {
      const orders = Array.from({ length: 20 }, (_, index) => orderOf(batch * 20 + index));
      const body = Buffer.from(batch % 2 === 0 ? JSON.stringify(orders) : orders.map((order) => JSON.stringify(order)).join('\n'));
      return takeRequest(takeIn, { body, contentType: undefined, idempotencyKey: `batch-${batch}` }, systemRandom);
    };
    for (let batch = 0; batch < 6; batch++) {
      expect(await send(batch)).toMatchObject({ status: 202, body: { taken: 20 } });
      if (batch % 2 === 0) await send(batch);
      if (batch > 2) await send(batch - 2);
    }
    await untilCounted(120);
    await close(run);
    await run.finished();
    expectExact(120);
  });

  test('sets aside what is no JSON, whole and visible, and goes on', async () => {
    const run = await world.start(program(sourceFromSqs<Order>('orders', { partitions }), 1));
    const takeIn = intakeOf(run);
    const texts = [JSON.stringify(orderOf(0)), '<order/>', JSON.stringify(orderOf(1)), ''];
    await takeMessages(takeIn, texts.map((text, index) => ({ messageId: `${index}`, fifo: { group: 'g', sequence: `${index}` }, text }))); // prettier-ignore
    await untilCounted(2);
    await close(run);
    const control = createPortJobControl({
      deps: run.running.engine.coordinator,
      savepointDirectory: null,
      checkpointLocation: (key) => key,
    });
    await run.running.ended;
    const letters = (await control.deadLetters(run.running.job))!;
    expect(letters.map(({ operator, record }) => ({ operator, record }))).toEqual([
      { operator: 'orders', record: '<order/>' },
      { operator: 'orders', record: '' },
    ]);
    await run.finished();
    expectExact(2);
  });

  test('keeps of its log what its checkpoints may want, and what is young', async () => {
    const trimmed = async (options: PushOptions): Promise<readonly [Run, number]> => {
      const run = await world.start(program(sourceFromSqs<Order>('orders', { partitions, ...options }), 2));
      const messages = Array.from({ length: 200 }, (_, n) => ({ messageId: `${n}`, fifo: null, text: JSON.stringify(orderOf(n)) }));
      for (let at = 0; at < 200; at += 10) await takeMessages(intakeOf(run), messages.slice(at, at + 10));
      await untilCounted(200);
      await run.settled();
      const deps = { ...run.running.engine.coordinator, intakeLog: world.intakeLog };
      return [run, await trimIntakes(deps, await run.record(), [])];
    };
    const [run, removed] = await trimmed({ keptMs: 0, duplicates: { withinMs: 0 } });
    expect(removed).toBeGreaterThan(partitions);
    await run.restore();
    const more = Array.from({ length: 50 }, (_, n) => ({ messageId: `${n}`, fifo: null, text: JSON.stringify(orderOf(200 + n)) }));
    await takeMessages(intakeOf(run), more);
    await untilCounted(250);
    await close(run);
    await run.finished();
    expectExact(250);
    world.emptySinks();
    world.forgetIntakes();
    expect((await trimmed({}))[1]).toBe(0);
  });

  test('cannot go back to a savepoint whose entries are gone, and says so before anything stops', async () => {
    const compiled = program(sourceFromSqs<Order>('orders', { partitions, keptMs: 0, duplicates: { withinMs: 0 } }), 1);
    const run = await world.start(compiled);
    const takeIn = intakeOf(run);
    const messages = Array.from({ length: 60 }, (_, n) => ({ messageId: `${n}`, fifo: null, text: JSON.stringify(orderOf(n)) }));
    for (let at = 0; at < 20; at += 2) await takeMessages(takeIn, messages.slice(at, at + 2));
    await untilCounted(20);
    const savepoint = await run.savepoint();
    const deps = { ...run.running.engine.coordinator, intakeLog: world.intakeLog };
    const check = () => checkSavepointAt(deps, savepoint, compiled.plan, { allowNonRestoredState: false, allowOtherJob: false });
    expect(await check()).toMatchObject({ ok: true, reasons: [] });
    for (let at = 20; at < 60; at += 2) await takeMessages(takeIn, messages.slice(at, at + 2));
    await untilCounted(60);
    await run.settled();
    await trimIntakes(deps, await run.record(), await deps.operations.list(run.running.job));
    const { ok, reasons } = await check();
    expect(ok).toBe(false);
    expect(new Set(reasons.map(({ code }) => code))).toEqual(new Set(['INTAKE_GONE']));
    expect(reasons[0]!.message).toContain('the log has it no longer');
    const other = { ...deps, intakeLog: createMemoryIntakeLog() };
    expect((await checkSavepointAt(other, savepoint, compiled.plan, { allowNonRestoredState: false, allowOtherJob: false })).ok).toBe(
      false,
    );
    await close(run);
    await run.finished();
  });

  test('can go back to a savepoint for as long as entries are kept, though they were old when it was taken', async () => {
    const compiled = program(sourceFromSqs<Order>('orders', { partitions }), 1);
    const run = await world.start(compiled);
    const [deps, intake] = intakeDeps(run);
    // The source is a month behind: four messages a day.
    const beganMs = Date.now() - 30 * dayMs;
    const takeOld = async (from: number, to: number) => {
      for (let n = from; n < to; n++) {
        const takeIn = createIntake({ ...deps, clock: { ...systemClock, now: () => beganMs + (n * dayMs) / 4 } }, intake);
        await takeMessages(takeIn, [{ messageId: `${n}`, fifo: null, text: JSON.stringify(orderOf(n)) }]);
      }
      await untilCounted(to);
    };
    await takeOld(0, 30);
    const savepoint = await run.savepoint();
    await takeOld(30, 70);
    await run.settled();
    const coordinator = { ...run.running.engine.coordinator, intakeLog: world.intakeLog };
    const operations = await coordinator.operations.list(run.running.job);
    const check = () => checkSavepointAt(coordinator, savepoint, compiled.plan, { allowNonRestoredState: false, allowOtherJob: false });
    expect(await trimIntakes(coordinator, await run.record(), operations)).toBeGreaterThan(5);
    expect(await check()).toMatchObject({ ok: true, reasons: [] });
    for (let partition = 0; partition < partitions; partition++) {
      const place = { intake: 'orders', partition: `00${partition}-of-${partitions}` };
      const entries = await world.intakeLog.read(place, 1, { recordsMax: 100 });
      // What its duplicates within a day are known by is there too: from the last entry before the savepoint on.
      const before = entries.filter(({ takenAtMs }) => takenAtMs < beganMs + 7.5 * dayMs);
      expect(before.at(-1)!.takenAtMs - before[0]!.takenAtMs).toBeLessThanOrEqual(dayMs);
    }
    const old = operations.map((operation) => ({ ...operation, changedAtMs: operation.changedAtMs - 8 * dayMs }));
    expect(await trimIntakes(coordinator, await run.record(), old)).toBeGreaterThan(5);
    expect(await check()).toMatchObject({ ok: false });
    await close(run);
    await run.finished();
  });

  test('that is idle sends nothing and stores nothing', async () => {
    const run = await world.start(program(sourceFromSqs<Order>('orders', { partitions }), 2));
    await deliver(intakeOf(run), 0, 30, new Choices(1));
    await untilCounted(30);
    await run.settled();
    await new Promise((resolve) => setTimeout(resolve, 400));
    const versions = async () =>
      Promise.all(
        [0, 1].map(
          async (shard) => (await run.running.stores.shards.read({ job: run.running.job, uid: operatorUid('orders'), shard }))!.version,
        ),
      );
    const before = await versions();
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect(await versions()).toEqual(before);
    await close(run);
  });
});

test('without an intake log a push source is refused', async () => {
  const { sources } = createLocalConnectors();
  const { connector } = sourceFromSqs('orders');
  await expect(sources['intake']!.splits(connector)).rejects.toMatchObject({ code: 'SLUICE-INTAKE-MISSING' });
  await expect(sources['intake']!.read(connector, '000-of-4', null, { recordsMax: 1 })).rejects.toMatchObject({
    code: 'SLUICE-INTAKE-MISSING',
  });
});
