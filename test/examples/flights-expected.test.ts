import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { computeExpected } from '../../examples/flights/expected-compute.ts';
import { compareLines, expectedFlights, runExpected } from '../../examples/flights/expected.ts';

interface Flight {
  readonly at: string;
  readonly delay?: number;
  readonly origin?: string;
  readonly destination?: string;
}

interface Season {
  readonly route: string;
  readonly first: string;
  readonly last: string;
  readonly flights: number;
  readonly longestGapMinutes: number;
}

const script = fileURLToPath(new URL('../../examples/flights/expected.ts', import.meta.url));
const flightsFile = fileURLToPath(new URL('../../node_modules/vega-datasets/data/flights-3m.parquet', import.meta.url));

async function compute(...flights: Flight[]) {
  const batch = {
    at: Float64Array.from(flights, ({ at }) => Date.parse(at)),
    delay: Float64Array.from(flights, ({ delay = 0 }) => delay),
    origin: flights.map(({ origin = 'ATL' }) => origin),
    destination: flights.map(({ destination = 'SAV' }) => destination),
  };
  return computeExpected([batch]);
}

async function seasonsOf(...times: string[]): Promise<Season[]> {
  const { seasons } = await compute(...times.map((at) => ({ at })));
  return seasons.map((line) => JSON.parse(line) as Season);
}

describe('seasons', () => {
  test('a silence of exactly seven days does not end a season', async () => {
    expect(await seasonsOf('2001-01-01T00:00:00Z', '2001-01-08T00:00:00Z')).toEqual([
      { route: 'ATL-SAV', first: '2001-01-01T00:00:00.000Z', last: '2001-01-08T00:00:00.000Z', flights: 2, longestGapMinutes: 10_080 },
    ]);
  });

  test('a silence of seven days and a millisecond ends a season', async () => {
    expect(await seasonsOf('2001-01-01T00:00:00Z', '2001-01-08T00:00:00.001Z')).toEqual([
      { route: 'ATL-SAV', first: '2001-01-01T00:00:00.000Z', last: '2001-01-01T00:00:00.000Z', flights: 1, longestGapMinutes: 0 },
      { route: 'ATL-SAV', first: '2001-01-08T00:00:00.001Z', last: '2001-01-08T00:00:00.001Z', flights: 1, longestGapMinutes: 0 },
    ]);
  });

  test('flights at equal times count one by one and leave no gap', async () => {
    const [season, ...others] = await seasonsOf('2001-01-01T05:00:00Z', '2001-01-01T05:00:00Z', '2001-01-01T05:00:00Z');
    expect(others).toEqual([]);
    expect(season).toMatchObject({ flights: 3, longestGapMinutes: 0, first: season?.last });
  });

  test('the longest gap belongs to its season, and its fractions of a minute are kept', async () => {
    const seasons = await seasonsOf(
      ...['2001-01-01T00:00:00Z', '2001-01-01T00:01:30Z', '2001-01-01T00:02:00Z'],
      ...['2001-02-01T00:00:00Z', '2001-02-01T00:00:20Z'],
    );
    expect(seasons.map((season) => season.longestGapMinutes)).toEqual([1.5, 1 / 3]);
  });

  test('the two directions of a route are two routes', async () => {
    const { seasons } = await compute(
      { at: '2001-01-01T00:00:00Z' },
      { at: '2001-01-02T00:00:00Z', origin: 'SAV', destination: 'ATL' },
      { at: '2001-01-03T00:00:00Z' },
    );
    expect(seasons).toEqual([
      '{"route":"ATL-SAV","first":"2001-01-01T00:00:00.000Z","last":"2001-01-03T00:00:00.000Z","flights":2,"longestGapMinutes":2880}',
      '{"route":"SAV-ATL","first":"2001-01-02T00:00:00.000Z","last":"2001-01-02T00:00:00.000Z","flights":1,"longestGapMinutes":0}',
    ]);
  });
});

