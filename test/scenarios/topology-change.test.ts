import { expect, test } from 'vitest';
import { createFsSavepointFolders } from '../../lib/adapters/fs/savepoint-folder.ts';
import { decodeDescriptor } from '../../lib/checkpoint/manifest-codec.ts';
import { collectSink, compileJob, defineJob, operatorList, type, valueState, type CompiledJob, type DataStream } from '../../lib/index.ts';
import { checkSavepoint } from '../../lib/savepoint/check-savepoint.ts';
import { scenario } from './scenario.ts';
import { gatedInput, useWorld, type Run } from './support.ts';

/** Every operator adds what it knows: of the key, or of all that its subtask has seen. */
interface Item {
  readonly key: number;
  readonly sum?: number;
  readonly count?: number;
  readonly late?: number;
  readonly mark?: Seen;
  readonly lateMark?: Seen;
}

interface Seen {
  readonly subtask: number;
  readonly seen: number;
}

/** A part of the job, from a stream to a stream. */
type Part = (items: DataStream<Item>) => DataStream<Item>;

const keys = 30;
const perKey = 100;
const total = keys * perKey;
const input = gatedInput<Item>('items', [Array.from({ length: total }, (_, n) => ({ key: n % keys }))], 50);

const world = useWorld();

const sum: Part = (items) =>
  items
    .keyBy(({ key }) => key)
    .process({
      emits: type<Item>(),
      state: { sum: valueState<number>() },
      process(item, { key, state, emit }) {
        state.sum.update((state.sum.value() ?? 0) + key);
        emit({ ...item, sum: state.sum.value()! });
      },
    })
    .uid('sum');

const counted =
  (uid: 'count' | 'late'): Part =>
  (items) =>
    items
      .keyBy(({ key }) => key)
      .process({
        emits: type<Item>(),
        state: { count: valueState<number>() },
        process(item, { state, emit }) {
          state.count.update((state.count.value() ?? 0) + 1);
          emit({ ...item, [uid]: state.count.value() });
        },
      })
      .uid(uid);

/** Not keyed: it is chained to what comes before, unless it is told not to be. */
const marked =
  (uid: 'mark' | 'lateMark'): Part =>
  (items) =>
    items
      .process({
        emits: type<Item>(),
        operatorState: { seen: operatorList<number>() },
        process(item, { operatorState, subtask, emit }) {
          const seen = (operatorState.seen.items()[0] ?? 0) + 1;
          operatorState.seen.update([seen]);
          emit({ ...item, [uid]: { subtask, seen } });
        },
      })
      .uid(uid);

const count = counted('count');
const mark = marked('mark');
const stateless: Part = (items) => items.map((item) => ({ ...item })).filter(({ key }) => key >= 0);
const alone =
  (part: Part): Part =>
  (items) =>
    part(items).disableChaining();

function changing(...parts: readonly Part[]): CompiledJob {
  const job = defineJob({
    name: 'changing',
    build(env) {
      const items: DataStream<Item> = env.fromSource(input.source).uid('items');
      parts
        .reduce((stream, part) => part(stream), items)
        .sinkTo(collectSink('results'))
        .uid('results');
    },
  });
  return compileJob(job, { parallelism: 2 });
}

/** Half of the items have been worked off by the job as it was, and it has stopped. */
async function stoppedAtHalf(program: CompiledJob): Promise<string> {
  input.open(0);
  const run = await world.start(program);
  await run.twoCheckpoints([input], 0.5);
  await run.untilRead('items', total / 2);
  const savepoint = await run.stop('suspend');
  expect(results()).toHaveLength(total / 2);
  return savepoint;
}

async function finishAs(program: CompiledJob, fromSavepoint: string, allowNonRestoredState = false): Promise<Run> {
  const run = await world.start(program, { fromSavepoint, allowNonRestoredState });
  input.open(1);
  await run.finished();
  expect(results()).toHaveLength(total);
  return run;
}

