import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createMemoryTextSource, type MemoryText } from '../../../lib/adapters/connectors/memory-text-source.ts';
import { limits } from '../../../lib/base/limits.ts';
import type { ConnectorSpec } from '../../../lib/model/job-plan.ts';
import { readAll, readToEnd } from './read-split.ts';

function textOf(...chunks: string[]): MemoryText {
  return { chunk: (index) => chunks[index] };
}

function spec(options: Record<string, unknown> = {}): ConnectorSpec {
  return { connector: 'memory-text', options: { name: 'lines', ...options }, guarantee: 'exactly-once' };
}

function readerOf(...chunks: string[]) {
  return createMemoryTextSource(new Map([['lines', textOf(...chunks)]]));
}

describe('memory-text source', () => {
  test('reads a line as a record, with or without a line break at the end', async () => {
    expect((await readAll(readerOf('{"n":1}\n2\n"three"'), spec())).values).toEqual([{ n: 1 }, 2, 'three']);
    expect((await readAll(readerOf('1\n2\n'), spec())).values).toEqual([1, 2]);
  });

  test('skips blank lines, carriage returns and a byte order mark', async () => {
    expect((await readAll(readerOf('\uFEFF1\r\n\r\n  \n2\r\n'), spec())).values).toEqual([1, 2]);
  });

  test('reads on over chunks, wherever they meet', async () => {
    expect((await readAll(readerOf('{"a"', ':', '1}\n2', '', '\n3'), spec())).values).toEqual([{ a: 1 }, 2, 3]);
  });

  test('brings the same records in pieces of any size as at once', async () => {
    const line = fc.oneof(
      fc.json({ maxDepth: 2 }).map((json) => json),
      fc.constantFrom('', ' ', '\r'),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(line, { maxLength: 30 }),
        fc.array(fc.nat(200), { maxLength: 6 }),
        fc.integer({ min: 1, max: 7 }),
        fc.option(fc.integer({ min: 1, max: 20 }), { nil: undefined }),
        async (lines, cuts, recordsMax, limit) => {
          const text = lines.join('\n');
          const edges = [0, ...cuts.map((cut) => Math.min(cut, text.length)).sort((a, b) => a - b), text.length];
          const chunks = edges.slice(1).map((edge, i) => text.slice(edges[i], edge));
          const records = lines.filter((candidate) => candidate.trim() !== '').map((candidate) => JSON.parse(candidate) as unknown);
          const result = await readAll(readerOf(...chunks), spec(limit === undefined ? {} : { limit }), recordsMax);
          expect(result.values).toEqual(records.slice(0, limit));
        },
      ),
      { numRuns: 300 },
    );
  });

  test('ends with the limit, also where the limit was reached in an earlier call', async () => {
    const reader = readerOf('1\n2\n3\n4\n');
    const first = await reader.read(spec({ limit: 3 }), 'all', null, { recordsMax: 2 });
    expect(first).toMatchObject({ values: [1, 2], ended: false });
    const second = await reader.read(spec({ limit: 3 }), 'all', first.position, { recordsMax: 2 });
    expect(second).toMatchObject({ values: [3], ended: true });
    expect(await reader.read(spec({ limit: 3 }), 'all', second.position, { recordsMax: 2 })).toMatchObject({ values: [], ended: true });
  });

  test('refuses a malformed line with its place', async () => {
    const reading = readAll(readerOf('1\n', '{"a":}\n'), spec());
    await expect(reading).rejects.toMatchObject({
      code: 'SLUICE-RECORD-MALFORMED',
      facts: { chunk: 0, character: 2, line: 2, text: '{"a":}' },
    });
  });

  test('sets malformed lines aside where it is told to, and counts none of them towards the limit', async () => {
    const { values, malformed } = await readAll(readerOf('1\noops\n2\n3\n'), spec({ onMalformed: 'dead-letter', limit: 2 }), 1);
    expect(values).toEqual([1, 2]);
    expect(malformed).toEqual([expect.objectContaining({ split: 'all', position: 'chunk 0, character 2, line 2', text: 'oops' })]);
  });

  test('brings no more lines in a call than were wanted, malformed ones counted', async () => {
    const result = await readerOf('a\nb\nc\nd\n').read(spec({ onMalformed: 'dead-letter' }), 'all', null, { recordsMax: 3 });
    expect(result.malformed).toHaveLength(3);
    expect(result.ended).toBe(false);
  });

  test('refuses a line above the size of a record, and shows the beginning only', async () => {
    const text = `"${'x'.repeat(limits.recordBytesMax)}"\n`;
    await expect(readAll(readerOf(text), spec())).rejects.toMatchObject({ code: 'SLUICE-RECORD-MALFORMED' });
    const { malformed } = await readAll(readerOf(text), spec({ onMalformed: 'dead-letter' }));
    expect(malformed[0]?.text.length).toBeLessThan(2_000);
  });

  test('refuses a name that is not registered, and finds one that is registered later', async () => {
    const texts = new Map<string, MemoryText>();
    const reader = createMemoryTextSource(texts);
    await expect(reader.splits(spec())).rejects.toMatchObject({ code: 'SLUICE-INPUT-MISSING', facts: { name: 'lines' } });
    texts.set('lines', textOf('1\n'));
    expect(await reader.splits(spec())).toEqual(['all']);
    expect(await readToEnd(reader, spec(), 'all')).toMatchObject({ values: [1] });
  });

  test.each([5, 'here', {}, { chunk: -1, at: 0, line: 1, records: 0 }])('refuses to go on at %j', async (position) => {
    const reading = readerOf('1\n').read(spec(), 'all', position, { recordsMax: 1 });
    await expect(reading).rejects.toMatchObject({ code: 'SLUICE-POSITION-INVALID' });
  });
});
