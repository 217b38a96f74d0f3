/**
 * Maps that are loaded by entry in the real runtime, with crashes, zombies and restores at other parallelism, at some of which they are loaded whole. The
 * function keeps the same content in a value state, which is committed with them, and compares.
 */
import { expect, test } from 'vitest';
import {
  boundedOutOfOrderness,
  collectSink,
  compileJob,
  type CompiledJob,
  defineJob,
  fromCollection,
  mapState,
  parameter,
  type,
  valueState,
} from '../../lib/index.ts';
import type { EntryMapStateDescriptor } from '../../lib/state/descriptors.ts';
import { ChaosWorld } from '../runtime/chaos-world.ts';
import { setLimits, smallLimits } from '../runtime/small-limits.ts';

interface Click {
  readonly key: string;
  readonly at: number;
  readonly value: number;
}

type Content = Readonly<Record<string, number>>;

const clicks: Click[] = Array.from({ length: 240 }, (_, i) => ({
  key: `k${(i * 5) % 4}`,
  at: 1_000 + i * 8 - ((i * 7) % 5) * 8,
  value: i,
}));
const keys = ['k0', 'k1', 'k2', 'k3'];

const entryOf = ({ value }: Click): string => `e${(value >> 2) % 9}`;
const timerEntry = (timestamp: number): string => `e${timestamp % 9}`;

const job = defineJob({
  name: 'entry-maps-under-faults',
  parameters: { load: parameter.choice(['whole', 'by-entry'], { default: 'by-entry', description: 'how the map is loaded' }) },
  build(env, { load }) {
    const watermarks = boundedOutOfOrderness(100, (click: Click) => click.at);
    env
      .fromSource(fromCollection(clicks, { splits: 2 }), { watermarks })
      .uid('clicks')
      .keyBy(({ key }) => key)
      .process({
        emits: type<unknown>(),
        state: { content: valueState<Content>(), map: entryMap(load) },
        entries: {
          process: (click) => ({ map: click.value % 11 === 0 ? 'all' : [entryOf(click)] }),
          onTimer: ({ timestamp }) => ({ map: timestamp >= lastTimer ? 'all' : [timerEntry(timestamp)] }),
        },
        process(click, { key, state, timers, emit }) {
          const entry = entryOf(click);
          const content = state.content.value() ?? {};
          if (state.map.get(entry) !== content[entry]) emit({ key, entry, got: state.map.get(entry), had: content[entry] });
          if (click.value % 11 === 0 && !isSame(state.map.entries(), content)) emit({ key, got: state.map.entries(), had: content });
          const { [entry]: _gone, ...others } = content;
          if (click.value % 13 === 0) {
            state.map.clear();
            state.content.update({});
          } else if (click.value % 5 === 0) {
            state.map.remove(entry);
            state.content.update(others);
          } else {
            state.map.put(entry, click.value);
            state.content.update({ ...content, [entry]: click.value });
          }
          timers.registerEventTime(click.at + 20);
          timers.registerEventTime(lastTimer);
        },
        onTimer({ timestamp }, { key, state, timers, emit }) {
          const content = state.content.value() ?? {};
          if (timestamp === lastTimer) {
            emit({ key, same: isSame(state.map.entries(), content) });
            state.map.clear();
            state.content.clear();
            state.map.put('last', 1);
            timers.registerEventTime(lastTimer + 1);
          } else if (timestamp > lastTimer) {
            emit({ key, last: state.map.entries() });
          } else if (state.map.get(timerEntry(timestamp)) !== content[timerEntry(timestamp)]) {
            emit({ key, timestamp, got: state.map.get(timerEntry(timestamp)), had: content });
          }
        },
      })
      .uid('compared')
      .sinkTo(collectSink('compared'))
      .uid('sink');
  },
});

const lastTimer = 10_000;

/** The type is that of the stricter one. */
function entryMap(load: 'whole' | 'by-entry'): EntryMapStateDescriptor<string, number> {
  return load === 'by-entry' ? mapState({ load }) : (mapState() as EntryMapStateDescriptor<string, number>);
}

function isSame(entries: readonly (readonly [string, number])[], content: Content): boolean {
  const sorted = (pairs: readonly (readonly [string, number])[]): string => JSON.stringify(pairs.toSorted(([a], [b]) => (a < b ? -1 : 1)));
  return sorted(entries) === sorted(Object.entries(content));
}

/** Loaded whole at parallelism 2. */
function compile(parallelism: number): CompiledJob {
  const compiled = compileJob(job, { parallelism, parameters: { load: parallelism === 2 ? 'whole' : 'by-entry' } });
  const edges = compiled.plan.edges.map((edge) => ({ ...edge, envelopeBytes: 80 }));
  return { ...compiled, plan: { ...compiled.plan, edges }, planHash: `p${parallelism}` };
}

test.each(Array.from({ length: Number(process.env['CHAOS_SEEDS'] ?? 8) }, (_, i) => i + 1))(
  'a map that is loaded by entry holds under faults what a value state holds (seed %i)',
  async (seed) => {
    if (seed % 2 === 0) setLimits(smallLimits);
    const { published, problems } = await new ChaosWorld({ seed, compile }).run();
    expect(problems).toEqual([]);
    const lines = published('compared').map((value) => JSON.stringify(value));
    const expected = keys.flatMap((key) => [
      { key, same: true },
      { key, last: [['last', 1]] },
    ]);
    expect(lines.sort()).toEqual(expected.map((value) => JSON.stringify(value)).sort());
  },
);
