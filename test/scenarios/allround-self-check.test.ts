import { expect } from 'vitest';
import { allround, type Numbered } from './allround-job.ts';
import { scenario } from './scenario.ts';
import { gatedInput, useWorld, type GatedInput } from './support.ts';

const keys = 12;
const perKey = 300;

const world = useWorld();

/** In two splits, each with its own keys. */
function inputsOf(skip?: Numbered): { readonly numbers: GatedInput<Numbered>; readonly rules: GatedInput<number> } {
  const splits = [0, 1].map((split) =>
    Array.from({ length: (keys / 2) * perKey }, (_, n): Numbered => ({
      key: 2 * (n % (keys / 2)) + split,
      number: Math.floor(n / (keys / 2)) + 1,
    })),
  );
  const kept = splits.map((split) => split.filter(({ key, number }) => key !== skip?.key || number !== skip.number));
  return { numbers: gatedInput('numbers', kept, 75), rules: gatedInput('rules', [[1, 2, 3]]) };
}

const checked = (): readonly Numbered[] => world.collect.published('checked') as readonly Numbered[];

scenario(24, 'five times stopped and gone on with at another parallelism, no state, timer or window is ever wrong', async (mode) => {
  const { numbers, rules } = inputsOf();
  rules.open(1);
  const parallelisms = [2, 3, 1, 4, 2, 3];
  let fromSavepoint: string | undefined;
  for (const [index, parallelism] of parallelisms.entries()) {
    const run = await world.start(allround({ numbers: numbers.source, rules: rules.source }, parallelism), {
      ...(fromSavepoint === undefined ? {} : { fromSavepoint }),
    });
    const from = index / parallelisms.length;
    const to = (index + 1) / parallelisms.length;
    await run.checkpointAfter(() => numbers.open((from + to) / 2));
    // At-least-once a restore may count twice, and a stop may not: behind its barrier nothing comes.
    if (mode !== 'at-least-once' && index % 2 === 1) await run.restore();
    numbers.open(to);
    if (index < parallelisms.length - 1) fromSavepoint = await run.stop('suspend');
    else await run.finished();
  }
  world.expectOvertaken(mode);
  expect(world.collect.published('alerts')).toEqual([]);
  const order = (a: Numbered, b: Numbered): number => a.key - b.key || a.number - b.number;
  expect(checked().toSorted(order)).toEqual(
    Array.from({ length: keys }, (_, key) => Array.from({ length: perKey }, (__, i) => ({ key, number: i + 1 }))).flat(),
  );
});

scenario(24, 'a record that is missing in the input is noticed by every check', async () => {
  const { numbers, rules } = inputsOf({ key: 3, number: 110 });
  rules.open(1);
  const run = await world.start(allround({ numbers: numbers.source, rules: rules.source }, 2));
  numbers.open(1);
  await run.finished();
  const alerts = world.collect.published('alerts').map(String);
  for (const what of ['value', 'expiring value', 'list', 'map', 'reducing', 'aggregating']) {
    expect(alerts.some((alert) => alert.startsWith(`${what} of key 3 at 1`))).toBe(true);
  }
  for (const kind of ['tumbling', 'sliding', 'session']) expect(alerts.some((alert) => alert.startsWith(`${kind} window`))).toBe(true);
  expect(alerts.filter((alert) => !alert.includes('key 3'))).toEqual([]);
});
