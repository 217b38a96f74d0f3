import { expect, test } from 'vitest';
import { collectSink, compileJob, defineJob, mapState, type, type CompiledJob } from '../../lib/index.ts';
import type { EntryMapStateDescriptor } from '../../lib/state/descriptors.ts';
import { operatorUid } from '../../lib/base/ids.ts';
import type { RunningJob } from '../../lib/local/run-job.ts';
import { setLimits } from '../runtime/small-limits.ts';
import { gatedInput, until, useWorld } from './support.ts';

interface Step {
  readonly key: string;
  readonly entry: string;
  readonly number: number;
  /** `clear` empties the map first; `list` shows all of it. */
  readonly what: 'put' | 'remove' | 'clear' | 'list';
}

interface Shown {
  readonly number: number;
  readonly had: number | null;
  readonly all: readonly (readonly [string, number])[] | null;
}

const count = 4_000;

function whatOf(number: number): Step['what'] {
  // Cleared in the second quarter only: by then the base has what the first has written, and the map is not in memory.
  if (number >= count / 4 && number < count / 4 + 8) return 'clear';
  if (number % 251 === 0) return 'list';
  return number % 7 === 0 ? 'remove' : 'put';
}

const steps: readonly Step[] = Array.from({ length: count }, (_, number) => ({
  key: `k${number % 11}`,
  entry: `e${(number * 13) % 97}`,
  number,
  what: whatOf(number),
}));

/** What a plain map per key would show. */
function expected(): Shown[] {
  const maps = new Map<string, Map<string, number>>();
  return steps.map(({ key, entry, number, what }) => {
    const map = maps.get(key) ?? new Map<string, number>();
    maps.set(key, map);
    const had = map.get(entry) ?? null;
    const all = what === 'list' ? sorted([...map]) : null;
    if (what === 'clear') map.clear();
    if (what === 'remove') map.delete(entry);
    else map.set(entry, number);
    return { number, had, all };
  });
}

function sorted(entries: readonly (readonly [string, number])[]): readonly (readonly [string, number])[] {
  return entries.toSorted(([a], [b]) => (a < b ? -1 : 1));
}

const input = gatedInput('steps', [steps]);
const world = useWorld();

function maps(load: 'whole' | 'by-entry', parallelism: number, { source } = input): CompiledJob {
  // The type is that of the stricter one.
  const map = load === 'by-entry' ? mapState<string, number>({ load }) : (mapState() as EntryMapStateDescriptor<string, number>);
  const job = defineJob({
    name: 'maps',
    build(env) {
      env
        .fromSource(source)
        .uid('steps')
        .keyBy(({ key }) => key)
        .process({
          emits: type<Shown>(),
          state: { map },
          entries: { process: ({ what, entry }) => ({ map: what === 'list' ? 'all' : [entry] }) },
          process({ entry, number, what }, { state, emit }) {
            emit({ number, had: state.map.get(entry) ?? null, all: what === 'list' ? sorted(state.map.entries()) : null });
            if (what === 'clear') state.map.clear();
            if (what === 'remove') state.map.remove(entry);
            else state.map.put(entry, number);
          },
        })
        .uid('maps')
        .sinkTo(collectSink('shown'))
        .uid('results');
    },
  });
  return compileJob(job, { parallelism, maxParallelism: 16 });
}

const shown = (): readonly Shown[] => world.collect.published('shown') as readonly Shown[];

test('rescale-entry-maps: maps go on from savepoint to savepoint at any parallelism, loaded by entry or whole, and cleared in between', async () => {
  const seen: Shown[] = [];
  let savepoint: string | undefined;
  const stages = [
    ['by-entry', 2],
    ['by-entry', 4],
    ['whole', 3],
    ['by-entry', 1],
  ] as const;
  for (const [stage, [load, parallelism]] of stages.entries()) {
    input.open(stage / 4);
    const run = await world.start(maps(load, parallelism), savepoint === undefined ? {} : { fromSavepoint: savepoint });
    input.open((stage + 1) / 4 + Number.EPSILON);
    if (stage === stages.length - 1) await run.finished();
    else {
      await until(async () => shown().length === count / 4);
      savepoint = await run.stop('suspend');
    }
    seen.push(...shown());
    world.emptySinks();
  }
  expect(seen.toSorted((a, b) => a.number - b.number)).toEqual(expected());
});

test('rescale-entry-maps: what a clear leaves in the base is swept, also when neither records nor checkpoints come', async () => {
  setLimits({ mapSweepRows: 200 });
  const size = 1_500;
  const one = Array.from({ length: size + 2 }, (_, number): Step => ({
    key: 'one',
    entry: `e${number}`,
    number,
    what: number === size ? 'clear' : 'put',
  }));
  const quiet = gatedInput('quiet', [one]);
  const share = (records: number): number => records / one.length + Number.EPSILON;
  const uid = operatorUid('maps');
  const version = async ({ stores, job }: RunningJob): Promise<number> => (await stores.shards.read({ job, uid, shard: 0 }))?.version ?? 0;
  const rows = async ({ stores, job }: RunningJob): Promise<readonly (readonly [string, string])[]> => {
    const found = await stores.base.scan(job, { operator: uid, keyGroups: { start: 0, end: 15 }, after: null, rowsMax: 10_000 });
    return found.rows.map(({ namespace, value }) => [namespace, value]);
  };
  quiet.open(share(size));
  const first = await world.start(maps('by-entry', 1, quiet));
  await until(async () => shown().length === size);
  const second = await world.start(maps('by-entry', 1, quiet), { fromSavepoint: await first.stop('suspend'), intervalMs: 3_600_000 });
  await until(async () => (await version(second.running)) > 0);
  expect(await rows(second.running)).toHaveLength(size);
  const before = await version(second.running);
  quiet.open(share(size + 1));
  await until(async () => (await version(second.running)) > before + size / 200);
  const third = await world.start(maps('by-entry', 1, quiet), { fromSavepoint: await second.stop('suspend') });
  expect(await rows(third.running)).toEqual([
    ['', '{"generation":1,"swept":true}'],
    [`#1|"e${size}"`, String(size)],
  ]);
  quiet.open(1);
  await third.finished();
});
