/** NDJSON text in memory as a source: what the bench reads, so that parsing counts on both sides. Position: chunk and offset in it. */
import type { SplitReader } from '../lib/ports/connectors.ts';

interface Position {
  readonly chunk: number;
  readonly at: number;
}

export interface TextSource extends SplitReader {
  /** The texts by the name in the source's options. */
  readonly texts: Map<string, { chunk(index: number): string | undefined }>;
}

export function createTextSource(): TextSource {
  const texts = new Map<string, { chunk(index: number): string | undefined }>();
  return {
    texts,
    splits: async () => ['all'],
    read: async (source, _split, position, { recordsMax }) => {
      const text = texts.get(String(source.options['name']))!;
      let { chunk, at } = (position ?? { chunk: 0, at: 0 }) as Position;
      const values: unknown[] = [];
      let current = text.chunk(chunk);
      while (current !== undefined && values.length < recordsMax) {
        const end = current.indexOf('\n', at);
        if (end < 0) {
          chunk++;
          at = 0;
          current = text.chunk(chunk);
          continue;
        }
        values.push(JSON.parse(current.slice(at, end)));
        at = end + 1;
      }
      return { values, position: { chunk, at } satisfies Position, ended: current === undefined };
    },
  };
}
