import { expect } from 'vitest';
import { collectSink, compileJob, defineJob, monotonousTimestamps, type, type CompiledJob } from '../../lib/index.ts';
import { scenario } from './scenario.ts';
import { Fault, gatedInput, useWorld, type GatedInput, type Run } from './support.ts';

interface Step {
  readonly does: 'register' | 'delete' | 'advance';
  readonly key: number;
  readonly time: number;
}

interface Fired {
  readonly key: number;
  readonly time: number;
}

const keys = 200;
const ofSplit = (split: number): readonly number[] => Array.from({ length: keys / 2 }, (_, i) => 2 * i + split);
/** Half of it registers, up to time 200. What comes then deletes every even key's later timer, and moves event time past all timers. */
const splits = [0, 1].map((split): readonly Step[] => [
  ...ofSplit(split).map((key) => ({ does: 'register', key, time: key }) as const),
  ...ofSplit(split).map((key) => ({ does: 'delete', key, time: keys + key }) as const),
  { does: 'advance', key: split, time: 10_000 },
]);

const world = useWorld();
const fault = new Fault();

function timers({ source }: GatedInput<Step>, parallelism: number): CompiledJob {
  const job = defineJob({
    name: 'timers',
    build(env) {
      env
        .fromSource(source, { watermarks: monotonousTimestamps(({ time }) => time) })
        .uid('steps')
        .setParallelism(2)
        .keyBy(({ key }) => key)
        .process({
          emits: type<Fired>(),
          process({ does, key }, { timers: { registerEventTime, deleteEventTime } }) {
            if (does === 'register') {
              for (const time of [key + 1_000, key + 1_000, key + 500, key + 2_000]) registerEventTime(time);
              deleteEventTime(key + 500);
            }
            if (does === 'delete' && key % 2 === 0) deleteEventTime(key + 2_000);
          },
          onTimer({ timestamp }, { key, emit }) {
            if (key === 77) fault.meet();
            emit({ key, time: timestamp });
          },
        })
        .uid('timers')
        .sinkTo(collectSink('fired'))
        .uid('fired');
    },
  });
  return compileJob(job, { parallelism });
}

const kills = [
  'a batch that fires',
  'a restore',
  'the end of the process',
  'a savepoint, to three subtasks',
  'a savepoint, to one subtask',
] as const;

type Kill = (typeof kills)[number];

/** What happens when all timers are registered, and none has fired. */
async function survive(kill: Kill, run: Run, input: GatedInput<Step>): Promise<Run> {
  switch (kill) {
    case 'a batch that fires':
      fault.arm(() => {
        throw new Error('the timer failed, this once');
      });
      return run;
    case 'a restore':
      await run.restore();
      return run;
    case 'the end of the process':
      await run.close();
      return world.start(timers(input, 2), { dataDir: 'first' });
    case 'a savepoint, to three subtasks':
      return world.start(timers(input, 3), { dataDir: 'second', fromSavepoint: await run.stop('suspend') });
    case 'a savepoint, to one subtask':
      return world.start(timers(input, 1), { dataDir: 'second', fromSavepoint: await run.stop('suspend') });
  }
}

async function expectEveryTimerOnce(kill: Kill): Promise<void> {
  const input = gatedInput('steps', splits, 10);
  const before = await world.start(timers(input, 2), { dataDir: 'first' });
  await before.twoCheckpoints([input], 0.5);
  await before.settled();
  expect(world.collect.published('fired')).toEqual([]);
  const run = await survive(kill, before, input);
  input.open(1);
  await run.finished();
  if (kill === 'a batch that fires') expect([fault.struck, fault.met > 1]).toEqual([1, true]);

  const fired = world.collect.published('fired') as readonly Fired[];
  const expected = Array.from({ length: keys }, (_, key) => [
    { key, time: key + 1_000 },
    ...(key % 2 === 0 ? [] : [{ key, time: key + 2_000 }]),
  ]).flat();
  expect(fired.toSorted((a, b) => a.key - b.key || a.time - b.time)).toEqual(expected);
}

for (const kill of kills) {
  scenario(5, `between registration and watermark comes ${kill}, and every timer fires once`, () => expectEveryTimerOnce(kill));
}