describe('daily', () => {
  test('a day holds its first millisecond and not the next midnight', async () => {
    const { daily } = await compute(
      { at: '2001-01-01T23:59:59.999Z', delay: 1 },
      { at: '2001-01-02T00:00:00.000Z', delay: 10 },
      { at: '2001-01-02T23:59:59.999Z', delay: 100 },
      { at: '2001-01-03T00:00:00.000Z', delay: 1000 },
    );
    expect(daily).toEqual([
      '{"origin":"ATL","windowStart":"2001-01-01T00:00:00.000Z","windowEnd":"2001-01-02T00:00:00.000Z","flights":1,"delaySum":1,"delayMax":1}',
      '{"origin":"ATL","windowStart":"2001-01-02T00:00:00.000Z","windowEnd":"2001-01-03T00:00:00.000Z","flights":2,"delaySum":110,"delayMax":100}',
      '{"origin":"ATL","windowStart":"2001-01-03T00:00:00.000Z","windowEnd":"2001-01-04T00:00:00.000Z","flights":1,"delaySum":1000,"delayMax":1000}',
    ]);
  });

  test('a day on which every flight was early has a negative maximum', async () => {
    const { daily } = await compute({ at: '2001-01-01T01:00:00Z', delay: -7 }, { at: '2001-01-01T02:00:00Z', delay: -3 });
    expect(JSON.parse(daily[0] ?? '')).toMatchObject({ flights: 2, delaySum: -10, delayMax: -3 });
  });

  test('a day before 1970 begins at its own midnight', async () => {
    const { daily } = await compute({ at: '1969-12-31T23:00:00Z' });
    expect(JSON.parse(daily[0] ?? '')).toMatchObject({ windowStart: '1969-12-31T00:00:00.000Z', windowEnd: '1970-01-01T00:00:00.000Z' });
  });

  test('origins are counted apart, whatever their destination', async () => {
    const at = '2001-01-01T01:00:00Z';
    const { daily } = await compute({ at, origin: 'JFK' }, { at }, { at, destination: 'JFK' });
    expect(daily.map((line) => JSON.parse(line) as unknown)).toMatchObject([
      { origin: 'ATL', flights: 2 },
      { origin: 'JFK', flights: 1 },
    ]);
  });
});

test('the order of the flights and how they are batched change nothing', async () => {
  const flight = fc.record({
    at: fc.integer({ min: 0, max: 40 }).map((halfDays) => Date.UTC(2001, 0, 1) + halfDays * 43_200_000),
    delay: fc.integer({ min: -50, max: 50 }),
    origin: fc.constantFrom('ATL', 'SAV', 'JFK'),
    destination: fc.constantFrom('ATL', 'SAV'),
  });
  const batchOf = (flights: readonly { at: number; delay: number; origin: string; destination: string }[]) => ({
    at: Float64Array.from(flights, ({ at }) => at),
    delay: Float64Array.from(flights, ({ delay }) => delay),
    origin: flights.map(({ origin }) => origin),
    destination: flights.map(({ destination }) => destination),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(flight, { maxLength: 40 }), fc.nat(), async (flights, cut) => {
      const at = flights.length === 0 ? 0 : cut % flights.length;
      const moved = await computeExpected([batchOf(flights.slice(at)), batchOf(flights.slice(0, at))]);
      expect(moved).toEqual(await computeExpected([batchOf(flights)]));
      const counted = moved.seasons.reduce((sum, line) => sum + (JSON.parse(line) as Season).flights, 0);
      expect(counted).toBe(flights.length);
    }),
  );
});

