/**
 * Restored is uninterrupted: from every completed checkpoint, in place, and from every savepoint, as another job, at every parallelism from 1 to 8, a job comes
 * to the same end: the same records are visible, and the same keyed state is in its last checkpoint.
 */
import { expect, test } from 'vitest';
import { canonicalJson } from '../../lib/base/canonical-json.ts';
import { parseJson } from '../../lib/base/parse-json.ts';
import { RestorableRun, type Ending, type RestorableOptions } from './restorable-run.ts';
import { topologyNamed } from './run-topology.ts';

const runs: readonly RestorableOptions[] = [
  { topology: 'keyed', mode: 'aligned', parallelism: 3, seed: 1 },
  { topology: 'window', mode: 'aligned', parallelism: 3, seed: 4 },
  { topology: 'keyed', mode: 'unaligned', parallelism: 4, seed: 2 },
  { topology: 'two-inputs', mode: 'unaligned', parallelism: 3, seed: 7 },
  { topology: 'exchanges', mode: 'aligned', parallelism: 2, seed: 3 },
];
/** `SIM_RESTORES=more`: there is no time for these in every run. */
const more: readonly RestorableOptions[] = [
  { topology: 'two-inputs', mode: 'aligned', parallelism: 2, seed: 5 },
  { topology: 'window', mode: 'unaligned', parallelism: 2, seed: 6 },
  { topology: 'broadcast', mode: 'unaligned', parallelism: 3, seed: 8 },
  { topology: 'two-phase-sink', mode: 'unaligned', parallelism: 3, seed: 9 },
];

const parallelisms = [1, 2, 3, 4, 5, 6, 7, 8];
/** A restore point and a parallelism each. */
const pairs = { checkpoints: 0, savepoints: 0, withRecordsInFlight: 0 };

/** Computed without the engine. */
function visibleAtTheEnd({ topology }: RestorableOptions): Ending['visible'] {
  const sinks = Object.entries(topologyNamed(topology).expected);
  return Object.fromEntries(sinks.map(([sink, lines]) => [`${sink}-sink`, lines.map((line) => canonicalJson(parseJson(line))).sort()]));
}

async function atTheMoment(options: RestorableOptions): Promise<RestorableRun> {
  const run = await RestorableRun.begin(options);
  await run.toTheMoment();
  return run;
}

test.each([...runs, ...(process.env['SIM_RESTORES'] === 'more' ? more : [])])(
  'every restore of $topology, $mode, ends like the run without one',
  { timeout: 120_000 },
  async (options) => {
    const uninterrupted = await atTheMoment(options);
    const { retained, counts } = await uninterrupted.record();
    const { savepoints } = uninterrupted;
    // All that were ever completed, beside the savepoints.
    expect(retained.length).toBe(counts.completed - savepoints.length);
    const inFlight = await Promise.all(retained.map(({ id }) => uninterrupted.inFlightAt(id)));
    const ending = await uninterrupted.finish();
    expect(ending.visible).toEqual(visibleAtTheEnd(options));
    for (const [index, { id }] of retained.entries()) {
      for (const parallelism of parallelisms) {
        const run = await atTheMoment(options);
        expect(await run.finishFromCheckpoint(id, parallelism), `checkpoint ${id}, parallelism ${parallelism}`).toEqual(ending);
        pairs.checkpoints++;
        if (inFlight[index]! > 0) pairs.withRecordsInFlight++;
      }
    }
    const run = await atTheMoment(options);
    for (const savepoint of run.savepoints) {
      for (const parallelism of parallelisms) {
        const found = await run.finishFromSavepoint(savepoint, parallelism);
        expect(found, `${savepoint.location}, parallelism ${parallelism}`).toEqual(ending);
        pairs.savepoints++;
      }
    }
  },
);

test('these were 200 restores at least, of both kinds, also with records in flight', () => {
  expect(pairs.checkpoints + pairs.savepoints).toBeGreaterThanOrEqual(200);
  expect(Math.min(pairs.checkpoints, pairs.savepoints)).toBeGreaterThanOrEqual(80);
  expect(pairs.withRecordsInFlight).toBeGreaterThanOrEqual(40);
});
