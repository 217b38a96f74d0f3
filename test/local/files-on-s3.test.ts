/** The example of the flights, unchanged, on paths and on `s3://`: the same job writes the same lines. */
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { job as flights } from '../../examples/flights/job.ts';
import { createLocalConnectors } from '../../lib/adapters/connectors/local-connectors.ts';
import { connectS3 } from '../../lib/adapters/connectors/s3-connection.ts';
import { systemClock } from '../../lib/adapters/system/clock.ts';
import { createMetrics } from '../../lib/adapters/system/metrics.ts';
import { systemRandom } from '../../lib/adapters/system/random.ts';
import { systemTimers } from '../../lib/adapters/system/timers.ts';
import { defaultCheckpointSettings } from '../../lib/checkpoint/checkpoint-settings.ts';
import { compileJob } from '../../lib/index.ts';
import { runJob } from '../../lib/local/run-job.ts';
import { FakeObjectStorage } from '../adapters/aws/fake-object-storage.ts';

const parquet = 'node_modules/vega-datasets/data/flights-3m.parquet';
const outputs = ['daily', 'seasons'];
const storage = new FakeObjectStorage();
const connectors = createLocalConnectors({ s3: connectS3(async () => storage.client()) });

let root = '';
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'sluice-on-s3-'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

async function run(input: string, output: string): Promise<void> {
  const running = await runJob({
    clock: systemClock,
    timers: systemTimers,
    random: systemRandom,
    metrics: createMetrics(),
    logger: { log: () => undefined },
    program: compileJob(flights, { parallelism: 2, parameters: { input, output } }),
    checkpoint: { ...defaultCheckpointSettings, intervalMs: 100 },
    connectors,
  });
  expect((await running.ended).status).toBe('FINISHED');
  await running.close();
}

test('the flights come out the same from a folder and from a prefix, through lost answers and throttles', async () => {
  // Of the first days, every flight; plain and packed; dealt out so that all files go through all days.
  const options = { uri: parquet, columns: ['date', 'delay', 'origin', 'destination'] };
  const source = { connector: 'parquet', options, guarantee: 'exactly-once' } as const;
  const { values } = await connectors.sources['parquet']!.read(source, 'all', null, { recordsMax: 12_000 });
  await mkdir(join(root, 'in'));
  for (let file = 0; file < 4; file++) {
    const text = values.flatMap((value, i) => (i % 4 === file ? [`${JSON.stringify(value)}\n`] : [])).join('');
    const [name, content] = file % 2 === 0 ? [`${file}.ndjson`, text] : [`${file}.ndjson.gz`, gzipSync(text)];
    await writeFile(join(root, 'in', name), content);
    storage.put(`bucket/in/${name}`, content);
  }
  storage.inject('GetObject', 'lost-answer', 'throttle', 'broken-body');
  storage.inject('PutObject', 'lost-answer', 'conflict', 'throttle');
  storage.inject('CopyObject', 'lost-answer', 'lost-request', 'throttle');
  storage.inject('DeleteObject', 'lost-answer');
  await run(`${join(root, 'in')}/`, join(root, 'out'));
  await run('s3://bucket/in/', 's3://bucket/out/');
  for (const output of outputs) {
    const folder = join(root, 'out', output);
    const files = await Promise.all((await readdir(folder)).map((name) => readFile(join(folder, name), 'utf8')));
    const objects = [...storage.objects].filter(([place]) => place.startsWith(`bucket/out/${output}/`));
    const linesOf = (texts: readonly string[]): string[] => texts.flatMap((text) => text.trimEnd().split('\n')).sort();
    expect(linesOf(objects.map(([, { bytes }]) => bytes.toString()))).toEqual(linesOf(files));
    expect(files.length).toBeGreaterThan(0);
    expect(objects.filter(([place]) => place.includes('.staged'))).toEqual([]);
  }
});
