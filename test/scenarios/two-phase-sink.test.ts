/** Scenario 16: four sources of rising numbers, three sink shards, and faults between preparing a part, committing it, and saying so. */
import { expect } from 'vitest';
import { collectSink, compileJob, defineJob, type CompiledJob } from '../../lib/index.ts';
import { exactlyOnce, scenario, scenarioIn, type Mode } from './scenario.ts';
import { gatedInput, until, useWorld, type GatedInput, type Run } from './support.ts';

const sources = 4;
const perSource = 10_000;
const world = useWorld();

function numbers(): GatedInput<number> {
  const splits = Array.from({ length: sources }, (_, source) => Array.from({ length: perSource }, (_unused, n) => source * perSource + n));
  return gatedInput('two-phase', splits, 500);
}

function toThreeSinks({ source }: GatedInput<number>): CompiledJob {
  const job = defineJob({
    name: 'two-phase',
    build: (env) =>
      void env
        .fromSource(source)
        .uid('numbers')
        .setParallelism(sources)
        .rebalance()
        .sinkTo(collectSink('all'))
        .uid('all')
        .setParallelism(3),
  });
  return compileJob(job);
}

const shown = (): readonly number[] => world.collect.published('all') as readonly number[];

function expectEachOnce(): void {
  expect(shown().toSorted((a, b) => a - b)).toEqual(Array.from({ length: sources * perSource }, (_, n) => n));
}

interface Watched {
  readonly run: Run;
  readonly input: GatedInput<number>;
  /** Once each, at the next call. */
  readonly arm: (faults: { readonly staged?: () => void; readonly committed?: () => void }) => void;
  /** What was committed although its checkpoint was not complete. */
  readonly tooEarly: readonly string[];
  /** Commits by part. */
  readonly commits: ReadonlyMap<string, number>;
}

async function watched(): Promise<Watched> {
  const input = numbers();
  const { collect } = world;
  const { stage, publish } = collect;
  let armed: Parameters<Watched['arm']>[0] = {};
  const tooEarly: string[] = [];
  const commits = new Map<string, number>();
  const strike = (which: keyof typeof armed): void => {
    const { [which]: deed, ...rest } = armed;
    armed = rest;
    deed?.();
  };
  collect.stage = async (...args) => {
    const part = await stage(...args);
    strike('staged');
    return part;
  };
  collect.publish = async (spec, part, by) => {
    if ((await run.record()).completed < part.checkpoint) tooEarly.push(part.target);
    const outcome = await publish(spec, part, by);
    commits.set(part.target, (commits.get(part.target) ?? 0) + 1);
    strike('committed');
    return outcome;
  };
  const run = await world.start(toThreeSinks(input));
  await run.twoCheckpoints([input], 0.4);
  return { run, input, arm: (faults) => (armed = faults), tooEarly, commits };
}

/** Dies once, right behind the one or the other, and the job comes to its end all the same. */
async function survivesDeathBehind(mode: Mode, what: 'staged' | 'committed'): Promise<Watched> {
  const watch = await watched();
  const { run, input, arm, tooEarly } = watch;
  let died = false;
  const die = (): never => {
    died = true;
    throw new Error('dies here, this once');
  };
  arm({ [what]: die });
  input.open(0.7);
  await until(async () => died);
  input.open(1);
  await run.finished();
  world.expectOvertaken(mode);
  expect(tooEarly).toEqual([]);
  expectEachOnce();
  return watch;
}

scenario(
  16,
  'a shard that dies between preparing a part and committing its work does both again, and the number is visible once',
  async (mode) => {
    await survivesDeathBehind(mode, 'staged');
    expect(world.collect.staged('all')).toEqual([]);
  },
);

scenario(16, 'a commit whose answer is lost is repeated, and the part is visible once', async (mode) => {
  const { commits } = await survivesDeathBehind(mode, 'committed');
  expect([...commits.values()].some((times) => times > 1)).toBe(true);
});

/** The job goes back to its newest checkpoint when a part of the next one has been prepared. */
async function restoredBetween(mode: Mode): Promise<void> {
  const { run, input, arm, tooEarly } = await watched();
  let restored: Promise<void> | undefined;
  arm({ staged: () => void (restored = run.restore()) });
  input.open(0.7);
  await until(async () => restored !== undefined);
  await restored;
  input.open(1);
  await run.finished();
  world.expectOvertaken(mode);
  expect(tooEarly).toEqual([]);
}

scenarioIn(exactlyOnce, 16, 'what was prepared for a checkpoint that never completed is never visible', async (mode) => {
  await restoredBetween(mode);
  expectEachOnce();
});

scenarioIn(
  ['at-least-once'],
  16,
  'after a restore nothing is missing, and only what came between two barriers may be there twice',
  async (mode) => {
    await restoredBetween(mode);
    expect(new Set(shown()).size).toBe(sources * perSource);
  },
);