const results = (): readonly Item[] => world.collect.published('results') as readonly Item[];
const upTo = (count: number, step = 1): readonly number[] => Array.from({ length: count }, (_, i) => (i + 1) * step);
const ascending = (numbers: readonly number[]): readonly number[] => numbers.toSorted((a, b) => a - b);

function expectKeyed(field: 'sum' | 'count' | 'late', seenOfKey: number): void {
  for (let key = 0; key < keys; key++) {
    const found = results().flatMap((item) => (item.key === key && item[field] !== undefined ? [item[field]] : []));
    expect(ascending(found)).toEqual(upTo(seenOfKey, field === 'sum' ? key : 1));
  }
}

function expectMarks(field: 'mark' | 'lateMark', seen: number): void {
  const found = results().flatMap((item) => (item[field] === undefined ? [] : [item[field]]));
  expect(found).toHaveLength(seen);
  for (const subtask of [0, 1]) {
    const own = found.filter((entry) => entry.subtask === subtask).map((entry) => entry.seen);
    expect(ascending(own)).toEqual(upTo(own.length));
  }
}

for (const [what, before, after] of [
  ['with its operators in another order', [sum, mark, count], [count, mark, sum]],
  ['with stateless operators between them', [sum, mark, count], [stateless, sum, stateless, mark, stateless, count, stateless]],
  ['without the stateless operators it had', [stateless, sum, stateless, mark, count], [sum, mark, count]],
  ['with its chains taken apart', [sum, mark, count], [alone(sum), alone(mark), alone(count)]],
  ['with its operators chained', [alone(sum), alone(mark), alone(count)], [sum, mark, count]],
  ['with an operator chained to another', [sum, mark, count], [sum, count, mark]],
  ['with an operator in a chain of its own, before the others', [sum, mark, count], [(items) => mark(items.rebalance()), sum, count]],
] as const satisfies readonly (readonly [string, readonly Part[], readonly Part[]])[])
  scenario(13, `a job goes on ${what}`, async () => {
    await finishAs(changing(...after), await stoppedAtHalf(changing(...before)));
    expectKeyed('sum', perKey);
    expectKeyed('count', perKey);
    expectMarks('mark', total);
  });

scenario(13, 'stateful operators that are new begin with nothing, and leave the others alone', async () => {
  const savepoint = await stoppedAtHalf(changing(sum, mark, count));
  await finishAs(changing(sum, marked('lateMark'), counted('late'), mark, count), savepoint);
  expectKeyed('sum', perKey);
  expectKeyed('count', perKey);
  expectMarks('mark', total);
  expectKeyed('late', perKey / 2);
  expectMarks('lateMark', total / 2);
});

for (const [gone, rest] of [
  ['count', [sum, mark]],
  ['mark', [sum, count]],
] as const)
  scenario(13, `without ${gone}, whose state would be lost, the restore is refused unless that is wanted`, async () => {
    const savepoint = await stoppedAtHalf(changing(sum, mark, count));
    const program = changing(...rest);
    await expect(finishAs(program, savepoint)).rejects.toMatchObject({
      code: 'SLUICE-REFUSED',
      message: expect.stringContaining(`the snapshot has state of operator ${gone}, which this job does not have`) as string,
    });
    // Both the preview and what the shards start from say what is dropped.
    const preview = await checkSavepoint(createFsSavepointFolders().at(savepoint), program.plan, {
      allowNonRestoredState: true,
      allowOtherJob: false,
    });
    expect(preview).toMatchObject({ ok: true, dropped: [gone] });
    const { running } = await finishAs(program, savepoint, true);
    const { descriptor } = await running.ended;
    const bytes = await running.stores.objects.read(descriptor!);
    expect(decodeDescriptor(bytes!, descriptor!).dropped).toEqual([gone]);
    expectKeyed('sum', perKey);
  });

test('scenario 13, topology-change: operators without a uid are refused before they can be mixed up', () => {
  const nameless: Part = (items) => items.keyBy(({ key }) => key).reduce((_, item) => item);
  expect(() => changing(nameless, sum)).toThrow(
    expect.objectContaining({ code: 'SLUICE-GRAPH-INVALID', message: expect.stringContaining('uid') as string }),
  );
});
