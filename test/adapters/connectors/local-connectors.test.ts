import { expect, test } from 'vitest';
import { createCollectSink } from '../../../lib/adapters/connectors/collect-sink.ts';
import { createLocalConnectors } from '../../../lib/adapters/connectors/local-connectors.ts';
import { collectSink, fileSink, fromCollection, memoryText, ndjsonFiles, parquetFile } from '../../../lib/index.ts';
import { readAll } from './read-split.ts';
import { partName, publisher } from './sink-committer.contract.ts';

test('every source and sink that a job can name has its adapter', () => {
  const { sources, sinks } = createLocalConnectors();
  const named = [fromCollection([1]), memoryText('t'), ndjsonFiles('in/'), parquetFile('in.parquet')].map(
    ({ connector }) => connector.connector,
  );
  expect(named.filter((name) => sources[name] === undefined)).toEqual([]);
  const written = [fileSink('out'), collectSink('records')].map(({ connector }) => connector!.connector);
  expect(written.filter((name) => sinks[name] === undefined)).toEqual([]);
});

test('what a job names is what the adapter reads: options travel by the same names', async () => {
  const { sources } = createLocalConnectors({ texts: new Map([['lines', { chunk: (index) => ['1\nx\n2\n3\n'][index] }]]) });
  const { connector } = memoryText('lines', { limit: 2, onMalformed: 'dead-letter' });
  const { values, malformed } = await readAll(sources['memory-text']!, connector);
  expect(values).toEqual([1, 2]);
  expect(malformed).toHaveLength(1);
});

test('a collecting sink that was given is the one that is used', async () => {
  const collect = createCollectSink();
  const committer = createLocalConnectors({ collect }).sinks['collect']!;
  const spec = collectSink('records').connector!;
  await committer.publish(spec, await committer.stage(spec, partName(), ['a']), publisher);
  expect(collect.published('records')).toEqual(['a']);
});