describe('comparing lines', () => {
  test('the same lines in another order are equal', () => {
    expect(compareLines(['a', 'b', 'b'], ['b', 'a', 'b'])).toEqual({ missing: 0, extra: 0, duplicated: 0, firstDifferences: [] });
  });

  test('every occurrence counts: too few is missing, too many is duplicated, never expected is extra', () => {
    expect(compareLines(['a', 'a', 'a', 'b', 'c'], ['a', 'b', 'b', 'b', 'x', 'x', 'c'])).toEqual({
      missing: 2,
      extra: 2,
      duplicated: 2,
      firstDifferences: [
        { kind: 'missing', line: 'a', count: 2 },
        { kind: 'duplicated', line: 'b', count: 2 },
        { kind: 'extra', line: 'x', count: 2 },
      ],
    });
  });

  test('only the first ten differences are given, all are counted', () => {
    const lines = Array.from({ length: 25 }, (_, index) => `line ${String(index).padStart(2, '0')}`);
    const { missing, firstDifferences } = compareLines(lines.toReversed(), []);
    expect(missing).toBe(25);
    expect(firstDifferences.map(({ line }) => line)).toEqual(lines.slice(0, 10));
  });
});

describe('the real file', () => {
  let folder = '';
  let stored = '';
  let output = '';
  const limit = 20_000;

  /** Lays out what a correct job would have committed, in several files, in another order. */
  async function commit(name: string, change: (lines: string[]) => string[] = (lines) => lines): Promise<string> {
    const { daily, seasons } = await expectedFlights(flightsFile, { limit });
    const target = join(folder, name);
    await mkdir(join(target, 'daily'), { recursive: true });
    await mkdir(join(target, 'seasons'));
    const changed = change(daily.toReversed());
    await writeFile(
      join(target, 'daily', 'part-0.ndjson'),
      changed.slice(0, 200).map((line) => `${line}\n`),
    );
    await writeFile(
      join(target, 'daily', 'part-1.ndjson'),
      changed.slice(200).map((line) => `${line}\n`),
    );
    await writeFile(
      join(target, 'seasons', 'part-0.ndjson'),
      seasons.map((line) => `${line}\n`),
    );
    // Not committed yet, so it must not count.
    await writeFile(join(target, 'seasons', '.part-1.ndjson'), `${seasons[0]}\n`);
    return target;
  }

  async function run(...commandLine: string[]): Promise<{ code: number; printed: string[] }> {
    const printed: string[] = [];
    return { code: await runExpected(commandLine, (line) => printed.push(line)), printed };
  }

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'flights-expected-'));
    stored = join(folder, 'expected.ndjson');
    await run('--input', flightsFile, '--write', stored, '--limit', String(limit));
    output = await commit('correct');
  });

  afterAll(async () => {
    await rm(folder, { recursive: true });
  });

  test('its first 20,000 flights give the totals that another computation gave', async () => {
    const { daily, seasons } = await expectedFlights(flightsFile, { limit });
    expect([daily.length, seasons.length]).toEqual([428, 3183]);
    expect(daily.reduce((sum, line) => sum + (JSON.parse(line) as { flights: number }).flights, 0)).toBe(20_000);
    expect(daily.reduce((sum, line) => sum + (JSON.parse(line) as { delaySum: number }).delaySum, 0)).toBe(275_859);
    expect(seasons.reduce((sum, line) => sum + (JSON.parse(line) as Season).flights, 0)).toBe(20_000);
    expect(Math.max(...seasons.map((line) => (JSON.parse(line) as Season).longestGapMinutes))).toBe(1536);
  });

  test('a correct output is proved, by a path or by a file: URI, and uncommitted files are not read', async () => {
    const byPath = await run('--input', flightsFile, '--output', output, '--limit', String(limit));
    expect(byPath).toEqual({
      code: 0,
      printed: ['daily   428 of 428 lines in 2 files', 'seasons 3183 of 3183 lines in 1 files', 'lost 0, duplicated 0, unexpected 0'],
    });
    const uris = ['--input', pathToFileURL(flightsFile).href, '--output', pathToFileURL(output).href];
    expect(await run(...uris, '--limit', String(limit))).toEqual(byPath);
  });

  test('a stored expectation proves the same, and only its finished file is left', async () => {
    const { code, printed } = await run('--expected', stored, '--output', output, '--limit', String(limit), '--json');
    expect(code).toBe(0);
    expect(JSON.parse(printed[0] ?? '')).toMatchObject({ equal: true, lost: 0, duplicated: 0, unexpected: 0, daily: { actual: 428 } });
    expect((await readdir(folder)).filter((name) => name.includes('expected'))).toEqual(['expected.ndjson']);
  });

  test('a lost, a doubled and a wrong line are named and end with exit code 1', async () => {
    const wrong = await commit('wrong', ([_lost, doubled, changed, ...others]) => [
      ...[doubled as string, doubled as string, (changed as string).replace('"flights":', '"flights":9')],
      ...others,
    ]);
    const { code, printed } = await run('--expected', stored, '--output', wrong, '--limit', String(limit));
    expect(code).toBe(1);
    expect(printed[2]).toBe('lost 2, duplicated 1, unexpected 1');
    expect(printed.slice(3).map((line) => line.split(' × ')[0])).toEqual(
      expect.arrayContaining(['daily: missing 1', 'daily: duplicated 1', 'daily: extra 1']),
    );
    expect(printed).toHaveLength(3 + 4);
  });

  test('an output folder without its branches has lost every line, of which ten are shown', async () => {
    const empty = join(folder, 'empty');
    await mkdir(empty);
    const { code, printed } = await run('--expected', stored, '--output', empty, '--limit', String(limit));
    expect([code, printed[2], printed.length]).toEqual([1, 'lost 3611, duplicated 0, unexpected 0', 3 + 10]);
  });

  test('an empty or torn line in a committed file is a difference', async () => {
    const torn = await commit('torn', ([first, ...others]) => ['', (first as string).slice(0, 20), ...others]);
    const { code, printed } = await run('--expected', stored, '--output', torn, '--limit', String(limit));
    expect([code, printed[2]]).toEqual([1, 'lost 1, duplicated 0, unexpected 2']);
  });

  test('an expectation that is cut, foreign or of another limit is refused', async () => {
    await expect(run('--expected', stored, '--output', output)).rejects.toThrow(/limit 20000, not none/);
    await expect(run('--expected', join(output, 'daily', 'part-0.ndjson'), '--output', output)).rejects.toThrow(/not a whole file/);
    const cut = join(folder, 'cut.ndjson');
    await writeFile(cut, '{"format":"flights-expected-1","limit":null,"daily":2,"seasons":0}\n{}\n');
    await expect(run('--expected', cut, '--output', output)).rejects.toThrow(/not a whole file/);
  });

  test.each(['date', 'delay', 'destination'])('a Parquet file without the column %s is refused by its name', async (column) => {
    const bytes = await readFile(flightsFile);
    // The footer holds the schema and stands at the end; a name of the same length keeps all its offsets.
    const footerAt = bytes.length - 8 - bytes.readUInt32LE(bytes.length - 8);
    for (let at = bytes.indexOf(column, footerAt); at !== -1; at = bytes.indexOf(column, at + 1))
      bytes.write('x'.repeat(column.length), at);
    const other = join(folder, `without-${column}.parquet`);
    await writeFile(other, bytes);
    await expect(expectedFlights(other, { limit })).rejects.toThrow(new RegExp(`column.* ${column}`));
  });

  test('the command ends with 2 and says why when the comparison could not be made', async () => {
    const child = spawn(process.execPath, [script, '--expected', stored, '--output', join(folder, 'nowhere'), '--limit', String(limit)]);
    let said = '';
    child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
    const code = await new Promise((resolve) => child.once('close', resolve));
    expect([code, said]).toEqual([2, expect.stringContaining('nowhere')]);
  });

  test('a limit that is not a number and a command without a purpose are refused', async () => {
    await expect(run('--input', flightsFile, '--output', output, '--limit', '3e5')).rejects.toThrow('--limit 3e5');
    await expect(run('--input', flightsFile)).rejects.toThrow('--output');
    await expect(run('--output', output)).rejects.toThrow('--input');
  });
});
