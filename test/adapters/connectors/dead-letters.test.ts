import { describe, expect, test } from 'vitest';
import { createDeadLetterSink, withDeadLetters } from '../../../lib/adapters/connectors/dead-letters.ts';
import { createMemoryStores } from '../../../lib/adapters/memory/memory-stores.ts';
import { deadLettersPrefix } from '../../../lib/model/dead-letter-keys.ts';
import { decodeValue } from '../../../lib/model/value-json.ts';
import { ManualTime } from '../../contract/manual-time.ts';
import { jobA, jobB, sinkCommitterContract } from './sink-committer.contract.ts';

const sink = { connector: 'dead-letters', options: { operator: 'files' }, guarantee: 'exactly-once' } as const;

function openObjects() {
  const { clock, timers } = new ManualTime();
  return createMemoryStores({ clock, timers, random: { hex: (digits) => '0'.repeat(digits), fraction: () => 0 } }).objects;
}

describe('the sink of dead letters', () => {
  sinkCommitterContract(async () => {
    const objects = openObjects();
    const keys = async (folder: 'staged' | 'published'): Promise<string[]> =>
      (await Promise.all([jobA, jobB].map((job) => objects.list(deadLettersPrefix(job, folder))))).flat().map(({ key }) => key);
    const lines = async (key: string): Promise<unknown[]> => {
      const text = Buffer.from((await objects.read(key))!).toString('utf8');
      return text.trimEnd().split('\n').map(decodeValue);
    };
    return {
      committer: createDeadLetterSink(objects),
      sink,
      published: async () =>
        Object.fromEntries(await Promise.all((await keys('published')).map(async (key) => [key, await lines(key)] as const))),
      staged: () => keys('staged'),
    };
  });

  test('is one of the connectors of every engine', () => {
    const own = withDeadLetters({ sources: {}, sinks: {} }, openObjects());
    expect(Object.keys(own.sinks)).toEqual(['dead-letters']);
  });
});
